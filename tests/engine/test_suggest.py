"""Unknown SKUs on rows: what waits, what each may be, the answer, the way back, and answers nobody gave."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection as database
from django.utils import timezone

from integrations.engine import automatic, shelf, waiting
from integrations.engine.backlog import store_facts
from integrations.engine.catalogue import known_skus
from integrations.engine.exceptions import Question, raise_questions
from integrations.engine.sku_answers import CannotAnswer, Preview, answer_many, answer_sku, ignore_sku, preview_answer
from integrations.engine.sku_undo import undo_answer
from integrations.engine.suggest import search_catalogue, suggestions_for
from integrations.engine.waiting import WaitingSku, waiting_lines, waiting_shown
from integrations.models import Connection, Delivery, Flow, Hold, SkuAnswer, SkuBacklog, SyncException
from mapping import codec
from mapping.crosswalk import KnownSkus
from mapping.gate import name_of
from mapping.models import SkuComponent, SkuCrosswalk
from mapping.records import Line, LineComponent, Order, Price, Totals, Variant
from tests.factories import BEGAN, LineFactory, OrderFactory, at
from tests.rows import make_connections, make_delivery, make_flow, make_person

pytestmark = [pytest.mark.django_db]


@pytest.fixture(autouse=True)
def empty_shelf() -> None:
    shelf.forget_catalogues()


@pytest.fixture
def market() -> Flow:
    """Orders of a market place; its goods are in a shop that sends its products to the same account."""
    shop, ometria = make_connections()
    place = Connection.objects.create(platform="shopify", name="Market place", external_id="market", base_url="http://127.0.0.1:9")
    Flow.objects.create(source=shop, destination=ometria, record_type="variant")
    return Flow.objects.create(source=place, destination=ometria, record_type="order")


def variant(sku: str, product: str = "Linen T-shirt", *options: str, price: str = "20.00", **more: Any) -> Variant:
    named = {f"option{number}": value for number, value in enumerate(options)}
    prices = (Price(market="", currency="GBP", regular=Decimal(price)),)
    facts = {"key": f"V-{sku}", "occurred_at": BEGAN, "product_key": f"P-{product}", "title": " / ".join(options), "product_title": product}
    return Variant(sku=sku, options=named, prices=prices, **{**facts, **more})


def stock(*variants: Variant) -> None:
    flow = Flow.objects.get(record_type="variant")
    for record in variants:
        Delivery.objects.filter(flow=flow, record_key=record.key).delete()
        make_delivery(flow, record.key, record=stored(record), state="delivered")


def stored(record: Any) -> dict[str, Any]:
    return codec.orjson.loads(codec.dumps(record))


def order(key: str, *lines: Line, currency: str = "GBP", net: str = "10.00", second: float = 0) -> Order:
    return OrderFactory(key=key, lines=lines, currency=currency, totals=Totals(total=Decimal(net), net=Decimal(net)), second=second)


def hold(flow: Flow, record: Order, *names: str, **values: Any) -> Delivery:
    row = make_delivery(flow, record.key, record=stored(record), occurred_at=record.occurred_at, state="blocked", **values)
    raise_questions(flow, [(row.pk, [Question("unmapped_sku", name, f"Unknown SKU {name}") for name in names])])
    return row


def asked(name: str) -> SyncException:
    return SyncException.objects.select_related("flow").get(subject=name, state="open")


def line(sku: str, price: str = "10.00", quantity: int = 1, **more: Any) -> Line:
    total = Decimal(price) * quantity
    return LineFactory(sku=sku, quantity=quantity, unit_price=Decimal(price), subtotal=total, total=total, **more)


def states(*rows: Delivery) -> list[str]:
    found = dict(Delivery.objects.values_list("pk", "state"))
    return [found[row.pk] for row in rows]


# --- what waits -------------------------------------------------------------------------------------------------------------


def test_what_waits_is_read_from_the_held_orders_in_one_query(market, django_assert_num_queries):
    tee = {"title": "Tee", "variant_title": "Red, M", "product_key": "T1", "variant_key": "S1", "options": {"Size": "M"}}
    hold(market, order("1", line("X-1", "20.00", 2, **tee), line("X-2", "5.00"), net="45.00"), "X-1", "X-2")
    two = line("X-1", "18.00", 1, key="a", title="Old"), line("X-1", "19.00", 3, key="b")
    hold(market, order("2", *two, net="75.00", second=-60), "X-1")
    hold(market, order("3", line("X-1", "23.00"), currency="EUR", net="23.00", second=-90), "X-1")
    exception, other = asked("X-1"), asked("X-2")
    with django_assert_num_queries(1):
        found = waiting_lines([exception.pk, other.pk])
    assert found[exception.pk] == WaitingSku(
        exception_id=exception.pk, sku="X-1", flow_id=market.pk, source_id=market.source_id, source="Market place",
        destination="Example Ometria", title="Tee", variant_title="Red, M", options={"Size": "M"}, product_key="T1", variant_key="S1",
        prices={"EUR": (Decimal("23.00"), Decimal("23.00")), "GBP": (Decimal("18.00"), Decimal("20.00"))}, paid={"GBP": Decimal("20.00")},
        units=7, orders=3, value={"EUR": Decimal("23.00"), "GBP": Decimal("120.00")}, first_seen=exception.first_seen,
        last_seen=exception.last_seen,
    )  # fmt: skip
    assert (found[other.pk].orders, found[other.pk].units, found[other.pk].value) == (1, 1, {"GBP": Decimal("45.00")})


def test_a_page_reads_the_newest_orders_and_takes_the_sums_of_many_from_what_was_last_looked_up(market, monkeypatch):
    monkeypatch.setattr(waiting, "NEWEST", 2)
    for number in range(4):
        hold(market, order(str(number), line("X-1", "10.00", 1, title=f"Title {number}"), net="10.00", second=number), "X-1")
    hold(market, order("9", line("X-2")), "X-2")
    ids = [asked("X-1").pk, asked("X-2").pk]
    exact = waiting_lines(ids)
    store_facts(ids)
    assert waiting_shown(ids) == exact
    assert (waiting_lines(ids, newest=2)[ids[0]].orders, exact[ids[0]].orders) == (2, 4)


def test_a_component_of_a_bundle_is_shown_as_such(market):
    parts = (LineComponent(sku="SOAP", product_key="T9", variant_key="S9", quantity=2, price=Decimal("4.00")), LineComponent(sku="DISH"))
    hold(market, order("1", line("SET", "12.00", 3, title="Gift set", components=parts)), "SOAP")
    found = waiting_lines([asked("SOAP").pk])[asked("SOAP").pk]
    assert (found.component_of, found.title, found.product_key, found.units) == ("SET", "Gift set", "T9", 6)
    assert (found.prices, found.components) == ({"GBP": (Decimal("4.00"), Decimal("4.00"))}, ())


NAMELESS = ({"title": "Gift wrap", "variant_title": "Red"}, {"title": "Gift wrap", "variant_title": "Default Title"},
            {"title": "", "variant_key": "V7"}, {"title": "Ä" * 300})  # fmt: skip


@pytest.mark.parametrize("nameless", [Line(key="1", **words) for words in NAMELESS])
def test_a_line_without_sku_has_the_same_name_in_the_database(market, nameless):
    name = name_of(nameless)
    hold(market, order("1", nameless), name)
    assert waiting_lines([asked(name).pk])[asked(name).pk].units == 1


def test_questions_for_which_nothing_waits_are_left_out(market):
    row = hold(market, order("1", line("X-1")), "X-1")
    Hold.objects.filter(delivery=row).delete()
    assert waiting_lines([asked("X-1").pk]) == {}
    assert waiting_lines([]) == {}


# --- the catalogue ----------------------------------------------------------------------------------------------------------


def test_the_catalogue_is_the_shops_that_feeds_the_same_destination_or_the_one_that_the_flow_names(market):
    stock(variant("A-1"))
    expected = KnownSkus({"A-1": ("P-Linen T-shirt", "V-A-1")}, {"A-1": Decimal("20.00")}, foreign=True)
    assert known_skus(market, {"A-1", "A-2"}) == expected
    own = Flow.objects.create(source=market.source, destination=market.destination, record_type="variant")
    assert known_skus(market, {"A-1"}) == KnownSkus()
    market.settings = {"catalogue_connection": Flow.objects.filter(record_type="variant").exclude(pk=own.pk).get().source_id}
    assert known_skus(market, {"A-1"}) == expected
    make_delivery(own, "mine", record=stored(variant("A-1", key="mine", product_key="own")))
    market.settings = {}
    assert known_skus(market, {"A-1"}) == KnownSkus({"A-1": ("own", "mine")}, {"A-1": Decimal("20.00")}, foreign=False)


COPIES = """
INSERT INTO integrations_delivery (flow_id, record_key, record, occurred_at, version, lane, state, due_at, ready_since, attempts,
  parent_key, destination_key, sent_hash, last_code, last_message, issues, manual, cause)
