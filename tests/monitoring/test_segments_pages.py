"""The pages of segments: choosing, rules, reasons with their rows, downloads, and who may do what."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from integrations.models import Delivery, Flow
from monitoring.models import ReadBack, Segment, SegmentReading, SegmentSource
from monitoring.segments import facts, reading
from tests.monitoring.test_segments_facts import order
from tests.rows import make_delivery, make_flow, signed_in
from tests.segment_rows import make_read_back, make_segment

pytestmark = pytest.mark.django_db
LIMITS = {"median_percent": "15", "drift_percent": "5", "stale_days": "4"}
ROLES = ("ecommerce", "marketing", "manager", "administrator")


@pytest.fixture
def marketing() -> Client:
    return signed_in("marketing")


@pytest.fixture
def flow() -> Flow:
    made = make_flow("order")
    SegmentSource.objects.create(connection=made.destination, due_at=timezone.now() + timedelta(hours=1), read_at=timezone.now())
    return made


@pytest.fixture
def segment(flow: Flow) -> Segment:
    """Watched, with a rule and a history; three of its people are held."""
    for name in ("ann", "bob", "cyd"):
        order(flow, f"o-{name}", f"{name}@example.com", state="blocked")
    return make_segment(flow)


def url(name: str, *args: object) -> str:
    return reverse(f"admin:monitoring_segment_{name}", args=args)


def words(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, address
    return answer.content.decode()


def test_the_list_says_state_size_and_difference_of_each_watched_segment(marketing: Client, segment: Segment):
    Segment.objects.create(connection=segment.connection, list_id="7", title="Nobody looks at this")

    page = words(marketing, url("changelist"))

    assert [text in page for text in ("Buyers", "Differs from our records", "1 fewer", "<polyline", "Nobody looks at this")] == [
        True, True, True, True, False,
    ]  # fmt: skip


def test_what_is_wrong_stands_first(marketing: Client, segment: Segment):
    Segment.objects.create(connection=segment.connection, list_id="7", title="All is well here", watched=True, answer="healthy")

    page = words(marketing, url("changelist"))

    assert page.index("Buyers</strong>") < page.index("All is well here</strong>")


def test_without_a_watched_segment_the_list_says_what_to_do(marketing: Client, flow: Flow):
    assert "Nobody watches a segment yet" in words(marketing, url("changelist"))


def test_choosing_a_segment_watches_it_and_reads_it_at_once(marketing: Client, flow: Flow):
    row = Segment.objects.create(connection=flow.destination, list_id="7", title="Newsletter", size=12)
    assert url("watch", row.pk) in words(marketing, f"{url('changelist')}?watched=no")

    marketing.post(url("watch", row.pk))

    row.refresh_from_db()
    source = SegmentSource.objects.get()
    assert (row.watched, source.asked_at is not None, LogEntry.objects.get().change_message) == (True, True, "Watched")


def test_a_rule_is_put_together_from_choices_and_kept(marketing: Client, segment: Segment):
    make_delivery(make_flow("variant"), "v1", record={"key": "v1", "product_key": "P1", "sku": "TEE"})
    shop = str(segment.connection.flows_in.first().source_id)
    form = {"sources": [shop], "days": "60", "skus": "TEE\n", "min_value": "50", "currency": "GBP", "consent": "on", **LIMITS}

    answer = marketing.post(url("configure", segment.pk), form)

    segment.refresh_from_db()
    assert (answer.status_code, segment.median_percent, segment.drift_percent, segment.stale_days) == (302, 15, 5, 4)
    assert segment.rule == {"sources": form["sources"], "days": 60, "min_value": "50", "currency": "GBP", "skus": ["TEE"], "consent": True}
    assert "with TEE within 60 days and spent at least £50.00" in words(marketing, url("change", segment.pk))


def test_a_product_that_no_catalogue_has_is_refused_with_its_name(marketing: Client, segment: Segment):
    form = {"sources": ["any"], "days": "60", "skus": "NO-SUCH", "currency": "GBP", **LIMITS}

    answer = marketing.post(url("configure", segment.pk), form)

    assert (answer.status_code, "No catalogue has NO-SUCH." in answer.content.decode()) == (200, True)
    assert Segment.objects.get(pk=segment.pk).rule == segment.rule


def test_the_page_tells_why_people_are_missing_and_each_reason_leads_to_exactly_its_rows(marketing: Client, segment: Segment):
    page = words(marketing, url("change", segment.pk))
    rows = words(marketing, url("people", segment.pk, "held"))

    assert "Orders are held: 3 people" in page
    assert url("people", segment.pk, "held") in page
    assert [f"{name}@example.com" in rows for name in ("ann", "bob", "cyd", "dan")] == [True, True, True, False]


def test_people_behind_a_number_are_masked_for_those_who_may_not_see_them(segment: Segment):
    rows = words(signed_in("ecommerce"), url("people", segment.pk, "held"))

    assert ("ann@example.com" in rows, "a•••@example.com" in rows) == (False, True)


@pytest.mark.parametrize("address", ["people/no-such-cause/", "people/joined/", "people/held/?since=yesterday", "readings/pdf/"])
def test_addresses_that_make_no_sense_are_not_found(marketing: Client, segment: Segment, address: str):
    assert marketing.get(f"{url('change', segment.pk).removesuffix('change/')}{address}").status_code == 404


def test_the_chart_is_told_in_words_and_as_a_table_too(marketing: Client, segment: Segment):
    page = words(marketing, f"{url('change', segment.pk)}?range=week")

    assert "In the last 7 days it had between 40 and 45 people; 40 at the end. Our own records expected 3 at the end." in page
    assert page.count("<tr><td><time") == 6


def test_all_readings_can_be_taken_along(marketing: Client, segment: Segment):
    download = marketing.get(url("readings", segment.pk, "csv"))
    lines = b"".join(download.streaming_content).decode("utf-8-sig").splitlines()

    assert (lines[0], len(lines), lines[1].split(",")[1:3]) == (
        "Read,People in it,Our records expect,Status at Ometria,Refreshed by Ometria,State", 7, ["40", "3"],
    )  # fmt: skip
    assert marketing.get(url("readings", segment.pk, "xlsx")).status_code == 200


ACTS = ("watch", "unwatch", "configure", "read", "read_back", "stop_read_back")


def test_only_marketing_and_managers_choose_and_edit(segment: Segment):
    clients = {role: signed_in(role) for role in ROLES}
    answers = {role: [client.post(url(act, segment.pk)).status_code != 403 for act in ACTS] for role, client in clients.items()}
    Segment.objects.update(watched=True)
    edit, read_all = url("edit", segment.pk), url("read_all")
    others = {role: (client.post(read_all).status_code, client.get(edit).status_code) for role, client in clients.items()}

    assert answers == {"ecommerce": [False] * 6, "marketing": [True] * 6, "manager": [True] * 6, "administrator": [True] * 6}
    assert others == {"ecommerce": (403, 403), "marketing": (302, 200), "manager": (302, 200), "administrator": (302, 200)}


def test_people_who_may_only_look_see_no_buttons(segment: Segment):
    page = words(signed_in("ecommerce"), url("change", segment.pk))

    assert [url(act, segment.pk) in page for act in (*ACTS, "edit")] == [False] * 7


def test_asking_for_a_reading_shows_how_far_it_is(marketing: Client, segment: Segment):
    marketing.post(url("read", segment.pk))
    waiting = words(marketing, url("change", segment.pk))
    SegmentSource.objects.update(lease_until=timezone.now() + timedelta(minutes=1), done=1, total=4)
    half = words(marketing, url("live", segment.pk))
    SegmentSource.objects.update(lease_until=None, read_at=timezone.now() + timedelta(seconds=1), done=4)
    over = marketing.get(f"{url('live', segment.pk)}?busy=1")

    assert ("Waiting for a worker" in waiting, "1 of 4 watched segments" in half, over.headers.get("HX-Refresh")) == (True, True, "true")


def test_a_read_back_needs_a_rule_and_is_one_at_a_time(marketing: Client, segment: Segment):
    marketing.post(url("read_back", segment.pk), {"size": "25"})
    marketing.post(url("read_back", segment.pk), {"size": "25"})
    Segment.objects.update(rule={})
    ReadBack.objects.update(state="done")
    refused = marketing.post(url("read_back", segment.pk), follow=True).content.decode()

    assert (ReadBack.objects.count(), ReadBack.objects.get().fields, "Say first who should be in it" in refused) == (1, {"size": 25}, True)


def test_differences_of_a_read_back_are_masked_and_offer_to_send_again_to_those_who_may(segment: Segment):
    delivery = order(segment.connection.flows_in.get(), "lost", "dan@example.com")
    make_read_back(segment, delivery)
    pages = {role: words(signed_in(role), url("change", segment.pk)) for role in ROLES}
    again = reverse("admin:integrations_delivery_replay", args=[delivery.pk])

    assert {role: ("bob@example.com" in page, f'action="{again}"' in page) for role, page in pages.items()} == {
        "ecommerce": (False, True), "marketing": (True, False), "manager": (True, True), "administrator": (True, True),
    }  # fmt: skip


def test_all_that_sending_again_heals_is_sent_again_at_once_and_once(segment: Segment):
    rows = [order(segment.connection.flows_in.get(), f"lost-{number}", f"p{number}@example.com") for number in range(2)]
    make_read_back(segment, *rows)
    Delivery.objects.filter(pk__in=[row.pk for row in rows]).update(state="delivered", sent_at=timezone.now() - timedelta(hours=1))
    clients = {role: signed_in(role) for role in ROLES}
    offered = {role: "Send all 2 again" in words(client, url("change", segment.pk)) for role, client in clients.items()}
    said = [clients["ecommerce"].post(url("send_again", segment.pk), follow=True).content.decode() for _ in range(2)]

    assert offered == {"ecommerce": True, "marketing": False, "manager": True, "administrator": True}  # orders are not marketing's
    assert ("2 records go out again" in said[0], "Nothing is left to send again" in said[1]) == (True, True)
    assert set(Delivery.objects.filter(pk__in=[row.pk for row in rows]).values_list("state", flat=True)) == {"ready"}


def test_the_pages_ask_the_same_number_of_questions_however_much_there_is(
    marketing: Client, segment: Segment, flow: Flow, django_assert_max_num_queries: Callable[..., Any]
):
    for number in range(60):
        made = {"list_id": f"x{number}", "title": f"Segment {number}", "watched": True, "size": number}
        row = Segment.objects.create(connection=flow.destination, **made)
        SegmentReading.objects.create(segment=row, at=timezone.now(), size=number, answer="healthy")
        order(flow, f"many-{number}", f"many{number}@example.com", state="blocked")
    facts.catch_up(10)
    reading.measure(segment, timezone.now())

    with django_assert_max_num_queries(12):
        words(marketing, url("changelist"))
    with django_assert_max_num_queries(20):
        words(marketing, url("change", segment.pk))
    with django_assert_max_num_queries(14):
        words(marketing, url("people", segment.pk, "held"))
