"""Orders: storing them, attaching them to profiles, and the totals derived when they are read back."""

from integrations.standins.ledger import packed
from integrations.standins.ometria.account import Account
from integrations.standins.ometria.change import Change
from integrations.standins.ometria.moments import seconds
from integrations.standins.ometria.profiles import Profile, identifiers
from integrations.standins.ometria.shelf import OrderEntry

CENT = 2


def stored_order(account: Account, record: dict) -> dict | None:
    """What is stored under the record's id."""
    entry = account.orders.get(record["id"])
    return entry.record() if entry else None


def apply_order(account: Account, change: Change) -> None:
    """Store an order and move it to its buyer's profile."""
    record, at = change.record, change.at
    key = record["id"]
    customer = record.get("customer", {})
    former = account.orders.get(key)
    profile = _buyer(account, customer, at)
    if former is not None and former.profile_id and (profile is None or profile.id != former.profile_id):
        account.directory.profiles[former.profile_id].orders.pop(key, None)
    entry = OrderEntry(
        raw=packed(record),
        created=former.created if former else at,
        updated=at,
        version=former.version + 1 if former else 1,
        profile_id=profile.id if profile else None,
        placed=seconds(record["timestamp"]),
        email=customer.get("email"),
        customer_id=customer.get("id"),
        valid=record.get("is_valid", True),
        total=record["grand_total"],
        units=sum(line["quantity"] for line in record.get("lineitems", ())),
    )
    account.orders.put(key, entry)
    if profile is not None:
        profile.orders[key] = None
        account.directory.touch(profile, at)
    account.note_stored("order", key, entry, change.digest)


def shown_order(entry: OrderEntry) -> dict:
    """The order as read back: as pushed plus what Ometria derives from its lines."""
    record = entry.record()
    lines = record.get("lineitems", ())
    record["total_refunded"] = round(sum(line.get("refunded", 0) for line in lines), CENT)
    record["total_unit_quantity"] = entry.units
    record["total_unit_quantity_refunded"] = sum(line.get("quantity_refunded", 0) for line in lines)
    return record


def balanced(record: dict) -> bool:
    """Whether grand total = subtotal + discount + tax + shipping within a cent, as the order screen assumes."""
    if "subtotal" not in record:
        return True
    parts = sum(record.get(name, 0) for name in ("subtotal", "discount", "tax", "shipping"))
    return abs(parts - record["grand_total"]) < 0.011


def _buyer(account: Account, customer: dict, at: float) -> Profile | None:
    """The buyer's profile, made without consent if need be; None when at most names are known."""
    phone = customer.get("phone_number")
    sought = identifiers(customer.get("id"), customer.get("email"), phone, with_phone=account.settings.phone_identifier)
    if sought.empty():
        return None
    profile = account.directory.match_or_create(sought, at)
    profile.phone = profile.phone or phone
    return profile
