"""What happens to records at Ometria behind an integration's back: somebody else writes to an order, or removes it."""

from collections.abc import Callable, Mapping

from integrations.standins.ledger import packed
from integrations.standins.ometria.account import Account
from integrations.standins.ometria.moments import seconds
from integrations.standins.ometria.orders import shown_order
from integrations.standins.ometria.shelf import OrderEntry


def edit_order(account: Account, body: Mapping) -> dict:
    """Change stored fields of an order: {"id", "changes": {field: value}, "at"}; returns it as read back."""
    entry = _order(account, body)
    record = {**entry.record(), **body["changes"]}
    entry.raw, entry.updated, entry.version = packed(record), _at(account, body), entry.version + 1
    entry.total, entry.valid = record["grand_total"], record.get("is_valid", True)
    account.orders.put(str(body["id"]), entry)
    return shown_order(entry)


def remove_order(account: Account, body: Mapping) -> dict:
    """Take an order away: {"id"}."""
    entry = _order(account, body)
    if entry.profile_id in account.directory.profiles:
        account.directory.profiles[entry.profile_id].orders.pop(str(body["id"]), None)
    account.orders.remove(str(body["id"]))
    return {"removed": True}


def add_order(account: Account, body: Mapping) -> dict:
    """A copy of an order under another id, as another integration might write it: {"id", "as", "at"}; returns it as read back."""
    entry = _order(account, body)
    copy = OrderEntry(
        raw=packed({**entry.record(), "id": str(body["as"])}), created=_at(account, body), updated=_at(account, body), placed=entry.placed,
        valid=entry.valid, total=entry.total, units=entry.units,
    )  # fmt: skip
    account.orders.put(str(body["as"]), copy)
    return shown_order(copy)


def _order(account: Account, body: Mapping) -> OrderEntry:
    entry = account.orders.get(str(body["id"]))
    if entry is None:
        raise ValueError("No such order.")
    return entry


def _at(account: Account, body: Mapping) -> float:
    return seconds(body["at"]) if "at" in body else account.clock.now()


ACTS: dict[str, Callable[[Account, Mapping], dict]] = {
    "/edit-order": edit_order,
    "/remove-order": remove_order,
    "/add-order": add_order,
}
