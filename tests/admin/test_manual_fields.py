"""How each field is filled today: generated from the published rules, searchable, with an example, and since when by whom."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from integrations.admin.manual import manual_url
from integrations.admin.manual.fields import filled_flows, shown_value, value_at
from integrations.models import Flow
from mapping.models import MappingVersion
from mapping.rules import Rule
from mapping.transforms import Call
from mapping.versions import draft_from, publish, save_rules
from tests.rows import make_delivery, make_flow, make_person

pytestmark = pytest.mark.django_db
PHONE = Rule(target="phone_number", source="phone", transforms=(Call("e164"),))
EMAIL = Rule(target="email", source="email", required=True)
COUNTRY = Rule(target="country_id", constant="GB")


def published(flow: Flow, by: str, *rules: Rule) -> MappingVersion:
    """A version with these rules, published by somebody of that name."""
    person = make_person("manager", username=by)
    draft = draft_from(flow.pk, person)
    save_rules(draft, rules, person)
    return publish(draft, person, f"Reason of {by}")


def told(version: MappingVersion, asked: str = "", *, personal: bool = True) -> dict[str, Any]:
    """Target → (source in words, steps, example, version since, by)."""
    (found,) = filled_flows([version], asked, personal=personal)
    return {
        field.words["target"]: (field.words["source_label"], field.words["steps"], field.example, field.since.version, field.since.by)
        for field in found.fields
    }


@pytest.fixture
def customers() -> Flow:
    flow = make_flow("customer")
    make_delivery(flow, "1", state="delivered", sent_payload={"email": "", "phone_number": "+447700900123"})
    make_delivery(flow, "2", state="delivered", sent_payload={"email": "ann@example.com"})
    make_delivery(flow, "3", state="blocked", sent_payload={"email": "never@example.com"})
    return flow


def test_each_field_says_its_source_its_steps_an_example_and_since_when_by_whom(customers: Flow):
    published(customers, "anna", EMAIL, Rule(target="phone_number", source="phone"))
    version = published(customers, "bert", EMAIL, PHONE, COUNTRY)

    assert told(version) == {
        "email": ("E-mail", [], "ann@example.com", 1, "anna"),
        "phone_number": ("Phone", ["as an international phone number"], "+447700900123", 2, "bert"),
        "country_id": ("always “GB”", [], "", 2, "bert"),
    }


def test_examples_are_masked_for_people_without_the_right(customers: Flow):
    version = published(customers, "anna", EMAIL, PHONE)

    assert [line[2] for line in told(version, personal=False).values()] == ["a•••@example.com", "•••23"]


@pytest.mark.parametrize(
    ("asked", "found"),
    [("phone", ["phone_number"]), ("e-mail", ["email"]), ("international", ["phone_number"]), ("gb", ["country_id"]), ("email phone", [])],
)
def test_fields_are_found_by_their_own_name_their_source_or_their_steps(customers: Flow, asked: str, found: list[str]):
    version = published(customers, "anna", EMAIL, PHONE, COUNTRY)

    assert list(told(version, asked)) == found


def test_what_nothing_fills_is_told(customers: Flow):
    (found,) = filled_flows([published(customers, "anna", EMAIL)], "", personal=True)

    paths = [target.path for target in found.unfilled]
    assert ("phone_number" in paths, "email" in paths) == (True, False)


def test_drafts_change_nothing(customers: Flow):
    version = published(customers, "anna", EMAIL)
    save_rules(draft_from(customers.pk), [PHONE])

    assert list(told(version)) == ["email"]


def test_the_page_shows_one_flow_at_a_time_and_searches_all(customers: Flow, manager: Client):
    published(customers, "anna", EMAIL, PHONE)
    orders = make_flow("order")
    published(orders, "bert", Rule(target="currency", source="currency"), Rule(target="customer.email", source="customer.email"))

    def targets(query: str) -> list[list[str]]:
        filled = manager.get(f"{manual_url('fields')}?{query}").context["filled"]
        return [[field.words["target"] for field in each.fields] for each in filled]

    assert targets(f"flow={orders.pk}") == [["currency", "customer.email"]]
    assert targets("q=email") == [["email"], ["customer.email"]]
    assert targets("q=nothing-of-the-kind") == []


def test_queries_do_not_grow_with_flows_and_versions(customers: Flow, manager: Client, django_assert_max_num_queries: Any):
    for number in range(4):
        published(customers, f"person-{number}", EMAIL, PHONE)
    published(make_flow("order"), "bert", Rule(target="customer.email", source="customer.email"))
    manager.get(manual_url("fields"))

    with django_assert_max_num_queries(10):
        manager.get(f"{manual_url('fields')}?q=email")


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("number", "1001"),
        ("customer.email", "ann@example.com"),
        ("lines[].sku", "TEE"),
        ("lines[].missing", None),
        ("customer.x.y", None),
        ("tags[]", ["a"]),
    ],
)
def test_a_value_is_found_at_its_path(path: str, value: object):
    payload = {"number": "1001", "customer": {"email": "ann@example.com"}, "lines": [{"sku": ""}, {"sku": "TEE"}], "tags": ["a"]}

    assert value_at(payload, path) == value


def test_a_long_example_is_cut():
    assert shown_value([{"note": "word " * 100}], "note", personal=True) == "word " * 24 + "…"
