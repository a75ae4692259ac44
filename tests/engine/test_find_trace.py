"""The story of one thing: where it is or why not, what happened to it in order, and who did what."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import orjson
import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from integrations.engine.find import Thing
from integrations.engine.find_absent import absences
from integrations.engine.find_asked import recognise
from integrations.engine.find_terms import remember
from integrations.engine.trace import Trace, trace
from integrations.models import Checkpoint, Connection, Delivery, Flow, Hold, SkuAnswer
from mapping import codec
from mapping.models import ContactHandle, MappingVersion, SkuComponent, SkuCrosswalk
from mapping.records import CustomerRef, Record, Variant
from tests.factories import BEGAN, CustomerFactory, OrderFactory
from tests.rows import make_attempt, make_delivery, make_event, make_exception, make_flow, make_person, minutes_ago

pytestmark = pytest.mark.django_db
ORDER = OrderFactory.build(key="5678", number="#1042", skus=("TEE", "NEW"), customer=CustomerRef(key="7001", email="ada@example.com"))


def stored(flow: Flow, record: Record, **values: Any) -> Delivery:
    parent = record.customer.key if hasattr(record, "customer") else ""
    return make_delivery(flow, record.key, record=orjson.loads(codec.dumps(record)), parent_key=parent, **values)


def of_the_order(flow: Flow) -> Trace:
    found = trace(Thing("order", flow.source_id, "5678"))
    assert found is not None
    return found


def in_words(found: Trace) -> list[str]:
    """The timeline oldest first, without what the record itself says."""
    return [f"{entry.where}: {entry.said}" for entry in reversed(found.entries) if "Placed" not in entry.said]


def test_the_timeline_of_an_order_tells_everything_in_order_with_rules_and_people():
    flow = make_flow("order")
    row = stored(flow, ORDER, state="delivered", created_at=minutes_ago(50))
    make_event(flow.source, "wh-1", object_key="5678", state="done", received_at=minutes_ago(51))
    MappingVersion.objects.create(flow=flow, number=1, state="retired", published_at=minutes_ago(90))
    MappingVersion.objects.create(flow=flow, number=2, state="published", published_at=minutes_ago(30))
    make_attempt(row, "held", message="Unknown SKU NEW", at=minutes_ago(49))
    question = make_exception(
        flow, subject="NEW", state="resolved", first_seen=minutes_ago(48), resolved_at=minutes_ago(40), note="NEW: 1 × N-1"
    )
    make_attempt(row, "accepted", at=minutes_ago(39))
    make_attempt(row, "delivered", at=minutes_ago(20), request_id="r-2")
    LogEntry.objects.log_actions(make_person("manager").pk, [row], CHANGE, "Replayed")
    LogEntry.objects.update(action_time=minutes_ago(25))

    found = of_the_order(flow)

    assert in_words(found) == [
        "Example shop: Message received: orders/updated",
        "Example Ometria: Held back from Example Ometria",
        "Switchyard: Question asked: Unknown: NEW",
        "Switchyard: Question settled: Unknown: NEW",
        "Example Ometria: Sent: Example Ometria took it and has not confirmed it yet",
        "Switchyard: Replayed",
        "Example Ometria: Confirmed: Example Ometria holds it",
    ]
    numbers = {entry.said.partition(":")[0]: entry.version[1] for entry in found.entries if entry.version}
    assert numbers == {"Sent": 1, "Confirmed": 2}
    assert {entry.by for entry in found.entries if entry.said == "Replayed"} == {"manager"}
    assert {entry.link for entry in found.entries if "Question" in entry.said} == {("integrations_syncexception_change", question.pk)}


def held(row: Delivery) -> str:
    question = make_exception(row.flow, subject="NEW")
    Hold.objects.create(exception=question, delivery=row)
    return "It waits for an answer: Unknown: NEW."


def off(row: Delivery) -> str:
    Flow.objects.update(enabled=False)
    return "The flow is off, so nothing is sent until somebody turns it on."


def paused(row: Delivery) -> str:
    Connection.objects.filter(platform="ometria").update(state="paused")
    return "Example Ometria is paused by a person; what is ready waits."


def locked_out(row: Delivery) -> str:
    Connection.objects.filter(platform="ometria").update(state="needs_auth")
    return "Example Ometria no longer accepts our credentials; what is ready waits until an administrator connects it again."


def after_its_person(row: Delivery) -> str:
    make_delivery(make_flow("customer"), "7001", state="blocked")
    Delivery.objects.filter(pk=row.pk).update(last_code="waits_for_parent", last_message="Waits for its customer.")
    return "Waits for its customer. That one is held."


def later(row: Delivery) -> str:
    Delivery.objects.filter(pk=row.pk).update(due_at=timezone.now() + timedelta(hours=1), attempts=2, last_message="busy")
    return "The last try failed: busy It goes out by itself."


def nothing(row: Delivery) -> str:
    return "It is next in line and goes out by itself."


@pytest.mark.parametrize(("state", "hinder"), [
    ("blocked", held), ("ready", off), ("ready", paused), ("ready", locked_out), ("ready", after_its_person), ("ready", later),
    ("ready", nothing),
])  # fmt: skip
def test_what_is_not_there_says_why(state: str, hinder: Callable[[Delivery], str]):
    flow = make_flow("order")
    said = hinder(stored(flow, ORDER, state=state))

    (verdict,) = of_the_order(flow).verdicts

    assert (verdict.says, bool(verdict.steps)) == (said, hinder is not nothing)


@pytest.mark.parametrize(
    ("state", "message", "said"),
    [
        ("delivered", "", "Example Ometria holds it as it was last sent."),
        ("accepted", "", "Example Ometria took it and is asked whether it is good."),
        ("sending", "", "A worker is sending it right now."),
        ("skipped", "It is a test order.", "Not sent on purpose: It is a test order."),
    ],
)
def test_each_other_state_is_told_in_words(state: str, message: str, said: str):
    flow = make_flow("order")
    stored(flow, ORDER, state=state, last_message=message)

    assert [verdict.says for verdict in of_the_order(flow).verdicts] == [said]


def test_a_flow_that_never_got_it_is_told_beside_those_that_did():
    flow = make_flow("order")
    stored(flow, ORDER, state="delivered")
    far = Connection.objects.create(platform="ometria", name="Second account", external_id="two", base_url="http://127.0.0.1:9")
    Flow.objects.create(source=flow.source, destination=far, record_type="order", enabled=False)
    Flow.objects.filter(destination=far).update(created_at=timezone.now())

    told = {verdict.flow.destination.name: (verdict.state, verdict.is_there) for verdict in of_the_order(flow).verdicts}

    assert told == {"Example Ometria": ("Delivered", True), "Second account": ("Flow off", False)}


def test_an_order_leads_to_its_person_and_tells_what_became_of_each_sku():
    flow = make_flow("order")
    stored(flow, ORDER, state="blocked")
    stored(make_flow("customer"), CustomerFactory.build(key="7001"), state="delivered")
    crosswalk = SkuCrosswalk.objects.create(source=flow.source, destination=flow.destination, source_sku="TEE")
    SkuComponent.objects.create(crosswalk=crosswalk, target_sku="T-1", quantity=2)
    question = make_exception(flow, subject="NEW")

    found = of_the_order(flow)

    assert [hit.thing for hit in found.people] == [Thing("person", flow.source_id, "7001")]
    assert [(state.sku, state.says, state.question) for state in found.skus] == [
        ("TEE", "Mapped to 2 × T-1", None), ("NEW", "Nobody has mapped it yet", question.pk),
    ]  # fmt: skip


def test_a_person_s_story_joins_all_sources_that_were_matched_to_one_contact():
    flow, orders = make_flow("customer"), make_flow("order")
    tiktok = Connection.objects.create(platform="tiktok_shop", name="Example TikTok", external_id="tts", base_url="http://127.0.0.1:9")
    second = Flow.objects.create(source=tiktok, destination=flow.destination, record_type="customer")
    stored(flow, CustomerFactory.build(key="7001"), state="delivered")
    stored(second, CustomerFactory.build(key="tts:1:9"), state="blocked")
    stored(orders, ORDER)
    for key in ("7001", "tts:1:9"):
        ContactHandle.objects.create(connection=flow.destination, kind="source id", value=key, contact_key="om-1")

    found = trace(Thing("person", flow.source_id, "7001"))

    assert found is not None
    assert {(verdict.flow.source.name, verdict.state) for verdict in found.verdicts} == {
        ("Example shop", "Delivered"),
        ("Example TikTok", "Held"),
    }
    assert [row.record_key for row in found.orders] == ["5678"]


def test_a_sku_s_story_has_its_variants_its_question_and_its_answers():
    flow, variants = make_flow("order"), make_flow("variant")
    record = {"key": "V1", "sku": "TEE", "product_key": "P1", "product_title": "Tee"}
    make_delivery(variants, "V1", record=record, state="delivered")
    remember(flow.source_id, [Variant(key="V1", occurred_at=BEGAN, product_key="P1", sku="TEE")])
    SkuAnswer.objects.create(
        source=flow.source, destination=flow.destination, source_sku="TEE", by=make_person("ecommerce"),
        after={"action": "map", "note": "", "components": [["T-1", 1, None]]},
    )  # fmt: skip

    found = trace(Thing("sku", 0, "TEE"))

    assert found is not None
    assert [verdict.state for verdict in found.verdicts] == ["Delivered"]
    assert [(entry.said, entry.by) for entry in found.entries if "mapped" in entry.said] == [("SKU TEE mapped: 1 × T-1", "ecommerce")]


def test_a_story_costs_the_same_number_of_queries_however_long_it_is():
    flow = make_flow("order")
    row = stored(flow, ORDER, state="blocked")

    def queries() -> int:
        with CaptureQueriesContext(database) as captured:
            of_the_order(flow)
        return len(captured)

    short = queries()
    for number in range(12):
        make_attempt(row, "later", at=minutes_ago(number))
        make_event(flow.source, f"wh-{number}", object_key="5678", state="done")
        make_exception(flow, "missing_field", f"f{number}")
    assert queries() <= short + 2
    assert short <= 25


def test_what_was_never_received_says_what_has_been_read_and_what_stands_in_the_way():
    flow = make_flow("order")
    now = timezone.now()
    since = now.replace(year=2026, month=3, day=1)
    Checkpoint.objects.create(
        connection=flow.source, reader="orders", purpose="backfill", state="done", window_from=since, due_at=now,
    )  # fmt: skip
    Connection.objects.filter(pk=flow.source_id).update(state="paused")

    (absence,) = absences(recognise("#9999"))

    assert absence.says[0] == "Example shop is paused by a person; news from there is not read."
    assert absence.says[1].startswith("Its orders have been read back to 1 March 2026")
    assert (absence.can_ask, absence.steps[0].link) == (False, ("integrations_connection_change", flow.source_id))


def test_an_active_source_can_be_asked_for_a_missing_order():
    make_flow("order")

    (absence,) = absences(recognise("#9999"))

    assert (absence.can_ask, "60 days" in absence.reach) == (True, True)
