"""Lists cost the same number of queries whatever they hold, count nothing, and show no personal data."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from integrations.models import Checkpoint, Connection, Delivery, SearchTerm, SyncException
from mapping.versions import draft_from
from tests.rows import make_attempt, make_connections, make_delivery, make_event, make_exception, make_flow

pytestmark = pytest.mark.django_db
EMAIL = "ann.realname@example.com"
RECORD = {"key": "1", "number": "#1", "currency": "GBP", "totals": {"net": "10.50"}, "status": "paid",
          "customer": {"email": EMAIL, "first_name": "Annabel", "last_name": "Realname", "phone": "+447700900123"}}  # fmt: skip


def fill_deliveries(start: int, number: int) -> None:
    flow = make_flow() if not start else Delivery.objects.first().flow
    for index in range(start, start + number):
        make_attempt(make_delivery(flow, f"key-{index}", record=RECORD, state=Delivery.State.BLOCKED, last_message="waits"))


def fill_exceptions(start: int, number: int) -> None:
    flow = make_flow() if not start else SyncException.objects.first().flow
    for index in range(start, start + number):
        make_exception(flow, subject=f"SKU-{index}", waiting=2)
    Delivery.objects.update(record=RECORD)


def fill_events(start: int, number: int) -> None:
    shop = make_connections()[0] if not start else Connection.objects.get(platform="shopify")
    for index in range(start, start + number):
        make_event(shop, f"event-{index}")


def fill_connections(start: int, number: int) -> None:
    for index in range(start, start + number):
        Connection.objects.create(platform="shopify", name=f"Shop {index}", external_id=f"shop-{index}", base_url="http://127.0.0.1:9")


def fill_flows(start: int, number: int) -> None:
    if start:
        return
    for index in range(6):
        shop = Connection.objects.create(platform="shopify", name=f"Shop {index}", external_id=f"s-{index}", base_url="http://127.0.0.1:9")
        ometria = Connection.objects.create(
            platform="ometria", name=f"Account {index}", external_id=f"o-{index}", base_url="http://127.0.0.1:9"
        )
        for record_type in ("order", "customer", "product", "variant", "checkout"):
            flow = shop.flows_out.create(destination=ometria, record_type=record_type)
            make_delivery(flow)


def fill_checkpoints(start: int, number: int) -> None:
    shop = make_connections()[0] if not start else Connection.objects.get(platform="shopify")
    now = timezone.now()
    for _ in range(number):
        Checkpoint.objects.create(connection=shop, reader="orders", purpose="backfill", window_from=now, due_at=now)


def fill_versions(start: int, number: int) -> None:
    flow = make_flow() if not start else Connection.objects.get(platform="shopify").flows_out.get()
    for _ in range(number):
        draft_from(flow.pk)


LISTS = {
    "integrations_delivery": fill_deliveries,
    "integrations_syncexception": fill_exceptions,
    "integrations_inboxevent": fill_events,
    "integrations_connection": fill_connections,
    "integrations_flow": fill_flows,
    "integrations_checkpoint": fill_checkpoints,
    "mapping_mappingversion": fill_versions,
}
MOST_QUERIES = 14


def queries_of(client: Client, url: str) -> list[str]:
    client.get(url)  # content types and permissions are remembered from the first call on
    with CaptureQueriesContext(database) as captured:
        assert client.get(url).status_code == 200
    return [query["sql"] for query in captured]


@pytest.mark.parametrize("name", LISTS)
def test_a_list_of_sixty_rows_costs_as_many_queries_as_one_of_three(name: str, administrator: Client):
    url = reverse(f"admin:{name}_changelist")
    LISTS[name](0, 3)
    few = queries_of(administrator, url)
    LISTS[name](3, 57)

    many = queries_of(administrator, url)

    assert len(many) == len(few) <= MOST_QUERIES


@pytest.mark.parametrize("name", LISTS)
def test_no_list_counts_its_whole_table(name: str, administrator: Client):
    LISTS[name](0, 3)

    for sql in queries_of(administrator, reverse(f"admin:{name}_changelist")):
        assert not (sql.startswith('SELECT COUNT(*) AS "__count"') and f'"{name}"' in sql), sql


@pytest.mark.parametrize("name", ["integrations_delivery", "integrations_syncexception"])
def test_lists_mask_people_even_for_those_who_may_see_them(name: str, administrator: Client):
    LISTS[name](0, 3)

    page = administrator.get(reverse(f"admin:{name}_changelist")).content.decode()

    assert "example.com" in page or name == "integrations_syncexception"
    assert not [secret for secret in (EMAIL, "Annabel", "Realname", "900123") if secret in page]


def test_filters_offer_no_counts_of_whole_tables(administrator: Client):
    url = reverse("admin:integrations_delivery_changelist")

    sql = " ".join(queries_of(administrator, f"{url}?_facets"))

    assert "COUNT(" not in sql


def test_the_next_page_is_offered_only_when_there_is_one(administrator: Client):
    fill_events(0, 51)
    url = reverse("admin:integrations_inboxevent_changelist")

    first, second = administrator.get(url).content.decode(), administrator.get(f"{url}?p=2").content.decode()

    assert (">Older<" in first, ">Newer<" in first, ">Older<" in second, ">Newer<" in second) == (True, False, False, True)


def test_a_bare_exception_list_shows_open_questions_and_all_shows_open_ones_first(administrator: Client):
    flow = make_flow()
    make_exception(flow, subject="SETTLED", state="resolved")
    make_exception(flow, subject="PENDING")
    url = reverse("admin:integrations_syncexception_changelist")

    bare, every = administrator.get(url).content.decode(), administrator.get(f"{url}?state=all").content.decode()

    assert ("SETTLED" in bare, "PENDING" in bare) == (False, True)
    assert every.index("PENDING") < every.index("SETTLED")


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("kind=unmapped_sku", {"SKU-A"}),
        ("origin=destination", {"CONTACT"}),
        ("team=marketing", {"CONTACT"}),
        ("who=me", {"SKU-A"}),
        ("who=nobody", {"CONTACT"}),
        ("q=SKU-A", {"SKU-A"}),
        ("q=SKU", set()),
        ("age=over_day", set()),
        ("state=nonsense", {"SKU-A", "CONTACT"}),
    ],
)
def test_exceptions_are_filtered(query: str, found: set[str], administrator: Client):
    flow = make_flow()
    me = administrator.get(reverse("admin:index")).wsgi_request.user
    make_exception(flow, subject="SKU-A", assignee=me)
    make_exception(flow, "ambiguous_contact", "CONTACT")

    page = administrator.get(f"{reverse('admin:integrations_syncexception_changelist')}?{query}").content.decode()

    assert {subject for subject in ("SKU-A", "CONTACT") if f"Unknown: {subject}" in page} == found


def test_deliveries_are_found_by_either_exact_key(administrator: Client):
    flow = make_flow()
    make_delivery(flow, "5001", destination_key="shp-5001")
    make_delivery(flow, "50019")
    url = reverse("admin:integrations_delivery_changelist")

    pages = [administrator.get(f"{url}?q={term}").content.decode() for term in ("5001", "shp-5001", "500")]

    assert [("<strong>5001</strong>" in page, "<strong>50019</strong>" in page) for page in pages] == [
        (True, False),
        (True, False),
        (False, False),
    ]


@pytest.mark.parametrize(
    ("term", "found"),
    [
        ("#1042", {"5001"}),
        (" 1042 ", {"5001"}),
        ("TEE-RED", {"7001"}),
        ("organic tee", {"P1"}),
        ("organic", {"P1", "P2"}),
        ("organic hat", set()),
        ("104", set()),
        ("ann.realname@example.com", set()),
    ],
)
def test_deliveries_are_found_by_what_their_line_says(term: str, found: set[str], administrator: Client):
    flows = {kind: make_flow(kind) for kind in ("order", "variant", "product")}
    rows = {"5001": "order", "5002": "order", "7001": "variant", "P1": "product", "P2": "product"}
    for key, kind in rows.items():
        make_delivery(flows[kind], key)
    terms = [("number", "1042", "5001"), ("number", "1043", "5002"), ("sku", "tee-red", "7001"), ("word", "organic", "P1"),
             ("word", "tee", "P1"), ("word", "organic", "P2"), ("email", "ann.realname@example.com", "5002")]  # fmt: skip
    for kind, name, key in terms:
        SearchTerm.objects.create(kind=kind, term=name, connection=flows["order"].source, record_type=rows[key], record_key=key)

    page = administrator.get(reverse("admin:integrations_delivery_changelist"), {"q": term}).content.decode()

    assert {key for key in rows if f"<strong>{key}</strong>" in page} == found


def test_what_a_destination_said_is_masked_in_lists(administrator: Client):
    make_delivery(make_flow(), state="blocked", last_message=f"{EMAIL} is no address")
    make_event(Connection.objects.get(platform="shopify"), "e", state="failed", error=f"{EMAIL} is no address")
    pages = [administrator.get(reverse(f"admin:integrations_{name}_changelist")).content.decode() for name in ("delivery", "inboxevent")]
    assert [(EMAIL in page, "is no address" in page) for page in pages] == [(False, True)] * 2


def test_an_empty_list_says_what_to_do_next(administrator: Client):
    page = administrator.get(reverse("admin:integrations_connection_changelist")).content.decode()

    assert "No connection yet" in page
    assert reverse("admin:integrations_connection_add") in page


def test_visitors_are_sent_to_the_sign_in(client: Client, db: None):
    answer = client.get(reverse("admin:integrations_delivery_changelist"))

    assert (answer.status_code, "login" in answer.url) == (302, True)


def test_a_newcomer_without_a_role_sees_no_list(sign_in: Callable[[str], Client]):
    assert sign_in("").get(reverse("admin:integrations_delivery_changelist")).status_code == 403
