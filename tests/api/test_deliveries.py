"""Deliveries over the API: lists, masked detail, replay."""

from __future__ import annotations

import pytest
from rest_framework.test import APIClient

from integrations.models import Delivery
from tests.rows import make_attempt, make_delivery, make_exception, make_flow, make_person, minutes_ago

pytestmark = pytest.mark.django_db
LIST = "/api/v1/deliveries/"


def signed_in(role: str) -> APIClient:
    client = APIClient()
    client.force_authenticate(make_person(role))
    return client


@pytest.fixture
def api() -> APIClient:
    return signed_in("manager")


def keys(api: APIClient, query: str) -> list[str]:
    return [row["record_key"] for row in api.get(f"{LIST}?{query}").json()["results"]]


def test_the_latest_change_comes_first(api):
    flow = make_flow()
    make_delivery(flow, "older", updated_at=minutes_ago(9))
    make_delivery(flow, "newest", updated_at=minutes_ago(1))

    assert keys(api, "") == ["newest", "older"]


def test_deliveries_are_filtered_by_flow_state_cause_key_and_time(api):
    order, customer = make_flow("order"), make_flow("customer")
    make_delivery(order, "a", state="delivered", cause="webhook", updated_at=minutes_ago(90))
    make_delivery(order, "b", state="blocked", cause="backfill", updated_at=minutes_ago(5))
    make_delivery(customer, "c", state="ready", cause="poll", updated_at=minutes_ago(1))

    assert keys(api, f"flow={order.pk}") == ["b", "a"]
    assert keys(api, "state=blocked&state=ready") == ["c", "b"]
    assert keys(api, "cause=poll") == ["c"]
    assert keys(api, "record_key=a") == ["a"]
    assert keys(api, f"updated_after={minutes_ago(10).isoformat().replace('+', '%2B')}") == ["c", "b"]
    assert keys(api, f"updated_before={minutes_ago(10).isoformat().replace('+', '%2B')}") == ["a"]


def test_a_filter_value_that_does_not_exist_is_named(api):
    answer = api.get(f"{LIST}?state=lost")

    assert answer.status_code == 400
    assert "lost is not one of the available choices" in answer.json()["state"][0]


def test_pages_follow_one_another_without_gap_or_double(api):
    flow = make_flow()
    for number in range(25):
        make_delivery(flow, f"{number:02}", updated_at=minutes_ago(25 - number))

    seen, address = [], f"{LIST}?page_size=10"
    while address:
        page = api.get(address).json()
        seen += [row["record_key"] for row in page["results"]]
        address = page["next"]

    assert seen == [f"{number:02}" for number in reversed(range(25))]


def test_the_detail_tells_everything_with_personal_data_masked():
    delivery = make_delivery(make_flow(), state="delivered", sent_payload={"email": "ann@example.com", "total": "12.00"})
    make_attempt(delivery, "later", code="503", ms=40, request_id="r-1", at=minutes_ago(2))
    make_attempt(delivery, "delivered", at=minutes_ago(1))

    answer = signed_in("ecommerce").get(f"{LIST}{delivery.pk}/")

    body = answer.json()
    assert body["record"] == {"key": "1001", "customer": {"email": "a•••@example.com", "first_name": "A•••"}}
    assert body["sent_payload"] == {"email": "a•••@example.com", "total": "12.00"}
    tries = [(row["outcome"], row["code"], row["request_id"]) for row in body["attempt_rows"]]
    assert tries == [("delivered", "", ""), ("later", "503", "r-1")]
    assert "ann@example.com" not in answer.content.decode()


def test_people_who_may_see_personal_data_see_it(api):
    delivery = make_delivery(make_flow())

    assert api.get(f"{LIST}{delivery.pk}/").json()["record"]["customer"]["email"] == "ann@example.com"


def test_a_held_delivery_names_its_exceptions(api):
    exception = make_exception(make_flow(), waiting=1)

    body = api.get(f"{LIST}{Delivery.objects.get().pk}/").json()

    assert (body["state"], body["exceptions"]) == ("blocked", [exception.pk])


def test_replay_sends_again(api):
    delivery = make_delivery(make_flow(), state="delivered", sent_hash="abc")

    answer = api.post(f"{LIST}{delivery.pk}/replay/")

    delivery.refresh_from_db()
    assert (answer.status_code, answer.json()) == (200, {"count": 1})
    assert (delivery.state, delivery.sent_hash, delivery.cause, delivery.manual) == ("ready", "", "replay", True)


def test_many_are_replayed_at_once_and_those_in_a_workers_hands_are_not_counted(api):
    flow = make_flow()
    rows = [make_delivery(flow, str(number), state=state) for number, state in enumerate(("delivered", "skipped", "sending"))]

    answer = api.post(f"{LIST}replay/", {"ids": [row.pk for row in rows] + [999_999]}, format="json")

    assert answer.json() == {"count": 2}


@pytest.mark.parametrize("ids", [[], list(range(1, 1002)), ["x"], None])
def test_a_bulk_replay_names_one_to_a_thousand_ids(api, ids):
    answer = api.post(f"{LIST}replay/", {"ids": ids}, format="json")

    assert answer.status_code == 400
    assert list(answer.json()) == ["ids"]


def test_marketing_replays_customers_and_nothing_else():
    api = signed_in("marketing")
    customer = make_delivery(make_flow("customer"), "c", state="delivered")
    order = make_delivery(make_flow("order"), "o", state="delivered")

    assert api.post(f"{LIST}{customer.pk}/replay/").json() == {"count": 1}
    assert api.post(f"{LIST}{order.pk}/replay/").status_code == 403
    both = api.post(f"{LIST}replay/", {"ids": [customer.pk, order.pk]}, format="json")
    assert (both.status_code, both.json()) == (403, {"detail": "Your role may send again only records of its own kind."})
    order.refresh_from_db()
    assert order.state == "delivered"


def test_a_list_takes_the_same_number_of_queries_for_one_row_and_for_fifty(api, django_assert_num_queries):
    flow = make_flow()
    for number in range(60):
        make_delivery(flow, str(number))

    with django_assert_num_queries(3):  # permissions of the person and of the groups, the page
        api.get(LIST)
