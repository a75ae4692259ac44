"""Goods of a commercetools project reach Ometria with a listing for each market; a project is TikTok Shop's master catalogue."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from integrations.standins.commercetools import CommercetoolsStandIn
from integrations.standins.ometria import OmetriaStandIn
from integrations.standins.server import StandInServer
from tests.platforms.commercetools.shelf import COLOURS, Shelf, account_at, five_prices, money
from tests.quiet import pull_through, run_until_quiet
from tests.route_a import RouteA

pytestmark = [pytest.mark.journey]

NAMES = {"en-GB": "Linen shirt", "de": "Leinenhemd", "fr": "Chemise en lin", "es": "Camisa de lino"}


@dataclass(slots=True)
class Goods:
    """commercetools → Ometria for goods, and what happens on the shelf."""

    shelf: Shelf
    ometria: OmetriaStandIn
    source: Any

    def poll(self, reader: str) -> None:
        """One run of a standing poll, as if its time had come, up to the project's own time, and all that follows from it."""
        from django.utils import timezone

        from integrations.engine import pull
        from integrations.models import Checkpoint

        self.shelf.stand_in.clock.advance(2)
        pull.ensure_polls(self.source)
        checkpoint = Checkpoint.objects.get(connection=self.source, reader=reader, purpose="poll")
        later = timezone.now() + timedelta(hours=1)  # the project's time passes faster here
        Checkpoint.objects.filter(pk=checkpoint.pk).update(due_at=checkpoint.created_at, window_to=later)
        pull_through(checkpoint.pk)
        run_until_quiet(lambda: True, 60)

    def shown(self, key: str) -> dict[str, Any]:
        """A product as Ometria holds it."""
        return self.ometria.look("/products")[key]


def lay_out(shelf: Shelf, destination: Any) -> Any:
    """The connection to the project and its flows of goods; returns the connection."""
    from integrations.engine.accounts import set_credential
    from integrations.flows import specs_between
    from integrations.models import Connection, Flow
    from mapping.defaults import load_defaults

    held = shelf.account
    source = Connection.objects.create(
        platform="commercetools", name="Demo project", external_id=held.external_id, base_url=held.base_url, settings=dict(held.settings)
    )
    for kind, secret in held.secrets.items():
        set_credential(source, kind, secret)
    for spec in specs_between("commercetools", "ometria"):
        if spec.record_type in ("product", "variant"):
            flow = Flow.objects.create(source=source, destination=destination, record_type=spec.record_type, settings={"settle_seconds": 0})
            load_defaults(flow)
    return source


@pytest.fixture
def goods(transactional_db: None) -> Iterator[Goods]:
    from integrations.engine import accounts
    from integrations.engine.accounts import set_credential
    from integrations.models import Connection

    accounts._clients.clear()
    commercetools = CommercetoolsStandIn()
    ometria = OmetriaStandIn({"demo": "demo-ometria-key"}, push_rate=None, read_rate=None, delay=0.0)
    with StandInServer([commercetools, ometria]) as server:
        destination = Connection.objects.create(
            platform="ometria", name="Demo account", external_id="demo", base_url=server.url("ometria"),
            settings={"push_rate": 0, "read_rate": 0, "reporting_currency": "GBP", "confirm_grace_seconds": 2},
        )  # fmt: skip
        set_credential(destination, "api_key", "demo-ometria-key")
        shelf = Shelf(commercetools, account_at(server.url("commercetools")))
        yield Goods(shelf, ometria, lay_out(shelf, destination))
        commercetools.close()
        ometria.close()
    accounts._clients.clear()


def shirt(number: int) -> dict[str, Any]:
    """One of a hundred variants: two colours, fifty sizes, a price in each of the five markets."""
    colour = ("black", "red")[number % 2]
    return {
        "sku": f"SHIRT-{number:03}", "prices": five_prices(2500 + number), "images": [],
        "attributes": [
            {"name": "color", "value": {"key": colour, "label": COLOURS[colour]}},
            {"name": "colors", "value": [{"key": key, "label": COLOURS[key]} for key in ("red", "black")]},
            {"name": "size", "value": f"{number // 2:02}"},
        ],
    }  # fmt: skip


