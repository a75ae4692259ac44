"""The door for TikTok Shop's webhooks: whose call it is, whether it is genuine, what it hints at, and the subscriptions."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import orjson

from integrations.platforms.base import Account, IncomingCall, IncomingEvent
from integrations.platforms.bodies import extreme_number, read_body, unreadable
from integrations.platforms.errors import Misconfigured, Refused, Unverified
from integrations.platforms.tiktok_shop.answers import NO_SCOPE
from integrations.platforms.tiktok_shop.client import TikTokShopClient
from integrations.platforms.tiktok_shop.sign import webhook_signature
from integrations.platforms.tiktok_shop.topics import BY_NAME, SUBSCRIBED, ids_in, topic_of

SECRETS = ("app_secret", "app_secret_previous")
SIGNATURE = "authorization"
MAX_ID = 64  # characters of a notification id that may enter a key


class TikTokShopWebhooks:
    """TikTok Shop's side of the `Webhooks` protocol; stateless. Every message is a hint: what it names is read from the API."""

    signs_by_app = True  # one app signs for all shops that let it in, also for those that nobody connected here

    def external_id(self, call: IncomingCall) -> str:
        """The shop's id from the body of a call that is signed at all; raises Unverified without one."""
        if not call.headers.get(SIGNATURE):
            raise Unverified("no signature")
        try:
            body = orjson.loads(call.body)
        except orjson.JSONDecodeError:
            raise Unverified("no shop id") from None
        shop = str(body.get("shop_id") or "") if isinstance(body, dict) else ""
        if not (shop.isascii() and shop.isdecimal()) or len(shop) > 32:
            raise Unverified("no shop id")
        return shop

    def verify(self, account: Account, call: IncomingCall) -> None:
        """Compare the HMAC over app key and raw bytes in constant time with each valid secret; raises Unverified."""
        given = call.headers.get(SIGNATURE, "").strip().encode("latin-1", "replace")
        key = str(account.settings.get("app_key") or "")
        genuine = False
        for name in SECRETS:
            secret = account.secrets.get(name)
            if secret and key:
                genuine |= hmac.compare_digest(webhook_signature(secret, key, call.body).encode(), given)
        if not genuine:
            raise Unverified("bad signature" if given else "no signature")

    def cut(self, account: Account, call: IncomingCall) -> Sequence[IncomingEvent]:
        """The one event of a verified call; a body that cannot be read or stored becomes `{"raw": …, "reason": …}`."""
        del account
        parsed, reason = read_body(call.body)
        if parsed is None:
            digest = hashlib.sha256(call.body).hexdigest()
            return (IncomingEvent(topic="unknown", dedup_key=f"body:{digest}", body=unreadable(call.body, reason)),)
        topic = topic_of(parsed)
        ids = ids_in(topic, parsed)
        return (
            IncomingEvent(
                topic=topic.name,
                dedup_key=_dedup_key(parsed, call.body),
                body=orjson.dumps(parsed) if extreme_number(call.body) else call.body,
                occurred_at=_moment(parsed.get("timestamp")),
                hint=True,
                object_key=f"{topic.subject}:{ids[0]}" if ids else "",
                wait_seconds=topic.wait_seconds,
            ),
        )

    def missing(self, client: TikTokShopClient, address: str) -> Sequence[str]:
        """Event types that should be sent to `address` and are not."""
        present = {hook.get("event_type") for hook in client.webhooks() if hook.get("address") == address}
        return tuple(name for name in SUBSCRIBED if name not in present)

    def subscribe(self, client: TikTokShopClient, address: str, topics: Sequence[str]) -> Sequence[str]:
        """Point each event type at the address; the answer lists what was refused, in plain words."""
        refused = []
        for name in topics:
            if name not in BY_NAME:
                refused.append(f"{name}: TikTok Shop has no such event type")
                continue
            try:
                client.subscribe(name, address)
            except (Refused, Misconfigured) as fault:
                if isinstance(fault, Misconfigured) and fault.code != NO_SCOPE:
                    raise
                refused.append(f"{name}: {fault}")
        return tuple(refused)


def _dedup_key(parsed: Mapping[str, Any], body: bytes) -> str:
    """The notification's id, which every retry repeats; old samples have none, and the bytes stand in for it."""
    given = parsed.get("tts_notification_id")
    key = str(given) if isinstance(given, (str, int)) and not isinstance(given, bool) else ""
    usable = 0 < len(key) <= MAX_ID and key.isascii() and key.isprintable()
    return f"id:{key}" if usable else f"body:{hashlib.sha256(body).hexdigest()}"


def _moment(value: object) -> datetime | None:
    """Unix seconds as aware UTC, None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    try:
        return datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError):
        return None
