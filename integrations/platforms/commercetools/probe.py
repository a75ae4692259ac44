"""The connection's test call: is the project the right one, which scopes are missing for what, and what the project can do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from integrations.platforms.base import JsonObject, Probe
from integrations.platforms.commercetools import subscriptions
from integrations.platforms.commercetools.auth import granted_scopes
from integrations.platforms.commercetools.client import CommercetoolsClient
from integrations.platforms.commercetools.markets import problem_of
from integrations.platforms.commercetools.options import LONGEST_OVERLAP, OVERLAP_SECONDS, number, setting, words
from integrations.platforms.errors import Misconfigured, Reconnect

EVERYTHING = "manage_project"
MODULAR = "Modular"
FAR_OFF = 60.0  # seconds our clock may differ before it is worth a word
REMEDY = "Make an API client that has it in the Merchant Center, then enter its id and secret."


class Need(NamedTuple):
    """A scope, what it is for, others that include it, and whether nothing works without it."""

    scope: str
    use: str
    included_in: tuple[str, ...] = ()
    needed: bool = False


NEEDS: Sequence[Need] = (
    Need("view_project_settings", "languages, currencies and the state of messages are not shown", ("manage_project_settings",)),
    Need("view_customers", "customers cannot be read", ("manage_customers",), needed=True),
    Need("view_orders", "orders and carts cannot be read", ("manage_orders",), needed=True),
    Need("view_payments", "refunds are known only where the order's returns show them", ("manage_payments",)),
    Need("view_products", "products and categories cannot be read", ("view_published_products", "manage_products")),
    Need("view_standalone_prices", "prices that stand beside their products cannot be read", ("manage_standalone_prices",)),
    Need("view_messages", "messages cannot be polled"),
)
WRITES = Need("manage_customers", "consent cannot be written back", needed=True)


def probe(client: CommercetoolsClient) -> Probe:
    """What commercetools says of this connection, each problem with its remedy; raises TryLater or Refused when it says nothing."""
    try:
        scopes = granted_scopes(client.account)
        project = client.settings() if _holds(scopes, NEEDS[0]) or not scopes else {}
    except Reconnect as fault:
        return Probe(ok=False, summary="commercetools does not let this connection in.", problems=(str(fault),))
    told = subscriptions.seen(client)
    missing = [need for need in _needs(client) if not _holds(scopes, need)]
    blocking = [*_settings(client), *_other_project(client, project), *(_words(scopes, need) for need in missing if need.needed)]
    worth_knowing = [
        *(_words(scopes, need) for need in missing if not need.needed),
        *_catalogue(project),
        *_markets(client),
        *_messages(project),
        *_clock(client),
        *told.problems,
    ]
    problems = (*blocking, *worth_knowing)
    name = str(project.get("name") or client.account.external_id)
    facts = {**_facts(client, project), **told.facts}
    rest = f"; {len(problems)} thing{'s' * (len(problems) != 1)} to settle." if problems else "."
    return Probe(ok=not blocking, summary=f"{name} answers{rest}", problems=problems, scopes=scopes, facts=facts)


def _needs(client: CommercetoolsClient) -> Sequence[Need]:
    """What this connection needs; writing consent only where a field for it is named."""
    writes = setting(client.account, "email_consent_field") or setting(client.account, "sms_consent_field")
    return (*NEEDS, WRITES) if writes else NEEDS


def _holds(scopes: Sequence[str], need: Need) -> bool:
    """Whether a scope was given for the whole project; those for one store end in its key."""
    whole = {scope.split(":")[0] for scope in scopes if scope.count(":") <= 1}
    return bool(whole & {EVERYTHING, need.scope, *need.included_in})


def _words(scopes: Sequence[str], need: Need) -> str:
    if any(scope.startswith(f"{need.scope}:") for scope in scopes):
        return f"Scope {need.scope} is for single stores only: {need.use}. Make an API client that has it for the whole project."
    return f"Missing scope {need.scope}: {need.use}. {REMEDY}"


def _settings(client: CommercetoolsClient) -> Iterator[str]:
    bounds = (
        ("overlap_seconds", OVERLAP_SECONDS, LONGEST_OVERLAP),
        ("message_overlap_seconds", 120, 3600),
        ("checkout_minutes", 1, 100_000),
    )
    for name, least, most in bounds:
        try:
            number(client.account, name, least=least, most=most)
        except Misconfigured as fault:
            yield str(fault)


def _markets(client: CommercetoolsClient) -> Iterator[str]:
    if problem := problem_of(client.account.settings):
        yield f"{problem} Until then no products are read."


def _other_project(client: CommercetoolsClient, project: JsonObject) -> Iterator[str]:
    served = project.get("key")
    if served and served != client.account.external_id:
        yield f"Another project answers: {served} instead of {client.account.external_id}. Correct the account of the connection."


def _catalogue(project: JsonObject) -> Iterator[str]:
    if project.get("productCatalogModel") == MODULAR:
        yield "The project's catalogue is of the modular kind, which is not read: customers, orders and carts are, products are not."


def _messages(project: JsonObject) -> Iterator[str]:
    messages = project.get("messages")
    if isinstance(messages, dict) and not messages.get("enabled"):
        yield "Messages are switched off in the project: changes are found by asking every few minutes. Switch them on to see them sooner."


def _clock(client: CommercetoolsClient) -> Iterator[str]:
    if client.ahead is not None and abs(client.ahead) > FAR_OFF:
        side = "behind" if client.ahead > 0 else "ahead of"
        yield f"This server's clock is {abs(client.ahead):.0f} s {side} commercetools': switch on time synchronisation."


def _facts(client: CommercetoolsClient, project: JsonObject) -> dict[str, str]:
    messages, carts = project.get("messages") or {}, project.get("carts") or {}
    kept = f"kept {messages.get('deleteDaysAfterCreation', 15)} days" if messages.get("enabled") else "switched off"
    return {
        "Project": str(project.get("name") or client.account.external_id),
        "Currencies": ", ".join(project.get("currencies") or ()),
        "Languages": ", ".join(project.get("languages") or ()),
        "Countries": ", ".join(project.get("countries") or ()),
        "Messages": kept if project else "",
        "Carts are deleted after": f"{carts.get('deleteDaysAfterLastModification', 90)} days" if project else "",
        "Catalogue": str(project.get("productCatalogModel") or "Classic") if project else "",
        "Stores taken": ", ".join(words(client.account, "store_keys")) or "all",
        "Clock": "" if client.ahead is None else f"{client.ahead:+.0f} s",
    }
