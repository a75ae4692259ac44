"""Products and their variants; there is no deletion, only ``is_active: false``."""

from integrations.standins.ledger import packed
from integrations.standins.ometria.account import Account
from integrations.standins.ometria.change import Change
from integrations.standins.ometria.shelf import ProductEntry


def stored_product(account: Account, record: dict) -> dict | None:
    """What is stored under the record's id."""
    entry = account.products.get(record["id"])
    return entry.record() if entry else None


def apply_product(account: Account, change: Change) -> None:
    """Store a product or variant."""
    record = change.record
    key = record["id"]
    former = account.products.get(key)
    entry = ProductEntry(
        raw=packed(record),
        created=former.created if former else change.at,
        updated=change.at,
        version=former.version + 1 if former else 1,
        variant=record.get("is_variant", False),
        active=record.get("is_active", True),
    )
    account.products.put(key, entry)
    account.note_stored("product", key, entry, change.digest)
