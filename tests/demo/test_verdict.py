"""The verdict agrees when both ends agree, and names what differs when they do not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from integrations.engine.watch import check_subscriptions
from integrations.management.demo.verdict import Verdict, reach, table
from integrations.models import Delivery, InboxEvent
from integrations.standins.wire import Request
from tests.demo.conftest import SmallDemo

pytestmark = pytest.mark.journey


@dataclass(frozen=True)
class Lie:
    """Something that goes wrong behind the product's back, and the words the verdict must find for it."""

    name: str
    tell: Callable[[SmallDemo], None]
    found: str


def _push(demo: SmallDemo, record: dict[str, Any]) -> None:
    import orjson

    answer = demo.stage.ometria.handle(
        Request("POST", "/v2/push", {}, {"x-ometria-auth": "demo-ometria-key", "content-type": "application/json"}, orjson.dumps([record]))
    )
    assert answer.status == 202, answer.body


def _changed_order(demo: SmallDemo, **changes: Any) -> None:
    chosen = next(order for order in demo.stage.shop.orders.live.values() if order.financial_status == "PAID" and not order.cancelled_at)
    delivery = Delivery.objects.get(flow=demo.cast.flows["order"], record_key=str(chosen.id))
    _push(demo, {**delivery.sent_payload, **changes})


def _again(demo: SmallDemo) -> None:
    delivery = Delivery.objects.filter(flow=demo.cast.flows["product"]).order_by("pk").first()
    _push(demo, delivery.sent_payload)


def _forgotten_webhook(demo: SmallDemo) -> None:
    assert InboxEvent.objects.exists()
    InboxEvent.objects.order_by("pk").first().delete()


def _other_consent(demo: SmallDemo) -> None:
    granted = [customer for customer in demo.stage.shop.customers.live.values() if customer.email_consent.state == "SUBSCRIBED"]
    delivery = Delivery.objects.get(flow=demo.cast.flows["customer"], record_key=str(granted[0].id))
    _push(demo, {**delivery.sent_payload, "marketing_optin": "EXPLICITLY_OPTEDOUT"})


def _stranger(demo: SmallDemo) -> None:
    _push(demo, {"@type": "product", "id": "nobody", "title": "Nobody sent this", "price": 1, "is_variant": False})


def _never_came(demo: SmallDemo) -> None:
    demo.stage.shop.hooks.switches.set(webhooks_off=True)
    demo.stage.shopify.act("create_order", lines=[{"variant_id": next(iter(demo.stage.shop.variants.live)), "quantity": 1}])


LIES = (
    Lie("another total", lambda demo: _changed_order(demo, grand_total=1.23), "at the shop, 1.23"),
    Lie("not valid", lambda demo: _changed_order(demo, is_valid=False), "valid=False there"),
    Lie("applied twice", _again, "applied twice with the same content: product"),
    Lie("another consent", _other_consent, "SUBSCRIBED at the shop, EXPLICITLY_OPTEDOUT there"),
    Lie("a stranger", _stranger, "product there but never sent: nobody"),
    Lie("a lost webhook", _forgotten_webhook, "webhook acknowledged but not stored"),
    Lie("an order that never came", _never_came, "order of the shop that never came in"),
    Lie(
        "a record on its way",
        lambda demo: Delivery.objects.filter(flow=demo.cast.flows["order"]).update(state="ready"),
        "still on their way",
    ),
    Lie("an unknown field", lambda demo: _changed_order(demo, colour="blue"), "unknown field"),
)


def test_both_ends_agree_until_something_goes_wrong_behind_our_back(small_demo: SmallDemo) -> None:
    small_demo.backfill()
    check_subscriptions(small_demo.cast.shop)
    small_demo.stage.shopify.live(5)
    small_demo.settle()

    verdict = reach(small_demo.stage, small_demo.cast)

    assert verdict.faults == []
    kinds = [f"Demo shop: {kind}" for kind in ("customer", "order", "checkout", "product", "variant")]
    assert [row.flow for row in verdict.rows] == [*kinds, "Own site: event", "Own site: checkout"]
    assert all(row.delivered for row in verdict.rows if not row.flow.endswith("checkout") and row.flow in kinds)
    assert "NO" not in table(verdict)
    for lie in LIES:
        assert not _found(lie, reach(small_demo.stage, small_demo.cast)), lie.name
        lie.tell(small_demo)
        verdict = reach(small_demo.stage, small_demo.cast)
        assert _found(lie, verdict), (lie.name, verdict.faults)
        assert not verdict.agrees


def _found(lie: Lie, verdict: Verdict) -> bool:
    return any(lie.found in fault for fault in verdict.faults)


def test_the_table_shows_reasons_and_shortens_long_lists() -> None:
    from collections import Counter

    from integrations.management.demo.verdict import Check, Row

    row = Row("order", 12, 12, 10, Counter({"unknown sku": 2}), 0, 0, 0, 9, tuple(f"order {n} is not there" for n in range(10)))

    text = table(Verdict((row,), (Check("nothing applied twice", ()),)))

    assert "order │            12 │         12 │        10 │ 2 unknown sku" in text
    assert "✓ nothing applied twice" in text
    assert text.count("  ! order") == 8
    assert text.endswith("! and 2 more")
