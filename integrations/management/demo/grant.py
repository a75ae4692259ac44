"""A seller's consent without a browser: the consent page, the code, the tokens, and the shops that they open."""

from __future__ import annotations

import secrets
from urllib.parse import parse_qsl, urlsplit

import requests
from django.core.management.base import CommandError

from integrations.engine import accounts, shared
from integrations.management.demo.cast import Cast, open_flows
from integrations.models import Connection
from integrations.standins.tiktok_shop.specs import SellerSpec

CONSENT_SECONDS = 10


def authorise(cast: Cast, seller: SellerSpec, *, callback: str) -> list[Connection]:
    """Let the seller agree over HTTP and open every shop of the grant with its flows; returns the shops' connections.

    Raises CommandError when the consent page does not send back a code, and the platform errors of the exchange.
    """
    keeper = cast.tiktok
    if keeper is None:
        raise CommandError("The stage has no TikTok Shop.")
    auth, state = accounts.platform_of(keeper).auth, secrets.token_urlsafe(16)
    account = accounts.account_for(keeper)
    address = auth.authorize_url(account, state=state, redirect_uri=callback)
    query = _agree(keeper, address, {"agree": "yes", "state": state, "seller": seller.open_id}, callback)
    accounts.store_tokens(keeper, auth.exchange(account, query, state=state, redirect_uri=callback))
    accounts.reconnected(keeper)
    shared.open_accounts(keeper)
    for shop in cast.tiktoks:
        open_flows(shop, cast.account, catalogue=cast.shop)
    return cast.tiktoks


def _agree(keeper: Connection, address: str, form: dict[str, str], callback: str) -> dict[str, str]:
    """What the consent page sends the seller's browser back with; its app learns first where that is."""
    with requests.Session() as browser:
        browser.trust_env = False
        app = browser.post(f"{keeper.base_url}/_control/settings", json={"redirect_uri": callback}, timeout=CONSENT_SECONDS)
        app.raise_for_status()
        answer = browser.post(address, data=form, timeout=CONSENT_SECONDS, allow_redirects=False)
    query = dict(parse_qsl(urlsplit(answer.headers.get("Location", "")).query))
    if "code" not in query:
        raise CommandError(f"The consent page answered {answer.status_code} and no code.")
    return query
