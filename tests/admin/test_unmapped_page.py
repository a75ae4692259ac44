"""Unmapped products: the list, one screen per SKU, many at once, and the way out and back of a spreadsheet."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape

import pytest
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext

from integrations.admin import unmapped_bulk, unmapped_pages
from integrations.engine import backlog
from integrations.models import Delivery, Flow, SkuAnswer, SkuBacklog, SyncException
from mapping.models import SkuCrosswalk
from tests.admin.unmapped_words import ANSWERS, LIST, RUN, UPLOAD, change, crosswalk, said, states, text_of
from tests.rows import make_exception, make_flow
from tests.shelf_rows import stock_shelf, wait_for

pytestmark = pytest.mark.django_db


@pytest.fixture
def orders() -> Flow:
    """Orders of a shop whose catalogue is known."""
    stock_shelf()
    return make_flow("order")


# --- the list ---


def test_a_line_shows_what_waits_for_the_sku(orders: Flow, ecommerce: Client):
    wait_for(orders, "MUG.BLUE", 3, title="Mug of clay", option="Blue", price="9.00", quantity=2)

    text = text_of(ecommerce)

    for told in ("Mug of clay", "SKU MUG.BLUE · Blue · Example shop → Example Ometria", "£9.00", "3 orders", "6 units", "£54.00"):
        assert told in text, told


def test_what_is_worth_most_stands_first(orders: Flow, ecommerce: Client):
    for sku, price in (("CHEAP", "1.00"), ("DEAR", "900.00"), ("MIDDLE", "50.00")):
        wait_for(orders, sku, price=price)
    backlog.refresh(5)

    text = text_of(ecommerce)

    assert sorted(("CHEAP", "DEAR", "MIDDLE"), key=lambda sku: text.index(f"SKU {sku}")) == ["DEAR", "MIDDLE", "CHEAP"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("value=1000", {"DEAR"}),
        ("suggestion=strong", {"MUG.BLUE"}),
        ("suggestion=none", {"DEAR"}),
        ("suggestion=any", {"MUG.BLUE"}),
        ("q=DEAR", {"DEAR"}),
        ("q=DEA", set()),
        ("age=over_day", set()),
        ("sort=newest", {"DEAR", "MUG.BLUE"}),
    ],
)
def test_the_list_is_filtered(query: str, found: set[str], orders: Flow, ecommerce: Client):
    wait_for(orders, "MUG.BLUE", title="Mug", option="Blue", price="9.00")
    wait_for(orders, "DEAR", title="Xylophone", price="1777.00")
    backlog.refresh(5)

    text = text_of(ecommerce, f"{LIST}?{query}")

    assert {sku for sku in ("MUG.BLUE", "DEAR") if f"SKU {sku}" in text} == found


def test_settled_questions_and_other_kinds_are_not_listed(orders: Flow, ecommerce: Client):
    make_exception(orders, subject="DONE", state="resolved")
    make_exception(orders, "refused", "NOT-A-SKU")

    text = text_of(ecommerce)

    assert ("DONE" in text, "NOT-A-SKU" in text, "Every SKU that the orders carry is known" in text) == (False, False, True)


def test_the_best_suggestion_stands_in_the_list_and_is_accepted_there(orders: Flow, ecommerce: Client):
    question = wait_for(orders, "MUG.BLUE", 2, title="Mug", option="Blue", price="9.00")
    backlog.refresh(5)
    row = SkuBacklog.objects.get()

    listed = text_of(ecommerce)
    button = re.search(r'formaction="([^"]+)" name="parts" value="([^"]+)"', listed.replace('[["', "[[&quot;").replace('",', "&quot;,"))
    answered = said(ecommerce, f"{LIST}{question.pk}/quick/", {"parts": '[["MUG-BLUE",1,null]]'})

    assert f'MUG-BLUE <span class="sy-badge sy-good" title="">{row.score} of 100' in listed
    assert button is not None
    assert (button.group(1), unescape(button.group(2))) == (f"{LIST}{question.pk}/quick/", '[["MUG-BLUE",1,null]]')
    assert (crosswalk(), set(states().values())) == ({"MUG.BLUE": [("MUG-BLUE", 1)]}, {"ready"})
    assert "MUG.BLUE: MUG-BLUE. 2 waiting orders go out now." in answered


def test_sixty_rows_cost_as_many_queries_as_three(orders: Flow, administrator: Client):
    for number in range(3):
        wait_for(orders, f"A{number}", 2)
    backlog.refresh(5)
    few = queries(administrator, LIST)
    for number in range(57):
        wait_for(orders, f"B{number}", 2)
    backlog.refresh(5)

    assert queries(administrator, LIST) == few <= 16


def queries(client: Client, address: str) -> int:
    client.get(address)
    with CaptureQueriesContext(database) as captured:
        assert client.get(address).status_code == 200
    return len(captured)


# --- one SKU ---


def test_the_page_of_a_sku_says_what_an_answer_lets_go_before_it_is_given(orders: Flow, ecommerce: Client):
    other = make_exception(orders, subject="OTHER")
    question = wait_for(orders, "MUG.BLUE", 3, price="9.00", also=[other])

    text = text_of(ecommerce, change(question))

    assert "<strong>3 orders, £27.00, go out</strong> as soon as you accept." in text
    assert "3 of them wait for another answer, too." in text
    assert "Order #MUG.BLUE-0" in text


def test_candidates_are_ranked_with_reasons_and_keys(orders: Flow, ecommerce: Client):
    question = wait_for(orders, "MUG.BLUE", title="Mug", option="Blue", price="9.00")

    text = text_of(ecommerce, f"{LIST}{question.pk}/candidates/")

    first = text[: text.index("</article>")]
    assert ('data-key="1"' in first, 'aria-label="Accept MUG-BLUE"' in first, "<li>" in first) == (True, True, True)
    assert [int(score) for score in re.findall(r"</span></span>(\d+) of 100", text)] == sorted(
        (int(score) for score in re.findall(r"</span></span>(\d+) of 100", text)), reverse=True
    )
    assert SkuBacklog.objects.get().suggestion["parts"] == [["MUG-BLUE", 1, None]]


def test_a_bundle_is_suggested_and_accepted_whole(orders: Flow, ecommerce: Client):
    question = wait_for(orders, "GIFT-SET", title="Set: olive soap and soap dish", price="25.00")

    text = text_of(ecommerce, f"{LIST}{question.pk}/candidates/")
    parts = re.search(r'name="parts" value="([^>]*)"> ?<button[^>]*aria-label="Accept [12] × \w+ \+', text)
    assert parts is not None, text
    said(ecommerce, f"{LIST}{question.pk}/accept/", {"parts": parts.group(1)})

    assert sorted(crosswalk()["GIFT-SET"]) == [("DISH", 1), ("SOAP", 2)]


def test_when_nothing_looks_like_it_the_page_says_what_to_do(orders: Flow, ecommerce: Client):
    question = wait_for(orders, "Q9", title="Xylophone", price="1777.00")

    assert "Nothing in the catalogue looks like it." in text_of(ecommerce, f"{LIST}{question.pk}/candidates/")


def test_accepting_goes_on_to_the_next_sku(orders: Flow, ecommerce: Client):
    first, second = wait_for(orders, "DEAR", price="90.00"), wait_for(orders, "CHEAP", price="1.00")
    backlog.refresh(5)

    answer = ecommerce.post(f"{LIST}{first.pk}/accept/", {"parts": '[["SOAP",1,null]]'})
    last = ecommerce.post(f"{LIST}{second.pk}/accept/", {"parts": '[["SOAP",1,null]]'})

    assert (answer.url, last.url) == (change(second), LIST)


def test_next_and_previous_walk_by_value_and_begin_again_at_the_end(orders: Flow):
    rows = [wait_for(orders, sku, price=price) for sku, price in (("A", "1.00"), ("B", "90.00"), ("C", "50.00"), ("D", "50.00"))]
    backlog.refresh(5)
    fresh = wait_for(orders, "E")

    names = {row.pk: row.subject for row in (*rows, fresh)}
    walk = {row.subject: tuple(names.get(pk) for pk in unmapped_pages.neighbours(row)) for row in (*rows, fresh)}

    assert walk == {"B": (None, "C"), "C": ("B", "D"), "D": ("C", "A"), "A": ("D", "E"), "E": ("A", "B")}


def test_the_first_sku_is_the_most_valuable_one_and_the_list_when_there_is_none(orders: Flow, ecommerce: Client):
    empty = ecommerce.get(f"{LIST}first/").url
    wait_for(orders, "CHEAP", price="1.00")
    dear = wait_for(orders, "DEAR", price="90.00")
    backlog.refresh(5)

    assert (empty, ecommerce.get(f"{LIST}first/").url) == (LIST, change(dear))


def test_search_finds_entries_of_the_catalogue_to_map_to(orders: Flow, ecommerce: Client):
    question = wait_for(orders, "Q9")

    found = text_of(ecommerce, f"{LIST}{question.pk}/search/?q=linen")
    nothing = text_of(ecommerce, f"{LIST}{question.pk}/search/?q=<b>zzz")

    assert ('aria-label="Map to TOWEL-L"' in found, "£32.50" in found) == (True, True)
    assert "Nothing in the catalogue matches “<b>zzz”." in nothing
    assert "<b>zzz" not in ecommerce.get(f"{LIST}{question.pk}/search/?q=<b>zzz").content.decode()


@pytest.mark.parametrize(
    ("data", "told"),
    [
        ({"target_sku": [" "], "quantity": ["1"], "share": [""]}, "Name at least one target SKU."),
        ({"target_sku": ["A"], "quantity": ["0"], "share": [""]}, "must be a whole number from 1"),
        ({"target_sku": ["A", "A"], "quantity": ["1", "2"], "share": ["", ""]}, "A is named twice"),
        ({"target_sku": ["A"], "quantity": ["1"], "share": ["much"]}, "The share of A must be a number"),
        ({"target_sku": ["A"], "quantity": ["1"], "share": ["-1"]}, "The share of A must be a number from 0"),
        ({"parts": "nonsense"}, "This suggestion cannot be read."),
        ({"parts": '{"a": 1}'}, "This suggestion cannot be read."),
        ({"parts": "[[1]]"}, "This suggestion cannot be read."),
    ],
)
def test_an_answer_that_makes_no_sense_is_told_and_changes_nothing(data: dict, told: str, orders: Flow, ecommerce: Client):
    question = wait_for(orders, "Q9")

    text = said(ecommerce, f"{LIST}{question.pk}/accept/", data)

    assert (told in text, crosswalk(), states()) == (True, {}, {"Q9-0": "blocked"})


def test_components_with_shares_become_a_bundle(orders: Flow, ecommerce: Client):
    question = wait_for(orders, "SET")

    said(ecommerce, f"{LIST}{question.pk}/accept/", {"target_sku": ["SOAP", "DISH"], "quantity": ["2", "1"], "share": ["10", "15,5"]})

    parts = SkuCrosswalk.objects.get().components.values_list("target_sku", "quantity", "share")
    assert [(sku, quantity, str(share)) for sku, quantity, share in parts] == [("SOAP", 2, "10.0000"), ("DISH", 1, "15.5000")]
    assert "Taken back: SET is not 2 × SOAP + 1 × DISH any more." in said(ecommerce, f"{ANSWERS}{SkuAnswer.objects.get().pk}/undo/")


def test_a_sku_is_let_through_as_it_is_with_a_reason(orders: Flow, ecommerce: Client):
    question = wait_for(orders, "GIFT-CARD")

    text = said(ecommerce, f"{LIST}{question.pk}/through/", {"note": "no product"})

    row = SkuCrosswalk.objects.get()
    assert (row.action, row.note, states()) == ("ignore", "no product", {"GIFT-CARD-0": "ready"})
    assert "GIFT-CARD: let through as it is. 1 waiting order goes out now." in text


def test_what_is_settled_already_is_not_answered_again(orders: Flow, ecommerce: Client):
    question = wait_for(orders, "Q9")
    SyncException.objects.update(state="resolved")

    text = said(ecommerce, f"{LIST}{question.pk}/accept/", {"parts": '[["SOAP",1,null]]'})

    assert ("Q9 is resolved already" in text, crosswalk()) == (True, {})


@pytest.mark.django_db(transaction=True)  # answers are told from what came before by the clock
def test_the_last_answers_follow_their_orders_until_they_arrive(orders: Flow, ecommerce: Client):
    question = wait_for(orders, "Q9", 3)
    ecommerce.post(f"{LIST}{question.pk}/accept/", {"parts": '[["SOAP",1,null]]'})
    before = text_of(ecommerce, ANSWERS)
    arrived = Delivery.objects.filter(record_key__in=["Q9-0", "Q9-1"])
    arrived.update(state="delivered")
    half = text_of(ecommerce, ANSWERS)
    Delivery.objects.filter(flow=orders).update(state="delivered")
    after = text_of(ecommerce, ANSWERS)

    assert "0 of 3 orders delivered, 3 on the way" in before
    assert ("2 of 3 orders delivered, 1 on the way" in half, "every 2s" in half) == (True, True)
    assert ("3 of 3 orders delivered" in after, "every 2s" in after) == (True, False)


@pytest.mark.django_db(transaction=True)  # answers are told from what came before by the clock
def test_an_answer_is_taken_back(orders: Flow, ecommerce: Client):
    question = wait_for(orders, "Q9", 2)
    ecommerce.post(f"{LIST}{question.pk}/accept/", {"parts": '[["SOAP",1,null]]'})

    text = said(ecommerce, f"{ANSWERS}{SkuAnswer.objects.get().pk}/undo/")

    assert (crosswalk(), set(states().values())) == ({}, {"blocked"})
    assert ("Taken back: Q9 is not 1 × SOAP any more. 2 orders are looked at again." in text, "as soon as you accept" in text) == (
        True,
        True,
    )


def test_an_answer_is_taken_back_once(orders: Flow, ecommerce: Client):
    question = wait_for(orders, "Q9")
    ecommerce.post(f"{LIST}{question.pk}/accept/", {"parts": '[["SOAP",1,null]]'})
    address = f"{ANSWERS}{SkuAnswer.objects.get().pk}/undo/"
    said(ecommerce, address)

    assert "taken back already" in said(ecommerce, address)


# --- many at once ---


def ticked(client: Client, *rows: SyncException) -> str:
    return said(client, LIST, {"action": "accept_many", "_selected_action": [row.pk for row in rows], "index": 0})


def test_before_many_are_accepted_each_row_says_what_would_go_out(orders: Flow, ecommerce: Client):
    rows = [
        wait_for(orders, "MUG.BLUE", 2, title="Mug", option="Blue", price="9.00"),
        wait_for(orders, "Q9", title="Xylophone", price="1777"),
    ]
    backlog.refresh(5)

    text = ticked(ecommerce, *rows)

    assert [part in text for part in ("Answer 1 SKU", "2 orders, £18.00", "MUG-BLUE", "No suggestion, so it stays.")] == [True] * 4
    assert (crosswalk(), set(states().values())) == ({}, {"blocked"})


def test_many_are_accepted_step_by_step_with_a_result_per_row(orders: Flow, ecommerce: Client, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(unmapped_bulk, "STEP_ROWS", 2)
    rows = [wait_for(orders, f"MUG.{colour}", title="Mug", option=colour.title(), price="9.00") for colour in ("BLUE", "RED")]
    rows.append(wait_for(orders, "SOAP.", title="Olive soap", price="5.00"))
    backlog.refresh(5)
    preview = ticked(ecommerce, *rows)
    choices = re.search(r'name="choices" value="(.*?)"><div', preview).group(1)
    SyncException.objects.filter(subject="MUG.RED").update(state="resolved")

    first = unescape(ecommerce.post(RUN, {"choices": choices}).content.decode())
    state = {name: re.search(rf'name="{name}" value="(.*?)">', first).group(1) for name in ("choices", "total", "good", "released")}
    second = unescape(ecommerce.post(RUN, state, headers={"HX-Request": "true"}).content.decode())

    assert ("2 of 3 SKUs" in first, "It is resolved already, so nothing was done." in first) == (True, True)
    assert "2 of 3 SKUs answered" in second
    assert "2 orders are on the way." in re.sub(r"\s+", " ", second)
    assert crosswalk() == {"MUG.BLUE": [("MUG-BLUE", 1)], "SOAP.": [("SOAP", 1)]}


@pytest.mark.parametrize("choices", ["", "nonsense", "[[1]]", '[["x", []]]', '[[1, [["A", 0, null]]]]', "7"])
def test_choices_that_cannot_be_read_change_nothing(choices: str, orders: Flow, ecommerce: Client):
    wait_for(orders, "Q9")

    ecommerce.post(RUN, {"choices": choices}, follow=True)

    assert (crosswalk(), states()) == ({}, {"Q9-0": "blocked"})


# --- who may ---


def test_a_role_that_only_looks_sees_no_way_to_answer_and_is_refused(orders: Flow, sign_in: Callable[[str], Client]):
    question = wait_for(orders, "MUG.BLUE", title="Mug", option="Blue", price="9.00")
    backlog.refresh(5)
    reader = sign_in("marketing")

    pages = [
        text_of(reader, address)
        for address in (LIST, change(question), f"{LIST}{question.pk}/candidates/", f"{LIST}{question.pk}/search/?q=mug")
    ]
    assert [word for page in pages for word in ("formaction", "accept_many", "/accept/", "/through/", "Upload") if word in page] == []
    posts = [f"{LIST}{question.pk}/{act}/" for act in ("accept", "quick", "through")] + [RUN, UPLOAD]
    assert [reader.post(address, {"parts": '[["SOAP",1,null]]'}).status_code for address in posts] == [403] * 5
    assert (crosswalk(), states()) == ({}, {"MUG.BLUE-0": "blocked"})


def test_only_people_who_may_answer_take_answers_back(orders: Flow, ecommerce: Client, sign_in: Callable[[str], Client]):
    question = wait_for(orders, "Q9")
    ecommerce.post(f"{LIST}{question.pk}/accept/", {"parts": '[["SOAP",1,null]]'})

    answer = sign_in("marketing").post(f"{ANSWERS}{SkuAnswer.objects.get().pk}/undo/")

    assert (answer.status_code, crosswalk()) == (403, {"Q9": [("SOAP", 1)]})


def test_what_waits_is_masked_for_people_without_the_permission(orders: Flow, ecommerce: Client):
    question = wait_for(orders, "Q9")

    assert "ada@example.com" not in ecommerce.get(change(question)).content.decode()


# --- what is kept ready ---


def test_new_orders_refresh_what_is_kept_and_settled_questions_leave_it(orders: Flow):
    question = wait_for(orders, "Q9", 2, price="9.00")
    SyncException.objects.update(first_seen="2026-01-01T00:00Z", last_seen="2026-01-01T00:00Z")
    backlog.refresh(5)
    first = kept()
    Delivery.objects.filter(record_key="Q9-0").delete()
    backlog.refresh(5)
    unseen = kept()
    SyncException.objects.filter(pk=question.pk).update(last_seen="2036-01-01T00:00Z")
    backlog.refresh(5)
    seen = kept()
    SyncException.objects.update(state="resolved")
    backlog.refresh(5)

    assert (first, unseen, seen, kept()) == ([("Q9", 2, "18.000")], [("Q9", 2, "18.000")], [("Q9", 1, "9.000")], [])


def kept() -> list[tuple[str, int, str]]:
    return [(row.exception.subject, row.orders, str(row.value)) for row in SkuBacklog.objects.select_related("exception")]
