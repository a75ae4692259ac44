"""Values that a person puts right on a held delivery: what may be changed, what reaches the platform, and when they end."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from integrations.engine.corrections import CannotCorrect, Editable, correct, draft, editable, latest, typed
from integrations.models import Delivery, Flow, SyncException
from integrations.standins.shopify.words import phone
from mapping import codec
from mapping.crosswalk import NO_LOOKUPS
from mapping.defaults import load_defaults
from mapping.records import Customer
from mapping.rules import Mode
from mapping.transform import put_at, transform
from tests.conftest import RouteB
from tests.mapping.samples import customer, plan, rule
from tests.rows import make_delivery, make_flow, make_person

ADDRESS = {"city": "Leeds", "country": "United Kingdom", "country_code": "GB"}


@pytest.fixture
def held(db: None) -> Delivery:
    return held_customer()


def held_customer() -> Delivery:
    """A customer whose phone number cannot be, held in a flow with the default mapping."""
    flow = make_flow("customer")
    load_defaults(flow)
    customer = Customer(
        key="7001",
        occurred_at=datetime(2026, 11, 1, 10, tzinfo=UTC),
        email="una@example.com",
        first_name="Una",
        phone="+4412",
        country="GB",
    )
    return make_delivery(flow, "7001", state="blocked", record=orjson.loads(codec.dumps(customer)))


def fresh(delivery: Delivery) -> Delivery:
    return Delivery.objects.select_related("flow__source", "flow__destination").get(pk=delivery.pk)


def test_what_holds_a_delivery_is_offered_first_and_nothing_that_the_rules_do_not_write(held: Delivery) -> None:
    fields = editable(fresh(held))

    assert (fields[0].path, fields[0].label, fields[0].value, bool(fields[0].problem)) == ("phone_number", "Phone number", None, True)
    paths = [field.path for field in fields]
    assert {"email", "firstname", "lastname", "country_id"} <= set(paths)
    assert [path for path in paths if path.startswith("@") or path == "gender"] == []
    assert len(paths) == len(set(paths))


def test_a_draft_shows_the_difference_and_what_is_still_wrong(held: Delivery) -> None:
    good, bad = (draft(fresh(held), {"phone_number": number}) for number in ("+442079460018", "0"))

    assert [(change.path, change.before, change.after) for change in good.changes] == [("phone_number", None, "+442079460018")]
    assert (dict(good.problems), list(bad.problems)) == ({}, ["phone_number"])
    assert good.after["email"] == good.before["email"] == "una@example.com"


def test_a_field_can_be_left_out(held: Delivery) -> None:
    found = draft(fresh(held), {"phone_number": None, "firstname": None})

    assert ([change.path for change in found.changes], dict(found.problems)) == (["firstname"], {})


def test_what_is_still_wrong_is_not_sent(held: Delivery) -> None:
    person = make_person("marketing")

    with pytest.raises(CannotCorrect, match="Still wrong: phone_number"):
        correct(fresh(held), {"phone_number": "12"}, person)

    assert (latest(held), fresh(held).state) == (None, "blocked")


def test_a_newer_version_that_came_meanwhile_is_looked_at_first(held: Delivery) -> None:
    person, seen = make_person("marketing"), fresh(held)
    Delivery.objects.update(version=2)

    with pytest.raises(CannotCorrect, match="newer version"):
        correct(seen, {"phone_number": "+442079460018"}, person)


def test_what_was_put_right_before_stays_when_another_field_is(held: Delivery) -> None:
    person = make_person("marketing")
    correct(fresh(held), {"phone_number": "+442079460018"}, person)
    Delivery.objects.update(state="blocked")

    second = correct(fresh(held), {"firstname": "Uma"}, person, "She said so")

    assert (second.values, second.before) == ({"phone_number": "+442079460018", "firstname": "Uma"}, {"firstname": "Una"})


@pytest.mark.parametrize(("kind", "text", "value"), [
    ("string", " Leeds ", "Leeds"), ("number", "12,50", 12.5), ("number", "12", 12), ("integer", "3", 3), ("boolean", "Yes", True),
    ("string", " ", None),
])  # fmt: skip
def test_typed_text_becomes_the_value_that_the_field_takes(kind: str, text: str, value: object) -> None:
    assert typed(Editable(path="x", label="X", type=kind), text) == value


@pytest.mark.parametrize(("kind", "text"), [("number", "much"), ("number", "nan"), ("integer", "1.5"), ("boolean", "maybe")])
def test_text_that_the_field_does_not_take_is_told(kind: str, text: str) -> None:
    with pytest.raises(CannotCorrect, match="^X takes "):
        typed(Editable(path="x", label="X", type=kind), text)


def test_what_goes_only_with_a_field_goes_with_its_corrected_value_and_the_person_has_the_last_word() -> None:
    rules = (
        rule("phone", "phone", "e164"), rule("sms.allowed", "consents.email.state", only_with="phone"),
        rule("city", "country", mode=Mode.IF_EMPTY),
    )  # fmt: skip
    wrong = customer(phone="+4412")
    before = transform(wrong, plan("customer", *rules), NO_LOOKUPS, {"city": "London"})

    after = transform(
        wrong, plan("customer", *rules), NO_LOOKUPS, {"city": "London"}, corrected={"phone": "+442079460018", "city": "Leeds"}
    )

    assert ([issue.field for issue in before.issues], "sms" in before.payload) == (["phone"], False)
    assert after.payload == {"phone": "+442079460018", "sms": {"allowed": after.payload["sms"]["allowed"]}, "city": "Leeds"}
    assert (after.issues, len(after.payload_hash)) == ((), 64)


def test_a_value_is_put_into_lists_only_where_there_is_an_entry() -> None:
    payload: dict[str, Any] = {"lines": [{"sku": "A"}]}
    for path, value in (("lines[0].sku", "B"), ("lines[1].sku", "C"), ("address.city", "Leeds"), ("lines", None)):
        put_at(payload, path, value)
        if path == "lines[1].sku":
            assert payload == {"lines": [{"sku": "B"}]}

    assert payload == {"address": {"city": "Leeds"}}


@pytest.mark.journey
def test_the_platform_gets_what_was_put_right_until_the_source_speaks_again(route_b: RouteB) -> None:
    assert route_b.subscribe()
    person = route_b.act("create_customer", email="una@example.com", first_name="Una", phone="+4412", address=ADDRESS)
    route_b.run()
    question = SyncException.objects.get(state="open")
    delivery = fresh(Flow.objects.get(record_type="customer").deliveries.get(record_key=str(person.id)))
    assert (question.kind, delivery.state, route_b.state("contacts")) == ("bad_phone", "blocked", {})

    correct(delivery, {"phone_number": phone(991)}, make_person("marketing"), "Read from the order")
    route_b.run()

    assert [contact["phone_number"] for contact in route_b.state("contacts").values()] == [phone(991)]
    delivery = fresh(delivery)
    assert (delivery.state, delivery.sent_payload["phone_number"], latest(delivery).version) == ("delivered", phone(991), delivery.version)

    route_b.act("update_customer", customer_id=person.id, phone=phone(990))
    route_b.run()

    assert [contact["phone_number"] for contact in route_b.state("contacts").values()] == [phone(990)]
    assert latest(delivery).version < fresh(delivery).version
