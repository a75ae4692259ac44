"""The "call webhook" step of an automation: when a person says something, an address of the merchant's is called.

Nothing is signed and nothing is tried again; headers and body are what the merchant's people entered (Webhooks page).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from integrations.standins.couriers import Couriers

TIMEOUT = (2.0, 5.0)  # seconds to connect and to answer; undocumented
ANSWERS_KEPT = 200


@dataclass(slots=True)
class Call:
    """One call on its way."""

    url: str
    headers: dict[str, str]
    body: bytes
    tries: int = 0
    answers: list[int | str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Hook:
    """A webhook connection: address, headers and the template of the body, whose merge tags are of the group `profile`."""

    url: str
    headers: Mapping[str, str]
    template: str

    def call(self, profile: Mapping[str, Any]) -> Call:
        """The call about a profile; a tag without value stays empty, like an undefined one in Ometria's templates."""
        text = self.template
        for name, value in profile.items():
            if value is None or isinstance(value, (str, int, float, bool)):
                text = text.replace(f"{{{{ profile.{name} }}}}", _shown(value))
        return Call(self.url, {"Content-Type": "application/json", **self.headers}, text.encode())


class Automations(Couriers[Call]):
    """Webhook connections of all accounts by account name, and their callers; one try each."""

    def __init__(self) -> None:
        super().__init__("automations", threads=1, timeout=TIMEOUT)
        self.hooks: dict[str, Hook] = {}
        self.answers: list[int | str] = []

    def tell(self, account: str, profile: Mapping[str, Any]) -> None:
        """Call the account's webhook about a person, if it has one."""
        hook = self.hooks.get(account)
        if hook is not None:
            self.send(hook.call(profile))

    def address_of(self, sending: Call) -> str:
        """The merchant's address."""
        return sending.url

    def settle(self, sending: Call, *, taken: bool) -> None:
        """Whatever was answered, it was the only try."""
        self.answers = [*self.answers[-ANSWERS_KEPT:], *sending.answers]


def hook_of(body: Mapping[str, Any]) -> Hook | None:
    """{"url", "headers": {…}, "body": template}; without an address the webhook is taken away."""
    if not body.get("url"):
        return None
    headers = body.get("headers") or {}
    if not isinstance(headers, dict):
        raise ValueError("headers are an object")
    return Hook(str(body["url"]), {str(name): str(value) for name, value in headers.items()}, str(body.get("body") or "{}"))


def _shown(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value)
