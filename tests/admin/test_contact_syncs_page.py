"""Failed contact syncs: who is held and why, what to do next, and trying again one by one or all that a filter leaves."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from openpyxl import load_workbook

from integrations.admin import contact_retries
from integrations.engine.exceptions import raise_for_connection
from integrations.models import Connection, Delivery, Flow, Hold, SyncException
from integrations.models.kinds import KINDS
from tests.rows import make_delivery, make_exception, make_flow

pytestmark = pytest.mark.django_db
LIST = "/admin/integrations/contactsync/"
RETRIES = f"{LIST}retries/"
SECRETS = ("una.realname@example.com", "Unabel", "Realname", "447700900123")


def person(number: int = 1) -> dict[str, Any]:
    name = {"first_name": "Unabel", "last_name": "Realname"}
    return {"key": str(number), "email": "una.realname@example.com", "phone": "+447700900123", **name}


def hold(flow: Flow, kind: str, number: int = 1, *, start: int = 1) -> list[Delivery]:
    """So many customers that wait for one question of that kind."""
    question = make_exception(flow, kind, f"{kind}-{start}")
    rows = [make_delivery(flow, str(7000 + start + index), record=person(), state="blocked") for index in range(number)]
    Hold.objects.bulk_create(Hold(exception=question, delivery=row) for row in rows)
    return rows


def page(client: Client, address: str = LIST) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


def states() -> dict[str, str]:
    return dict(Delivery.objects.values_list("record_key", "state"))


def hidden(text: str) -> dict[str, str]:
    """The fields that a step carries to the next one."""
    return dict(re.findall(r'name="(\w+)" value="([^"]*)"', text))


def finish(client: Client, address: str) -> str:
    """Press the button of the preview and let the page go on by itself until it is over; returns the last page."""
    text = client.post(address).content.decode()
    for _ in range(50):
        if "Trying again…" not in text:
            return text
        text = client.post(address, hidden(text), headers={"HX-Request": "true"}).content.decode()
    raise AssertionError("it never ended")


def test_a_held_contact_is_listed_with_its_reason_origin_and_next_step_in_plain_words(ecommerce: Client):
    hold(make_flow("customer"), "bad_phone")

    text = page(ecommerce)

    for told in (
        "U••• R•••",
        KINDS["bad_phone"].label,
        KINDS["bad_phone"].cause,
        KINDS["bad_phone"].remedy,
        "Storefront data",
        "Example shop",
    ):
        assert told in text.replace("&#x27;", "'"), told


def test_the_list_masks_people_even_for_those_who_may_see_them(administrator: Client):
    hold(make_flow("customer"), "bad_phone")

    text = page(administrator)

    assert [secret for secret in SECRETS if secret in text] == []


def test_orders_and_contacts_that_arrived_are_not_listed(administrator: Client):
    customers = make_flow("customer")
    make_delivery(customers, "8001", state="delivered")
    make_exception(make_flow("order"), waiting=2)

    assert "Nobody is held back" in page(administrator)


def test_the_top_counts_contacts_per_reason(administrator: Client):
    flow = make_flow("customer")
    hold(flow, "bad_phone", 3)
    hold(flow, "refused", 2, start=20)

    text = re.sub(r"\s+", " ", page(administrator))

    assert re.findall(r"([\w ]+) <strong>(\d+)</strong></a>", text) == [
        ("All reasons", "5"), (KINDS["bad_phone"].label, "3"), (KINDS["refused"].label, "2"),
    ]  # fmt: skip


def old(rows: list[Delivery]) -> None:
    Hold.objects.filter(delivery__in=rows).update(since=timezone.now() - timedelta(days=3))


@pytest.mark.parametrize(
    ("query", "keys"),
    [
        ("reason=bad_phone", {"7001"}),
        ("reason=refused", {"7020"}),
        ("origin=destination", {"7020"}),
        ("origin=storefront", {"7001"}),
        ("age=over_day", {"7001"}),
        ("age=hour", {"7020"}),
        ("q=7020", {"7020"}),
        ("q=702", set()),
    ],
)
def test_the_list_is_filtered(query: str, keys: set[str], administrator: Client):
    flow = make_flow("customer")
    old(hold(flow, "bad_phone"))
    hold(flow, "refused", start=20)

    text = page(administrator, f"{LIST}?{query}")

    assert {key for key in ("7001", "7020") if f"· {key}</small>" in text} == keys


def test_the_list_is_filtered_by_source(administrator: Client):
    flow = make_flow("customer")
    hold(flow, "refused")
    other = Connection.objects.create(platform="shopify", name="Other shop", external_id="other.example.com", base_url="http://127.0.0.1:9")
    hold(Flow.objects.create(source=other, destination=flow.destination, record_type="customer"), "refused", start=20)

    text = page(administrator, f"{LIST}?source={other.pk}")

    assert ("· 7020</small>" in text, "· 7001</small>" in text) == (True, False)


@pytest.mark.parametrize(
    ("kind", "label", "place"),
    [
        ("ambiguous_contact", "Choose the contact", "/admin/integrations/syncexception/"),
        ("no_mapping", "Publish a mapping", "/admin/mapping/mappingversion/?flow="),
        ("invalid_payload", "Open the field rules", "/admin/mapping/mappingversion/?flow="),
    ],
)
def test_the_next_step_is_a_button_to_where_it_is_done(kind: str, label: str, place: str, administrator: Client):
    hold(make_flow("customer"), kind)

    assert re.search(rf'href="{re.escape(place)}[^"]*">{label}</a>', page(administrator))


def test_one_contact_is_tried_again_from_the_list(ecommerce: Client):
    flow = make_flow("customer")
    first, _ = hold(flow, "refused", 2)

    text = ecommerce.post(f"{LIST}{first.pk}/retry/", {"next": LIST}, follow=True).content.decode()

    assert states() == {"7001": "ready", "7002": "blocked"}
    assert "It is tried again now." in text


def test_the_page_of_a_contact_follows_it_until_it_has_arrived(ecommerce: Client):
    (row,) = hold(make_flow("customer"), "refused")
    address, live = f"{LIST}{row.pk}/change/", f"{LIST}{row.pk}/live/"

    held = page(ecommerce, address)
    ecommerce.post(f"{LIST}{row.pk}/retry/")
    moving = page(ecommerce, live)
    Delivery.objects.update(state="delivered", delivered_at=timezone.now())
    arrived = page(ecommerce, live)

    assert ("What to do" in held, "every 2s" in held) == (True, False)
    assert ("It is on its way" in moving, "every 2s" in moving) == (True, True)
    assert ("Nothing is left to do." in arrived, "every 2s" in arrived) == (True, False)


def test_a_contact_that_is_not_held_is_not_tried_again(ecommerce: Client):
    row = make_delivery(make_flow("customer"), state="delivered")

    text = ecommerce.post(f"{LIST}{row.pk}/retry/", follow=True).content.decode()

    assert ("so nothing was done" in text, states()) == (True, {"1001": "delivered"})


def test_before_all_are_tried_again_the_page_says_how_many_and_which(ecommerce: Client):
    flow = make_flow("customer")
    hold(flow, "refused", 60)
    hold(flow, "bad_phone", 5, start=100)

    text = page(ecommerce, f"{RETRIES}?reason=refused")

    assert ("60 contacts will be tried again" in text, KINDS["refused"].label in text, states()["7001"]) == (True, True, "blocked")


def test_all_that_the_filter_leaves_are_tried_again_not_one_page_of_them(ecommerce: Client, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(contact_retries, "STEP", 25)
    flow = make_flow("customer")
    tried = {row.record_key for row in hold(flow, "refused", 60)}
    hold(flow, "bad_phone", 5, start=100)

    text = finish(ecommerce, f"{RETRIES}?reason=refused")

    assert {key for key, state in states().items() if state == "ready"} == tried
    assert "60 contacts tried again" in text


def test_who_is_held_after_the_run_began_is_not_swept_along(ecommerce: Client, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(contact_retries, "STEP", 2)
    flow = make_flow("customer")
    hold(flow, "refused", 3)
    text = ecommerce.post(RETRIES).content.decode()
    late = hold(flow, "refused", 2, start=50)

    ecommerce.post(RETRIES, hidden(text), headers={"HX-Request": "true"})

    assert {row.record_key: states()[row.record_key] for row in late} == {"7050": "blocked", "7051": "blocked"}
    assert [states()[key] for key in ("7001", "7002", "7003")] == ["ready"] * 3


def test_after_a_run_the_page_tells_what_became_of_them(ecommerce: Client):
    rows = hold(make_flow("customer"), "refused", 4)
    text = finish(ecommerce, RETRIES)
    for row, state in zip(rows, ("delivered", "blocked", "accepted", "ready"), strict=True):
        Delivery.objects.filter(pk=row.pk).update(state=state, updated_at=timezone.now())

    told = ecommerce.get(f"{LIST}progress/", hidden(text)).content.decode()

    assert re.findall(r"<dt>([\w :]+)</dt><dd>(\d+)</dd>", told) == [
        ("Delivered", "1"), ("On their way", "2"), ("Held again: the reason is still there", "1"),
    ]  # fmt: skip
    assert "every 2s" in told


def test_a_connection_that_takes_nothing_is_named_above_the_list(administrator: Client):
    flow = make_flow("customer")
    hold(flow, "refused")
    raise_for_connection(flow.destination, "needs_auth", "key", "Example Ometria needs a new key")

    assert "Example Ometria needs a new key" in page(administrator)


def test_visitors_who_never_gave_a_name_are_counted_above_the_list(administrator: Client):
    flow = make_flow("customer")
    raise_for_connection(flow.source, "orphaned_events", "2026-11-21", "Example shop: visitors of 21 November 2026 stayed unknown")
    SyncException.objects.update(occurrences=1204)

    assert "1,204 events of visitors who never gave a name." in page(administrator)


def test_events_that_reached_no_profile_are_listed_with_people(administrator: Client):
    hold(make_flow("event"), "no_profile")

    assert ("· 7001</small>" in page(administrator), "See whose profile is missing" in page(administrator)) == (True, True)


def test_people_without_the_right_see_no_way_to_try_again_and_are_refused(sign_in: Callable[[str], Client]):
    (row,) = hold(make_flow("customer"), "refused")
    reader = sign_in("ecommerce")
    group = reader.get(LIST).wsgi_request.user.groups.get()
    group.permissions.remove(group.permissions.get(codename="change_delivery"))

    text = page(reader)

    assert ("Try again" in text, "Try all" in text) == (False, False)
    assert [reader.post(address).status_code for address in (f"{LIST}{row.pk}/retry/", RETRIES)] == [403, 403]
    assert reader.get(RETRIES).status_code == 403
    assert states() == {"7001": "blocked"}


def test_a_narrowed_role_tries_only_its_own_records_again(sign_in: Callable[[str], Client]):
    hold(make_flow("customer"), "refused")
    hold(make_flow("event"), "refused", start=50)

    finish(sign_in("marketing"), RETRIES)

    assert states() == {"7001": "ready", "7050": "blocked"}


def test_trying_all_again_takes_the_page_s_token(db: None, sign_in: Callable[[str], Client]):
    hold(make_flow("customer"), "refused")
    client = Client(enforce_csrf_checks=True)
    client.cookies = sign_in("manager").cookies

    assert (client.post(RETRIES).status_code, states()) == (403, {"7001": "blocked"})


def test_the_export_holds_what_the_filter_leaves_and_masks_people(ecommerce: Client):
    flow = make_flow("customer")
    hold(flow, "refused", 2)
    hold(flow, "bad_phone", start=50)
    Delivery.objects.update(last_message="447700900123 of una.realname@example.com is wrong")

    answer = ecommerce.get(f"{LIST}export/csv/?reason=refused")
    text = b"".join(answer.streaming_content).decode("utf-8-sig")

    rows = list(csv.DictReader(io.StringIO(text)))
    assert [(row["key at the source"], row["reason"]) for row in rows] == [
        ("7002", KINDS["refused"].label),
        ("7001", KINDS["refused"].label),
    ]
    assert [secret for secret in SECRETS if secret in text] == []


def test_the_export_comes_as_a_workbook_too(administrator: Client):
    hold(make_flow("customer"), "refused")

    book = load_workbook(io.BytesIO(administrator.get(f"{LIST}export/xlsx/").content))

    assert [row[2] for row in book.active.iter_rows(values_only=True)] == ["key at the source", "7001"]


def test_sixty_rows_cost_as_many_queries_as_three(administrator: Client):
    flow = make_flow("customer")
    hold(flow, "bad_phone", 3)
    few = queries(administrator)
    hold(flow, "refused", 57, start=100)

    assert queries(administrator) == few <= 16


def queries(client: Client) -> int:
    client.get(LIST)
    with CaptureQueriesContext(database) as captured:
        assert client.get(LIST).status_code == 200
    return len(captured)


def test_what_the_masks_do_to_a_sentence():
    from integrations.engine.masking import masked_text

    assert masked_text("The phone +44 7700 900123 of ann@example.com is no number, 3 tries, order 1001") == (
        "The phone •••23 of a•••@example.com is no number, 3 tries, order 1001"
    )


def test_the_address_of_the_list_is_where_the_side_bar_leads(ecommerce: Client):
    assert reverse("admin:integrations_contactsync_changelist") == LIST
    assert f'href="{LIST}"' in page(ecommerce, "/admin/")
