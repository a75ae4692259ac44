"""One grant, several accounts: a seller who lets us in opens every shop of theirs, each a connection of its own."""

from __future__ import annotations

from collections.abc import Sequence

import structlog
from django.db import transaction

from integrations.engine import accounts
from integrations.models import Connection
from integrations.platforms.grants import SharedAccount

log = structlog.get_logger(__name__)
OWN = frozenset({"store"})  # settings that say of one account what is not true of the others


def open_accounts(connection: Connection) -> list[Connection]:
    """Connect every account that this connection's grant covers; returns those that are new. Raises the platform errors of the call.

    The connection itself becomes the first of them when its account name is none of theirs; the others use its secrets.
    """
    platform = accounts.platform_of(connection)
    if platform.auth is None:
        return []
    found = platform.auth.shops(accounts.client_for(connection))
    with transaction.atomic():
        keeper = Connection.objects.select_for_update().get(pk=connection.keeper.pk)
        opened = [made for account in _others(keeper, found) if (made := _open(keeper, account))]
    connection.refresh_from_db()
    log.info("accounts of a grant", connection=keeper.pk, accounts=len(found), opened=len(opened))
    return opened


def _others(keeper: Connection, found: Sequence[SharedAccount]) -> list[SharedAccount]:
    """All accounts but the keeper's own, which takes over what the platform says of it."""
    taken = set(Connection.objects.filter(platform=keeper.platform).exclude(pk=keeper.pk).values_list("external_id", flat=True))
    free = [account for account in found if account.external_id not in taken]
    own = next((account for account in found if account.external_id == keeper.external_id), free[0] if free else None)
    if own is None:
        return list(found)
    keeper.external_id, keeper.settings = own.external_id, {**keeper.settings, **own.settings}
    keeper.save(update_fields=["external_id", "settings"])
    return [account for account in found if account.external_id != own.external_id]


def _open(keeper: Connection, account: SharedAccount) -> Connection | None:
    """A new connection for the account, None when there is one already: it uses this grant from now on."""
    known = Connection.objects.filter(platform=keeper.platform, external_id=account.external_id).first()
    if known is None:
        handed_on = {name: value for name, value in keeper.settings.items() if name not in OWN}
        return Connection.objects.create(
            platform=keeper.platform, name=_free_name(account.name), external_id=account.external_id, base_url=keeper.base_url,
            api_version=keeper.api_version, settings={**handed_on, **account.settings}, credentials_from=keeper,
        )  # fmt: skip
    known.credentials_from, known.settings = keeper, {**known.settings, **account.settings}
    known.save(update_fields=["credentials_from", "settings"])
    accounts.reconnected(known)
    return None


def _free_name(name: str) -> str:
    """The account's name, numbered when another connection has it."""
    taken = set(Connection.objects.filter(name__startswith=name[:90]).values_list("name", flat=True))
    return next(free for free in (name[:90], *(f"{name[:90]} {number}" for number in range(2, len(taken) + 3))) if free not in taken)
