"""The door for the "call webhook" step of Ometria's automations.

Ometria signs nothing and fixes no body (Webhooks page): a shared key in a header of its own says that the call is genuine, and the body
only hints at a person. Nothing changes before the API has confirmed it.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Mapping, Sequence

import orjson

from integrations.platforms.base import Account, IncomingCall, IncomingEvent, JsonObject
from integrations.platforms.bodies import extreme_number, read_body, unreadable
from integrations.platforms.errors import Unverified
from integrations.platforms.ometria.client import OmetriaClient
from integrations.platforms.values import text

ACCOUNT_HEADER, KEY_HEADER = "x-switchyard-account", "x-switchyard-key"
SECRETS = ("webhook_key", "webhook_key_previous")
TOPIC = "automation"
MAX_BODY = 64 * 1024
MAX_ACCOUNT = 200
SAME_CALL = 60  # seconds within which an equal body is the same call; it carries no id and no time
# In Ometria's documented merge tags; a "profile_id" is taken too where an account has a tag for it
BODY = '{"email": "{{ profile.email }}", "marketing_optin": "{{ profile.marketing_optin }}"}'


class OmetriaWebhooks:
    """Ometria's side of the `Webhooks` protocol; stateless."""

    max_body = MAX_BODY
    signs_bodies = False  # so every event must be a hint
    made_by_hand = True

    def external_id(self, call: IncomingCall) -> str:
        """The account that the header names; raises Unverified without one."""
        account = call.headers.get(ACCOUNT_HEADER, "").strip()
        if not account or len(account) > MAX_ACCOUNT or not account.isprintable():
            raise Unverified("no account")
        return account

    def verify(self, account: Account, call: IncomingCall) -> None:
        """Compare the key in constant time with each valid one; raises Unverified."""
        given = call.headers.get(KEY_HEADER, "").strip().encode("latin-1", "replace")
        genuine = False
        for expected in (account.secrets[name] for name in SECRETS if account.secrets.get(name)):
            genuine |= hmac.compare_digest(expected.encode(), given)
        if not genuine:
            raise Unverified("wrong key" if given else "no key")

    def cut(self, account: Account, call: IncomingCall) -> Sequence[IncomingEvent]:
        """The one event of a genuine call, a hint; a body that cannot be read or stored becomes `{"raw": …, "reason": …}`."""
        del account
        parsed, reason = read_body(call.body)
        digest = hashlib.sha256(call.body).hexdigest()
        key = f"{TOPIC}:{digest[:40]}:{int(time.time() // SAME_CALL)}"
        if parsed is None:
            return (IncomingEvent(topic=TOPIC, dedup_key=key, body=unreadable(call.body, reason), hint=True),)
        body = orjson.dumps(parsed) if extreme_number(call.body) else call.body
        return (IncomingEvent(topic=TOPIC, dedup_key=key, body=body, hint=True, object_key=profile_of(parsed)[:64]),)

    def missing(self, client: OmetriaClient, address: str) -> Sequence[str]:
        """Nothing: webhooks are made by hand in Ometria, and no call lists them."""
        return ()

    def subscribe(self, client: OmetriaClient, address: str, topics: Sequence[str]) -> Sequence[str]:
        """Nothing is made by this program."""
        return ()

    def by_hand(self, account: Account, address: str) -> Mapping[str, str]:
        """What a person enters in Ometria under Settings > Connections > Webhook: what it is → its text. The key itself is not shown."""
        headers = {"X-Switchyard-Account": account.external_id, "X-Switchyard-Key": "the webhook key of this connection"}
        return {"Webhook endpoint URL": address, "Headers": orjson.dumps(headers, option=orjson.OPT_INDENT_2).decode(), "Template": BODY}


def profile_of(body: JsonObject) -> str:
    """The profile that a call names, empty when it names none."""
    return text(body, "profile_id").strip()


def address_of(body: JsonObject) -> str:
    """The e-mail address that a call names, empty when it names none."""
    email = text(body, "email").strip().lower()
    return email if "@" in email else ""