SELECT flow_id, 'V-' || n, record || jsonb_build_object('sku', 'SKU-' || n), now(), 1, 0, 'delivered', now(), now(), 0, '', '', '', '', '',
  '[]', false, '' FROM integrations_delivery CROSS JOIN generate_series(1, 49999) n
"""


def test_known_skus_is_one_look_into_the_index_at_fifty_thousand_variants(market, django_assert_num_queries):
    stock(variant("SKU-0"))
    with database.cursor() as cursor:
        cursor.execute(COPIES)
        cursor.execute("ANALYZE integrations_delivery")
    wanted = {f"SKU-{n * 97}" for n in range(200)}
    with django_assert_num_queries(1) as captured:
        assert set(known_skus(market, wanted).places) == wanted
    with database.cursor() as cursor:
        cursor.execute(f"EXPLAIN {captured[0]['sql']}")
        plan = "\n".join(text for (text,) in cursor.fetchall())
    assert "delivery_sku" in plan
    assert "Seq Scan on integrations_delivery" not in plan


def test_the_shelf_reads_changes_only_and_forgets_what_was_removed(market, monkeypatch, django_assert_max_num_queries):
    stock(variant("TEE-RED-M"), variant("MUG", "Mug"))
    assert [found.sku for found in search_catalogue(market, "tee")] == ["TEE-RED-M"]
    with django_assert_max_num_queries(1):
        search_catalogue(market, "tee")
    monkeypatch.setattr(shelf, "LOOK_EVERY", 0.0)
    stock(variant("TEE-RED-M", "Cotton shirt"), variant("MUG", "Mug", removed=True), variant("NEW", "Tee rack"))
    assert [found.label for found in search_catalogue(market, "tee")] == ["Cotton shirt", "Tee rack"]
    assert search_catalogue(market, "mug") == []


def test_of_two_variants_with_one_sku_the_active_one_counts(market):
    stock(variant("A-1", key="V-1", product_title="Gone", active=False), variant("A-1", key="V-2", product_title="Here"))
    stock(variant("A-1", key="V-3", product_title="Gone too", active=False))
    assert known_skus(market, {"A-1"}).places == {"A-1": ("P-Linen T-shirt", "V-2")}
    assert [(found.label, found.active) for found in search_catalogue(market, "a-1")] == [("Here", True)]


# --- suggestions ------------------------------------------------------------------------------------------------------------


def test_suggestions_speak_of_the_line_as_the_orders_show_it(market):
    stock(variant("TEE-RED-M", "Linen T-shirt", "Red", "M"), variant("TEE-RED-L", "Linen T-shirt", "Red", "L"))
    hold(market, order("1", line("Q-77", "20.00", title="T-shirt, linen", variant_title="Red, M", product_key="T1")), "Q-77")
    found = suggestions_for(asked("Q-77"))
    assert [suggestion.components[0][0] for suggestion in found] == ["TEE-RED-M", "TEE-RED-L"]
    assert found[0].reasons == ("the same title, and the same options (Red, M)", "the price is the same (20.00 GBP)")


def test_an_answer_helps_the_siblings_of_its_product(market):
    stock(variant("TEE-RED-M", "Linen T-shirt", "Red", "M"), variant("TEE-BLU-M", "Linen T-shirt", "Blue", "M"))
    for number, (sku, colour) in enumerate([("Q-1", "Red"), ("R-2", "Blue")]):
        hold(market, order(str(number), line(sku, title="Shirt X", variant_title=f"{colour}, M", product_key="T1")), sku)
    answer_sku(asked("Q-1"), [("TEE-RED-M", 1, None)], None)
    first = suggestions_for(asked("R-2"))[0]
    assert (first.components, first.score) == ((("TEE-BLU-M", 1, None),), 80)
    assert first.reasons[0] == "another variant of the product that Q-1 was mapped to"


def test_a_question_that_nothing_waits_for_any_more_still_has_suggestions(market):
    stock(variant("TEE-RED-M"))
    row = hold(market, order("1", line("tee.red.m")), "tee.red.m")
    Hold.objects.filter(delivery=row).delete()
    assert suggestions_for(asked("tee.red.m"))[0].components == (("TEE-RED-M", 1, None),)


# --- answers ----------------------------------------------------------------------------------------------------------------


def test_an_answer_writes_the_row_and_releases_every_flow_of_the_pair(market):
    other = Flow.objects.create(source=market.source, destination=market.destination, record_type="checkout")
    elsewhere = make_flow()
    rows = [hold(flow, order("1", line("X-1")), "X-1") for flow in (market, other, elsewhere)]
    both = hold(market, order("2", line("X-1", quantity=2), line("X-2"), net="30.00"), "X-1", "X-2")
    person, exception = make_person("ecommerce"), SyncException.objects.get(flow=market, subject="X-1")
    assert preview_answer(exception) == Preview(orders=3, units=4, value={"GBP": Decimal("50.00")}, still_waiting=1)

    answer = answer_sku(exception, [(" SOAP ", 2, Decimal("0.7")), ("DISH", 1, Decimal("0.3"))], person, note="A set")

    assert states(*rows, both) == ["ready", "ready", "blocked", "blocked"]
    assert (answer.released, answer.words, answer.by, answer.automatic) == (2, "2 × SOAP + 1 × DISH", person, False)
    parts = SkuComponent.objects.order_by("id").values_list("crosswalk__source_sku", "target_sku", "quantity", "share")
    assert list(parts) == [("X-1", "SOAP", 2, Decimal("0.7000")), ("X-1", "DISH", 1, Decimal("0.3000"))]
    assert [(row.history_user, row.history_type) for row in SkuCrosswalk.history.all()] == [(person, "+")]
    assert {row.history_user for row in SkuComponent.history.all()} == {person}
    exception.refresh_from_db()
    assert (exception.state, exception.resolved_by, exception.note) == ("resolved", person, "X-1: 2 × SOAP + 1 × DISH")


@pytest.mark.parametrize(
    ("components", "words"),
    [
        ([], "Name at least one target SKU."),
        ([(" ", 1, None)], "Name at least one target SKU."),
        ([("A", 0, None)], "The quantity of A must be a whole number from 1 to 9,999."),
        ([("A", 1, Decimal("-1"))], "The share of A must not be below zero."),
        ([("A", 1, None), ("A ", 2, None)], "A is named twice; put its whole quantity into one row."),
        ([(f"S{n}", 1, None) for n in range(21)], "A bundle has at most 20 components."),
    ],
)
def test_an_answer_that_makes_no_sense_is_refused_in_plain_words(market, components, words):
    row = hold(market, order("1", line("X-1")), "X-1")
    with pytest.raises(CannotAnswer, match=words):
        answer_sku(asked("X-1"), components, None)
    assert (states(row), SkuCrosswalk.objects.count(), SkuAnswer.objects.count()) == (["blocked"], 0, 0)


def test_a_question_is_answered_once(market):
    hold(market, order("1", line("X-1")), "X-1")
    exception = asked("X-1")
    answer_sku(exception, [("A", 1, None)], None)
    with pytest.raises(CannotAnswer, match="answered meanwhile"):
        ignore_sku(exception, None)
    assert SkuComponent.objects.get().target_sku == "A"


def test_many_answers_each_have_their_own_result(market):
    stock(variant("TEE-RED-M"), variant("MUG-1", "Mug"))
    for number, sku in enumerate(["tee red m", "mug.1"]):
        hold(market, order(str(number), line(sku)), sku)
    pairs = [(asked(sku), suggestions_for(asked(sku))[0]) for sku in ("tee red m", "mug.1")]
    ignore_sku(asked("mug.1"), None)
    done, refused = answer_many(pairs, make_person("ecommerce"))
    assert (done.sku, done.answer.words, done.answer.released, done.error) == ("tee red m", "1 × TEE-RED-M", 1, "")
    assert (refused.sku, refused.answer, refused.error) == ("mug.1", None, "This question was answered meanwhile.")


# --- the way back -------------------------------------------------------------------------------------------------------------


def test_an_answer_taken_back_leaves_everything_as_it_was(market):
    unsent, also, sent, other = (hold(market, order(str(n), line("X-1" if n < 3 else "Y")), "X-1" if n < 3 else "Y") for n in range(4))
    person, exception = make_person("ecommerce"), asked("X-1")
    answer = answer_sku(exception, [("A", 1, None)], person)
    Delivery.objects.filter(pk=sent.pk).update(state="delivered", sent_hash="h", updated_at=timezone.now())

    assert undo_answer(answer, person) == 3

    assert states(unsent, also, sent, other) == ["blocked", "blocked", "ready", "blocked"]
    assert (SkuCrosswalk.objects.count(), SkuComponent.objects.count()) == (0, 0)
    assert list(asked("X-1").holds.order_by("delivery__record_key").values_list("delivery", flat=True)) == [unsent.pk, also.pk]
    assert asked("X-1") == exception
    answer.refresh_from_db()
    assert (answer.undone_by, answer.undone_at is not None) == (person, True)
    with pytest.raises(CannotAnswer, match="taken back already"):
        undo_answer(answer, person)


def test_a_row_that_stood_before_stands_again_and_what_went_by_the_answer_is_sent_anew(market):
    row = SkuCrosswalk.objects.create(source=market.source, destination=market.destination, source_sku="X-1", action="ignore", note="old")
    released = hold(market, order("1", line("X-1")), "X-1")
    answer = answer_sku(asked("X-1"), [("A", 2, None)], None)
    assert undo_answer(answer, None) == 1
    row.refresh_from_db()
    assert (row.action, row.note, row.components.count(), states(released)) == ("ignore", "old", 0, ["ready"])
    assert not SyncException.objects.filter(state="open").exists()


def test_an_order_in_a_workers_hands_is_looked_at_once_more(market):
    flying = hold(market, order("1", line("X-1")), "X-1")
    answer = answer_sku(asked("X-1"), [("A", 1, None)], None)
    Delivery.objects.filter(pk=flying.pk).update(state="sending", claimed_version=1)
    undo_answer(answer, None)
    flying.refresh_from_db()
    assert (flying.state, flying.version) == ("sending", 2)


def test_an_order_that_came_after_the_answer_is_taken_back_too(market):
    hold(market, order("1", line("X-1")), "X-1")
    answer = answer_sku(asked("X-1"), [("A", 1, None)], None)
    late = make_delivery(market, "late", record=stored(order("late", line("X-1"))), state="delivered", sent_hash="h")
    before = make_delivery(market, "before", record=stored(order("before", line("X-1"))), state="delivered", sent_hash="h")
    Delivery.objects.filter(pk=before.pk).update(updated_at=at(0))
    undo_answer(answer, None)
    assert states(late, before) == ["ready", "delivered"]


def test_only_the_last_answer_can_be_taken_back_and_not_over_a_persons_head(market):
    for number in range(2):
        hold(market, order(str(number), line("X-1")), "X-1")
        answer_sku(asked("X-1"), [(f"A{number}", 1, None)], None)
    last, first = SkuAnswer.objects.all()
    with pytest.raises(CannotAnswer, match="later answer"):
        undo_answer(first, None)
    SkuComponent.objects.update(target_sku="B")
    with pytest.raises(CannotAnswer, match="changed since"):
        undo_answer(last, None)


# --- answers nobody gave --------------------------------------------------------------------------------------------------------


def backlog(score: int, sku: str = "tee.red.m") -> SyncException:
    SkuBacklog.objects.update_or_create(exception=asked(sku), defaults={"score": score})
    return asked(sku)


def test_a_good_suggestion_is_applied_by_itself_only_where_a_manager_wants_it(market):
    stock(variant("TEE-RED-M"))
    row = hold(market, order("1", line("tee.red.m", "20.00")), "tee.red.m")
    backlog(98)
    assert automatic.map_skus() == 0
    for limit, applied in ((99, 0), (98, 1)):
        Flow.objects.filter(pk=market.pk).update(settings={"auto_map_above": limit})
        assert automatic.map_skus() == applied
    answer = SkuAnswer.objects.get()
    assert (answer.automatic, answer.by, answer.words, states(row)) == (True, None, "1 × TEE-RED-M", ["ready"])
    assert answer.note == "Score 98: the same SKU but for case and separators; the price is the same (20.00 GBP)"


def test_what_a_person_took_back_is_not_applied_again(market):
    stock(variant("TEE-RED-M"))
    Flow.objects.filter(pk=market.pk).update(settings={"auto_map_above": 90})
    hold(market, order("1", line("tee.red.m", "20.00")), "tee.red.m")
    backlog(98)
    assert automatic.map_skus() == 1
    undo_answer(SkuAnswer.objects.get(), make_person("manager"))
    backlog(95)
    assert automatic.map_skus() == 0
    assert asked("tee.red.m").state == "open"


def test_two_that_are_nearly_as_good_are_left_to_people(market):
    stock(variant("AB-1", "One"), variant("A-B1", "Two"))
    Flow.objects.filter(pk=market.pk).update(settings={"auto_map_above": 60})
    hold(market, order("1", line("ab.1")), "ab.1")
    backlog(80, "ab.1")
    assert automatic.map_skus() == 0


def test_the_factories_lines_are_what_the_database_reads(market):
    record = order("1", replace(line("X-1"), title="Tee"))
    assert {"sku", "title", "variant_title", "quantity", "unit_price", "components"} <= set(stored(record)["lines"][0])
