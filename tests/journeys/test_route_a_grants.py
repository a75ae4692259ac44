"""One seller's consent: several shops, one pair of tokens, renewed once; what happens when it ends, is withdrawn or given again."""

from __future__ import annotations

from datetime import timedelta
from threading import Thread
from urllib.parse import parse_qs, urlsplit

import pytest
from django.conf import settings
from django.db import connections
from django.test import Client
from django.utils import timezone

from integrations.engine import accounts, shared
from integrations.models import Connection, Credential, Delivery, EngagementFigure, InboxEvent, OAuthState, SyncException
from integrations.platforms.base import Lane
from integrations.standins.tiktok_shop.specs import DEMO_SELLER
from tests.route_a import RouteA
from tests.rows import make_person

pytestmark = [pytest.mark.journey]


def an_hour_later() -> None:
    """The last renewal is an hour ago: a dead token is not a matter of the renewal itself."""
    Credential.objects.update(refreshed_at=timezone.now() - timedelta(hours=1))


def tokens() -> dict[str, str]:
    return {row.kind: row.secret for row in Credential.objects.filter(kind__in=["access_token", "refresh_token"])}


def due_again() -> None:
    InboxEvent.objects.filter(state="new").update(due_at=timezone.now())
    Delivery.objects.filter(state="ready").update(due_at=timezone.now())


def test_a_seller_s_consent_connects_every_shop_of_theirs(route_a: RouteA) -> None:
    """By the console's own pages: the link, the consent page, the way back with a state that works once and for one person."""
    route_a.tiktok.reset()
    Credential.objects.filter(kind__in=["access_token", "refresh_token"]).delete()
    Connection.objects.filter(pk=route_a.source.pk).update(external_id="to be found", state="needs_auth")
    route_a.tiktok.change_app(redirect_uri=f"{settings.PUBLIC_URL}/oauth/tiktok_shop/callback/")
    staff, other = Client(), Client()
    staff.force_login(make_person("administrator"))
    other.force_login(make_person("administrator", username="other"))
    assert (
        f"/oauth/tiktok_shop/start/{route_a.source.pk}/"
        in staff.get(f"/admin/integrations/connection/{route_a.source.pk}/change/").content.decode()
    )

    link = staff.post(f"/oauth/tiktok_shop/start/{route_a.source.pk}/")["Location"]
    agreed = route_a.http.post(link, data={"agree": "yes", "seller": DEMO_SELLER.open_id}, allow_redirects=False, timeout=10)
    back = urlsplit(agreed.headers["Location"])
    assert parse_qs(back.query)["state"] == parse_qs(urlsplit(link).query)["state"]
    other.get(f"{back.path}?{back.query}")
    assert not Credential.objects.filter(kind="access_token").exists()
    staff.get(f"{back.path}?{back.query}")
    assert set(tokens()) == {"access_token", "refresh_token"}
    assert not OAuthState.objects.exists()
    shops = Connection.objects.filter(platform="tiktok_shop").order_by("external_id")
    assert [(shop.external_id, shop.state, shop.keeper.pk) for shop in shops] == [
        (spec.id, "active", route_a.source.pk) for spec in DEMO_SELLER.shops
    ]
    assert len({shop.settings["shop_cipher"] for shop in shops}) == 4
    stored = tokens()
    staff.get(f"{back.path}?{back.query}")
    assert tokens() == stored
    assert all(accounts.probe_connection(shop).ok for shop in shops)