def test_a_hundred_variants_in_four_languages_and_five_markets_arrive_with_the_right_listing_for_each_store(goods: Goods) -> None:
    women = goods.shelf.category("women", {"en-GB": "Women", "de": "Damen"})
    made = goods.shelf.product(
        *(shirt(number) for number in range(100)), name=NAMES, slug={"en-GB": "linen-shirt", "de": "leinenhemd", "fr": "chemise-en-lin"},
        categories=[{"typeId": "category", "id": women["id"]}],
    )  # fmt: skip
    goods.poll("products")

    held = goods.ometria.look("/products")
    assert len(held) == 101
    shown = held[made["id"]]
    assert [(row["store"], row["title"], row["price"], row["currency"], row["url"]) for row in shown["listings"]] == [
        ("uk", "Linen shirt", 25.0, "GBP", "https://shop.example.com/en/p/linen-shirt"),
        ("de", "Leinenhemd", 25.01, "EUR", "https://shop.example.com/de/p/leinenhemd"),
        ("fr", "Chemise en lin", 25.02, "EUR", "https://shop.example.com/fr/p/chemise-en-lin"),
        ("es", "Camisa de lino", 25.03, "EUR", "https://shop.example.com/es/p/linen-shirt"),
        ("us", "Linen shirt", 25.04, "USD", "https://shop.example.com/en/p/linen-shirt"),
    ]
    facets = {(entry["type"], entry["id"], entry["label"]) for entry in shown["attributes"] if entry["type"] != "size"}
    assert facets == {
        ("category", "women", "Women"), ("product_type", "shirts", "Shirts"), ("color", "black", "Black"), ("color", "red", "Red"),
        ("colors", "black", "Black"), ("colors", "red", "Red"),
    }  # fmt: skip
    child = held["SHIRT-099"]
    wanted = {"parent_id": made["id"], "is_variant": True, "title": "Linen shirt 49", "price": 25.99, "currency": "GBP", "is_active": True}
    assert {name: child[name] for name in wanted} == wanted


def test_what_a_market_pays_what_it_is_called_and_whether_it_is_sold_follow(goods: Goods) -> None:
    from integrations.models import Delivery

    made = goods.shelf.product({"sku": "TEE", "prices": five_prices(1000)}, {"sku": "TEE-2", "prices": five_prices(2000)})
    draft = goods.shelf.product({"sku": "DRAFT", "prices": five_prices(1000)}, publish=False)
    goods.poll("products")
    first = made["masterData"]["current"]["masterVariant"]["prices"][0]["id"]
    goods.shelf.change(
        f"/products/{made['id']}",
        {"action": "changePrice", "priceId": first, "price": {"value": money(800), "country": "GB"}, "staged": False},
        {"action": "removeVariant", "id": 2, "staged": False},
    )
    goods.poll("products")
    assert [(row["store"], row["price"]) for row in goods.shown(made["id"])["listings"]][:2] == [("uk", 8.0), ("de", 10.01)]
    assert (goods.shown("TEE")["price"], goods.shown("TEE-2")["is_active"]) == (8.0, False)

    goods.shelf.change(f"/products/{made['id']}", {"action": "unpublish"})
    goods.poll("products")
    assert [goods.shown(key)["is_active"] for key in (made["id"], "TEE")] == [False, False]
    assert goods.shown(made["id"])["title"] == "Basic tee"
    skipped = Delivery.objects.get(record_key=draft["id"])
    assert (draft["id"] in goods.ometria.look("/products"), skipped.state) == (False, "skipped")
    assert skipped.last_message.startswith("Not for sale at the source")


def test_a_project_can_be_the_master_catalogue_of_tiktok_shop(route_a: RouteA) -> None:
    from integrations.engine.exceptions import release_answered
    from integrations.models import SyncException

    commercetools = CommercetoolsStandIn()
    with StandInServer([commercetools]) as server:
        shelf = Shelf(commercetools, account_at(server.url("commercetools")))
        source = lay_out(shelf, route_a.destination)
        route_a.goods("TEE", known=False)
        assert route_a.subscribe()
        flow = route_a.flow("order")
        flow.settings = {**flow.settings, "catalogue_connection": source.pk}
        flow.save()
        order = route_a.order("TEE")
        route_a.run()
        assert (SyncException.objects.get(state="open").subject, route_a.stored(order)) == ("TEE", None)

        made = shelf.product({"sku": "TEE", "prices": five_prices(2000)})
        Goods(shelf, route_a.ometria, source).poll("products")
        assert release_answered() == 1
        route_a.run()
        (line,) = route_a.stored(order)["lineitems"]
        assert (line["product_id"], line["variant_id"], line["sku"]) == (made["id"], "TEE", "TEE")
        commercetools.close()
