"""Every number of the overview is a link to exactly the rows it counts: each link is followed and its rows are counted."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from datetime import timedelta
from html import unescape

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from openpyxl import load_workbook

from integrations.models import Delivery
from monitoring.latest import latest_samples
from monitoring.sampling import sample
from tests.monitoring.moments import tried
from tests.rows import make_delivery, make_event, make_exception, make_flow, make_person

pytestmark = pytest.mark.django_db
NUMBER = re.compile(r'<a [^>]*href="([^"]+)"[^>]*>\s*([\d,]+)(?![\d,+]|\s*%)[^<]*</a>')
TITLE = re.compile(r"<h2>([\d,]+) open exceptions?</h2>.*?href=\"([^\"]+)\"", re.DOTALL)
ROUTE = "/admin/route/shopify-to-ometria/"


@pytest.fixture
def manager(client: Client) -> Client:
    client.force_login(make_person("manager"))
    return client


def numbers(page: str) -> Iterator[tuple[str, int]]:
    """Each number that is a link, with its address."""
    for link, number in NUMBER.findall(page):
        if link.startswith("?span="):  # "24 hours" chooses how far back the charts look
            continue
        yield unescape(link), int(number.replace(",", ""))
    for number, link in TITLE.findall(page):
        yield unescape(link), int(number)


def rows_behind(client: Client, link: str) -> int:
    """The rows of a list, page after page."""
    count, base = 0, link.partition("?")[0]
    while link:
        page = client.get(link)
        assert page.status_code == 200, link
        text = page.content.decode()
        body = text.partition("<tbody>")[2].partition("</tbody>")[0]
        count += body.count("<tr")
        older = re.search(r'href="([^"]+)">Older</a>', text)
        link = f"{base}{unescape(older[1])}" if older else ""
    return count


def life() -> None:
    """Two flows with tries of every outcome inside and outside the last hour, backlog, questions and inbox."""
    minute = (timezone.now() - timedelta(seconds=5)).replace(second=0, microsecond=0)
    orders, customers = make_flow("order"), make_flow("customer")
    sample(minute - timedelta(minutes=90) + timedelta(seconds=10))
    outcomes = ["delivered"] * 4 + ["later"] * 2 + ["refused", "held", "unchanged", "unchanged", "skipped", "accepted"]
    for flow in (orders, customers):
        tried(flow, outcomes, minute - timedelta(minutes=70))
        tried(flow, outcomes, minute - timedelta(minutes=60))  # the first moment of the hour
        tried(flow, outcomes, minute - timedelta(seconds=1))  # the last
        tried(flow, ["delivered"] * 3, minute)  # belongs to the next
    tried(orders, ["delivered"] * 120, minute - timedelta(minutes=20))
    for number in range(3):
        make_delivery(orders, f"ready-{number}")
    make_exception(orders, "unmapped_sku", "A", waiting=2)
    both = make_exception(orders, "unmapped_sku", "B", waiting=1)
    make_exception(orders, "refused", "C").holds.create(delivery=both.holds.get().delivery)
    make_exception(customers, "bad_phone", "D", waiting=1)
    make_exception(orders, "refused", "E", state="resolved", waiting=1)
    make_event(orders.source, "e", state="failed")
    make_event(orders.source, "f")
    sample(minute - timedelta(minutes=40) + timedelta(seconds=10))
    sample(minute + timedelta(seconds=10))


@pytest.mark.parametrize(("page", "fewest"), [("/overview/live/", 19), (ROUTE, 21)])
def test_each_number_is_as_many_rows_as_its_list_shows(manager, page, fewest):
    life()
    found = list(numbers(manager.get(page).content.decode()))

    wrong = [(link, number, rows) for link, number in found if (rows := rows_behind(manager, link)) != number]

    assert wrong == []
    assert len(found) >= fewest


def test_the_kinds_of_numbers_are_all_there(manager):
    life()
    counted = {(re.sub(r"flow=\d+|connection=\d+|&(from|until)=[^&]+", "", link), number) for link, number in numbers(page_of(manager))}

    desk, deliveries, inbox = (reverse(f"admin:integrations_{model}_changelist") for model in ("syncexception", "delivery", "inboxevent"))
    route = "route=shopify-to-ometria"
    assert {
        (f"/admin/attempts/?{route}&what=delivered", 136), (f"/admin/attempts/?{route}&what=acted", 156),
        (f"/admin/attempts/?{route}&what=failed", 12), (f"{deliveries}?{route}&state=ready", 3), (f"{deliveries}?{route}&state=blocked", 5),
        (f"{desk}?state=open&{route}", 4), (f"{desk}?state=open&kind=refused", 1), (f"{deliveries}?waits_for=unmapped_sku", 3),
        (f"{inbox}?&state=new", 1), (f"{inbox}?&state=failed", 1), (f"{desk}?state=open", 4),
    } <= counted  # fmt: skip


def page_of(client: Client) -> str:
    return client.get("/overview/live/").content.decode()


def test_a_number_leads_to_the_same_rows_later_when_the_records_have_moved_on(manager):
    life()
    link = next(link for link, number in numbers(page_of(manager)) if "what=delivered" in link and number == 136)
    Delivery.objects.filter(state="delivered").update(state="ready", updated_at=timezone.now() + timedelta(minutes=9))
    sample(latest_samples().at + timedelta(minutes=2))

    assert rows_behind(manager, link) == 136


def test_the_value_behind_a_route_is_the_sum_of_the_orders_its_link_shows(manager):
    flow, other = make_flow("order"), make_flow("checkout")
    for number, (net, state) in enumerate((("10.50", "blocked"), ("4.25", "blocked"), ("99", "ready"))):
        record = {"key": str(number), "number": str(number), "currency": "GBP", "totals": {"net": net}, "customer": {}}
        make_delivery(flow, f"o{number}", state=state, record=record)
    make_delivery(other, "c", state="blocked")
    page = page_of(manager)

    link, words = re.search(r'id="worth-[^"]+" href="([^"]+)">([^<]+)<', page).groups()
    shown = re.findall(r"£([\d.]+)", manager.get(unescape(link)).content.decode().partition("<tbody>")[2].partition("</tbody>")[0])

    assert (words, sum(map(float, shown)), len(shown)) == ("£14.75", 14.75, 2)


class TestWhatWasTried:
    @pytest.mark.parametrize("form", ["csv", "xlsx"])
    def test_every_page_of_it_is_taken_along_in_one_file(self, manager, form):
        life()
        page = manager.get("/admin/attempts/?what=delivered").content.decode()

        file = manager.get(unescape(re.search(f'href="([^"]+/export/{form}/[^"]+)"', page)[1]))

        if form == "csv":
            rows = list(csv.DictReader(io.StringIO(b"".join(file.streaming_content).decode("utf-8-sig"))))
        else:
            head, *cells = load_workbook(io.BytesIO(file.content)).active.iter_rows(values_only=True)
            rows = [dict(zip(head, row, strict=True)) for row in cells]
        assert (len(rows), {row["Outcome"] for row in rows}) == (136, {"Delivered"})
        assert len({row["ID"] for row in rows}) == rows_behind(manager, "/admin/attempts/?what=delivered")

    def test_it_shows_no_personal_data_to_those_who_may_not_see_it(self, client):
        client.force_login(make_person("ecommerce"))
        life()

        page = client.get("/admin/attempts/").content.decode()

        assert "ann@example.com" not in page
        assert page.count("<tr>") == 51

    def test_an_empty_span_and_nonsense_say_so_and_do_no_harm(self, manager):
        nonsense = ("from=x&until=y&flow=z&route=w&what=v&before=u", "before=2026-01-01T00:00:00_x", "from=2020-13-45T99:99")
        for query in ("what=failed", *nonsense):
            assert "Nothing of this kind" in manager.get(f"/admin/attempts/?{query}").content.decode()

    def test_it_costs_as_many_queries_for_many_rows_as_for_few(self, manager, django_assert_num_queries):
        make_flow()
        manager.get("/admin/attempts/")
        with django_assert_num_queries(8):
            manager.get("/admin/attempts/")
        life_of_many()
        with django_assert_num_queries(8):
            manager.get("/admin/attempts/")


def life_of_many() -> None:
    flow = make_flow("customer")
    minute = timezone.now().replace(second=0, microsecond=0)
    tried(flow, ["delivered"] * 60, minute - timedelta(minutes=30))
    sample(minute + timedelta(seconds=10))