def test_shops_of_one_grant_that_find_its_token_ending_renew_it_once(route_a: RouteA) -> None:
    shops = [route_a.source, *shared.open_accounts(route_a.source)]
    before = tokens()
    Credential.objects.filter(kind="access_token").update(expires_at=timezone.now() + timedelta(minutes=1))
    answers: list[bool] = []

    def renew(shop: Connection) -> None:
        try:
            answers.append(accounts.refresh_if_due(Connection.objects.get(pk=shop.pk)))
        finally:
            connections.close_all()

    workers = [Thread(target=renew, args=(shop,)) for shop in shops for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    after = tokens()
    assert (route_a.refreshes(), sorted(answers)) == (1, [False] * 7 + [True])
    assert all(after[kind] != before[kind] for kind in ("access_token", "refresh_token"))
    assert all(accounts.probe_connection(shop).ok for shop in shops)


def test_a_refused_renewal_asks_once_and_everything_waits_until_the_seller_agrees_again(route_a: RouteA) -> None:
    route_a.goods("TEE")
    assert route_a.subscribe()
    an_hour_later()
    route_a.tiktok.tokens.expire(seller=DEMO_SELLER, refresh=True)
    order = route_a.order("TEE")
    assert route_a.tiktok.wait_sent(10, retries=False)
    from integrations.engine import pumps

    for _ in range(3):
        pumps.pump_connection(route_a.source.pk, 2)
        due_again()
    stopped, question = Connection.objects.get(pk=route_a.source.pk), SyncException.objects.get()
    assert (stopped.state, question.kind, question.state) == ("needs_auth", "needs_auth", "open")
    assert "let the seller authorise the app again" in question.detail
    assert DEMO_SELLER.refresh_token not in question.detail
    assert (InboxEvent.objects.get().state, route_a.stored(order)) == ("new", None)
    assert len(route_a.tiktok.ledger.effects("refresh_refused")) == 1

    code = route_a.tiktok.consent(DEMO_SELLER)["code"]
    platform = accounts.platform_of(stopped)
    granted = platform.auth.exchange(accounts.account_for(stopped), {"code": code, "state": "s"}, state="s", redirect_uri="")
    accounts.store_tokens(stopped, granted)
    accounts.reconnected(stopped)
    due_again()
    route_a.run()
    question.refresh_from_db()
    assert (question.state, route_a.stored(order)["status"]) == ("resolved", "paid")


def test_deliveries_wait_while_ometria_refuses_its_key_and_go_when_it_is_put_right(route_a: RouteA) -> None:
    route_a.goods("TEE")
    assert route_a.subscribe()
    accounts.set_credential(route_a.destination, "api_key", "demo-wrong-key")
    order = route_a.order("TEE")
    assert route_a.tiktok.wait_sent(10, retries=False)
    from integrations.engine import pumps

    pumps.pump_connection(route_a.source.pk, 5)
    states = set(Delivery.objects.filter(flow__source=route_a.source).values_list("state", flat=True))
    assert (states, Connection.objects.get(pk=route_a.destination.pk).state) == ({"ready"}, "needs_auth")
    accounts.set_credential(route_a.destination, "api_key", "demo-ometria-key")
    accounts.reconnected(Connection.objects.get(pk=route_a.destination.pk))
    due_again()
    route_a.run()
    assert route_a.stored(order)["status"] == "paid"


def test_a_seller_who_withdraws_stops_the_shop_with_one_question(route_a: RouteA) -> None:
    assert route_a.subscribe()
    route_a.tiktok.deauthorise(DEMO_SELLER)
    assert route_a.tiktok.wait_sent(10, retries=False)
    from integrations.engine import pumps

    pumps.pump_connection(route_a.source.pk, 5)
    question = SyncException.objects.get()
    assert (question.kind, question.state, Connection.objects.get(pk=route_a.source.pk).state) == ("needs_auth", "open", "needs_auth")
    assert "The seller ended the authorisation" in question.detail


def test_an_authorisation_about_to_end_is_a_question_that_a_new_consent_answers(route_a: RouteA) -> None:
    assert route_a.subscribe()
    for _ in range(2):
        route_a.tiktok.warn_expiry(DEMO_SELLER)
    route_a.run()
    question = SyncException.objects.get()
    assert (question.kind, question.state, Connection.objects.get(pk=route_a.source.pk).state) == ("grant_ends", "open", "active")
    assert "let the seller authorise the app again before" in question.detail
    accounts.reconnected(route_a.source)
    question.refresh_from_db()
    assert question.state == "resolved"


def test_figures_are_read_behind_every_order_and_sent_nowhere(route_a: RouteA) -> None:
    route_a.goods("TEE")
    assert route_a.subscribe()
    Connection.objects.filter(pk=route_a.source.pk).update(settings={**route_a.source.settings, "read_rate": 4})
    figures = Thread(target=_read_figures, args=(route_a,))
    figures.start()
    order = route_a.order("TEE")
    route_a.run()
    stored = route_a.stored(order)
    figures.join(60)
    assert stored["status"] == "paid"
    assert {lane for connection, lane in accounts._clients if connection == route_a.source.pk} >= {Lane.BULK, Lane.REALTIME}
    assert (EngagementFigure.objects.count() > 0, route_a.state("events")) == (True, {})
    assert not SyncException.objects.exists()


def _read_figures(route: RouteA) -> None:
    try:
        route.poll("analytics", 20.0)
    finally:
        connections.close_all()
