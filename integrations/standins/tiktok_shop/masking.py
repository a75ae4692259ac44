"""What of a person an order shows: an alias address of its own, and the recipient in clear only when the seller ships."""

from base64 import b32encode
from hashlib import blake2b
from typing import Any

from integrations.standins.tiktok_shop.orders import BY_SELLER, COMPLETED, Order, Recipient
from integrations.standins.tiktok_shop.regions import Region
from integrations.standins.tiktok_shop.settings import Settings


def shown_email(order: Order, region: Region) -> str:
    """The alias of this order, never the same for two; a buyer's own address only if one was given to the stand-in."""
    if order.buyer.email:
        return order.buyer.email
    letters = b32encode(blake2b(order.id.encode(), digest_size=10).digest()).decode()
    return f"v4b{letters[:14]}@{region.alias_domain}"


def in_clear(order: Order, settings: Settings) -> bool:
    """Whether personal data is readable: seller fulfilment and seller shipping (page "Order API overview")."""
    by_seller = order.fulfillment_type == BY_SELLER and order.shipping_type == "SELLER"
    return by_seller and not (settings.remask_completed and order.status == COMPLETED)


def shown_recipient(order: Order, region: Region, settings: Settings) -> dict[str, Any] | None:
    """``recipient_address``, None while an order is unpaid or on hold."""
    if not order.released:
        return None
    clear, who = in_clear(order, settings), order.recipient
    first, last = (who.first_name, who.last_name) if clear else (starred(who.first_name), starred(who.last_name))
    line = who.address_line1 if clear else "***"
    post = who.postal_code if clear else who.postal_code[:2] + "***"
    found: dict[str, Any] = {
        "name": f"{first} {last}".strip(),
        "first_name": first,
        "last_name": last,
        "phone_number": shown_phone(who, region, clear=clear),
        "region_code": region.code,
        "postal_code": post,
        "address_line1": line,
        "address_line2": "",
        "full_address": f"{line}, {who.city if clear else '***'} {post}",
        "district_info": [
            {"address_level": "L0", "address_level_name": "Country", "address_name": region.country, "iso_code": region.code},
            {"address_level": "L3", "address_level_name": "City", "address_name": who.city if clear else "***"},
        ],
    }
    if region.code == "GB":
        found["post_town"] = who.city if clear else "***"
    return found


def shown_phone(who: Recipient, region: Region, *, clear: bool) -> str:
    """(+44)2079460001, or (+44)20****01; empty when the recipient gave none."""
    prefix = f"+{region.dialling}"
    if not who.phone:
        return ""
    if not who.phone.startswith(prefix):
        return who.phone if clear else "*" * 8 + who.phone[-2:]
    digits = who.phone[len(prefix) :]
    shown = digits if clear else digits[:2] + "*" * max(3, len(digits) - 4) + digits[-2:]
    return f"({prefix}){shown}"


def starred(name: str) -> str:
    """The first letter and stars."""
    return f"{name[:1]}{'*' * max(2, len(name) - 1)}" if name else ""
