"""The connection's test call, answered in sentences with the remedy."""

from __future__ import annotations

from integrations.platforms.base import Probe
from integrations.platforms.errors import PlatformError, Reconnect, Refused, SlowDown
from integrations.platforms.ometria.client import BAD_ADDRESS, OmetriaClient

KEY_REMEDY = "Check the key in Ometria under Settings > API keys; a new key can need up to ten minutes before it works."
ADDRESS_REMEDY = "Set the base address to https://api.ometria.com."
NEXT_KEY = "Ometria takes only the next API key: make it the API key of this connection and revoke the old one."
NO_CURRENCY = "Set the account's reporting currency, so that orders in other currencies can be told apart."


def probe(client: OmetriaClient) -> Probe:
    """Ask for the active segments, Ometria's cheapest call; never raises for what the platform says."""
    try:
        segments = client.lists("active")
    except PlatformError as fault:
        summary, remedy = _sentence(fault)
        return Probe(ok=False, summary=summary, problems=(remedy,), facts=_limits(client))
    problems = [NEXT_KEY] if client.key_in_use != "api_key" else []
    if not client.options.reporting_currency:
        problems.append(NO_CURRENCY)
    facts = {"Active segments": str(len(segments)), **_limits(client)}
    return Probe(ok=True, summary="Ometria answers and accepts the API key.", problems=tuple(problems), facts=facts)


def _sentence(fault: PlatformError) -> tuple[str, str]:
    if isinstance(fault, Reconnect):
        return "Ometria does not accept the API key.", KEY_REMEDY
    if isinstance(fault, Refused) and fault.status == 404:
        return f"{BAD_ADDRESS}.", ADDRESS_REMEDY
    if isinstance(fault, SlowDown):
        return "Ometria asks for a pause, so the key could not be tested.", f"Try again in {fault.seconds:.0f} seconds."
    if isinstance(fault, Refused):
        return f"Ometria refused the test call ({fault}).", "Ask Ometria's support, with the time of this test."
    return f"Ometria did not answer properly ({fault}).", "Check the base address and the network, then try again."


def _limits(client: OmetriaClient) -> dict[str, str]:
    rates = {"Pushes": client.options.push_rate, "Reads": client.options.read_rate}
    return {name: f"{rate:g} a second" if rate else "no quota" for name, rate in rates.items()}
