"""The buyer as far as TikTok Shop shows one: values as they came, masked or not; what is masked is for the console's rules to say."""

from __future__ import annotations

from collections.abc import Sequence

from integrations.platforms.base import Account, JsonObject
from integrations.platforms.tiktok_shop.options import setting
from integrations.platforms.values import child, rows, text
from mapping.records import Address, Customer, CustomerRef, Order


def buyer_key(account: Account, order: JsonObject) -> str:
    """ "tts:<shop>:<user>": a user id is only unique within its shop; empty when the order names no buyer."""
    user = text(order, "user_id", "buyer_user_id")
    return f"tts:{account.external_id}:{user}" if user else ""


def buyer_ref(account: Account, order: JsonObject) -> CustomerRef:
    """Who the order belongs to. Names and phone are the recipient's, who may be somebody else."""
    recipient = child(order, "recipient_address")
    first, last = _names(recipient)
    return CustomerRef(
        key=buyer_key(account, order),
        email=text(order, "buyer_email"),
        phone=text(recipient, "phone_number"),
        first_name=first,
        last_name=last,
    )


def parse_buyer(account: Account, raw: JsonObject, order: Order) -> Sequence[Customer]:
    """The buyer of an order as a partial customer; none when the order names no buyer."""
    ref, address = order.customer, order.shipping_address
    if not ref.key:
        return ()
    nickname = text(raw, "buyer_nickname")
    return (
        Customer(
            key=ref.key,
            occurred_at=order.occurred_at,
            email=ref.email,
            phone=ref.phone,
            first_name=ref.first_name,
            last_name=ref.last_name,
            country=(address.country if address else "") or str(setting(account, "region") or ""),
            addresses=(address,) if address else (),
            attributes={"nickname": nickname} if nickname else {},
            partial=True,
        ),
    )


def address_of(order: JsonObject) -> Address | None:
    """Where the order goes, None while it is unpaid or on hold."""
    raw = child(order, "recipient_address")
    if not raw:
        return None
    first, last = _names(raw)
    districts = {text(row, "address_level"): text(row, "address_name") for row in rows(raw, "district_info")}
    return Address(
        first_name=first,
        last_name=last,
        line1=text(raw, "address_line1", "address_detail"),
        line2=", ".join(filter(None, (text(raw, f"address_line{number}") for number in (2, 3, 4)))),
        city=text(raw, "post_town") or _city(raw) or districts.get("L3", "") or districts.get("L2", ""),
        region=districts.get("L1", ""),
        postcode=text(raw, "postal_code"),
        country=text(raw, "region_code"),
        phone=text(raw, "phone_number"),
    )


def _city(raw: JsonObject) -> str:
    named = (row for row in rows(raw, "district_info") if text(row, "address_level_name").lower() in ("city", "town"))
    return next((text(row, "address_name") for row in named), "")


def _names(recipient: JsonObject) -> tuple[str, str]:
    """First and last name; of a whole name alone, its last word is the last name."""
    first, last = text(recipient, "first_name").strip(), text(recipient, "last_name").strip()
    if first or last:
        return first, last
    before, _, after = text(recipient, "name").strip().rpartition(" ")
    return (before.strip(), after) if before else (after, "")
