"""The search's pages: who may do what, what they may see, and that no address ever holds what somebody typed of a person."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
import pytest
from django.contrib.auth.models import User
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from integrations.admin import find
from integrations.engine.find import Thing
from integrations.engine.find_ask import Answer
from integrations.engine.find_terms import remember
from integrations.models import Delivery, Flow
from mapping import codec
from mapping.records import CustomerRef, Record
from tests.factories import CustomerFactory, OrderFactory
from tests.rows import make_attempt, make_delivery, make_flow, make_person

pytestmark = pytest.mark.django_db
FIND, LIVE, ASK = "/admin/find/", "/admin/find/live/", "/admin/find/ask/"
ADA = CustomerFactory.build(key="7001", email="ada@example.com", phone="+442079460018", first_name="Adalind", last_name="Byron")
BUYER = CustomerRef(key="7001", email="ada@example.com", phone="+442079460018", first_name="Adalind")
ORDER = OrderFactory.build(key="5678", number="#1042", customer=BUYER)
ROLES = ("ecommerce", "marketing", "manager", "administrator")


def keep(record: Record, **values: Any) -> Delivery:
    flow = Flow.objects.filter(record_type=record.record_type).first() or make_flow(str(record.record_type))
    remember(flow.source_id, [record])
    return make_delivery(flow, record.key, record=orjson.loads(codec.dumps(record)), **values)


def test_every_role_finds_and_reads_a_story(sign_in: Callable[[str], Client]):
    row = keep(ORDER)
    story = f"/admin/find/order/{row.flow.source_id}/5678/"

    seen = {role: (sign_in(role).post(FIND, {"q": "1042"}).url, Client.get(sign_in_again(role), story).status_code) for role in ROLES}

    assert seen == dict.fromkeys(ROLES, (story, 200))


def sign_in_again(role: str) -> Client:
    client = Client()
    client.force_login(User.objects.get(username=role), backend="django.contrib.auth.backends.ModelBackend")
    return client


def test_people_without_a_role_and_strangers_find_nothing(db: None):
    keep(ORDER)
    newcomer = Client()
    newcomer.force_login(make_person(), backend="django.contrib.auth.backends.ModelBackend")

    assert [newcomer.post(path, {"q": "1042"}).status_code for path in (FIND, LIVE, ASK)] == [403, 403, 403]
    assert newcomer.get(FIND).status_code == 403
    assert "/login/?next=" in Client().post(FIND, {"q": "1042"}).url
    assert Client().post(LIVE, {"q": "1042"}).headers["HX-Refresh"] == "true"


def test_only_those_who_may_read_history_ask_a_source(sign_in: Callable[[str], Client], monkeypatch: pytest.MonkeyPatch):
    row = keep(ORDER)
    monkeypatch.setattr(find, "ask_source", lambda connection, asked, by: Answer((Thing("order", connection.pk, "5678"),), 1))
    form = {"connection": row.flow.source_id, "q": "#9999"}
    button = "Ask Example shop for it now"

    seen = {}
    for role in ROLES:
        client = sign_in(role)
        missing = client.get(f"{FIND}?q=%239999").content.decode()
        seen[role] = (client.post(ASK, form).status_code, button in missing, "A manager can ask Example shop" in missing)

    refused, allowed = (403, False, True), (302, True, False)
    assert seen == {"ecommerce": refused, "marketing": refused, "manager": allowed, "administrator": allowed}


def test_names_and_addresses_are_masked_for_people_who_may_not_see_them(sign_in: Callable[[str], Client]):
    keep(ADA)
    row = keep(ORDER)
    make_attempt(row, "refused", message="ada@example.com is no address of ours")
    pages = (f"/admin/find/order/{row.flow.source_id}/5678/", f"/admin/find/person/{row.flow.source_id}/7001/")

    shown = {}
    for role in ROLES:
        client = sign_in(role)
        texts = [client.get(page).content.decode() for page in pages]
        texts += [client.post(LIVE, {"q": "1042"}).content.decode(), client.get(f"{FIND}?q=5678").content.decode()]
        shown[role] = [("ada@example.com" in text, "Adalind" in text) for text in texts]

    clear, masked = [(True, True), (True, True), (True, True), (True, True)], [(False, False)] * 4
    assert shown == {"ecommerce": masked, "marketing": clear, "manager": clear, "administrator": clear}


@pytest.mark.parametrize("text", ["ada@example.com", "+44 20 7946 0018", "442079460018"])
def test_a_search_for_a_person_is_kept_by_a_code_and_never_by_what_was_typed(manager: Client, text: str):
    keep(ADA)
    keep(ORDER)

    page = manager.post(FIND, {"q": text})
    address = page.context["address"]

    assert (page.status_code, address.startswith("/admin/find/?who="), "example" in address, "442079460018" in address) == (
        200,
        True,
        False,
        False,
    )
    assert [line.title for group in manager.get(address).context["groups"] for line in group.lines] == [
        line.title for group in page.context["groups"] for line in group.lines
    ]


def test_an_address_with_a_person_s_address_in_it_is_left_at_once(manager: Client):
    keep(ADA)

    assert manager.get(FIND, {"q": "ada@example.com"}).url.startswith("/admin/find/?who=e.")


def test_a_search_for_nobody_goes_on_under_its_own_address(manager: Client):
    keep(ORDER)
    keep(OrderFactory.build(key="5679", number="#10425"))

    assert manager.post(FIND, {"q": "1042"}).url == "/admin/find/?q=1042"
    assert manager.get("/admin/find/?q=1042").context["count"] == 2


def test_digits_that_may_be_a_phone_but_are_an_id_stay_in_the_address(manager: Client):
    keep(OrderFactory.build(key="442079460018", number="#1042"))
    keep(OrderFactory.build(key="4420794600189", number="#1043"))

    assert manager.post(FIND, {"q": "442079460018"}).url == "/admin/find/?q=442079460018"


def test_one_hit_opens_at_once_and_the_story_answers_first(manager: Client):
    row = keep(ORDER, state="delivered")

    page = manager.post(FIND, {"q": "#1042"}, follow=True)

    assert page.redirect_chain == [(f"/admin/find/order/{row.flow.source_id}/5678/", 302)]
    assert page.context["answer"] == ("It is where it should be: Example Ometria.", "good")


def test_the_story_is_turned_round_and_narrowed_to_a_platform(manager: Client):
    row = keep(ORDER)
    make_attempt(row, "accepted")
    base = f"/admin/find/order/{row.flow.source_id}/5678/"

    def told(query: str) -> list[str]:
        return [one.entry.where for _, rows in manager.get(base + query).context["days"] for one in rows]

    assert told("?order=oldest") == told("")[::-1]
    assert (set(told("?platform=ometria")), set(told("?platform=shopify"))) == ({"Example Ometria"}, {"Example shop"})


def test_a_thing_nobody_heard_of_says_so_and_a_kind_there_is_not_is_not_found(manager: Client):
    source = make_flow("order").source_id

    unheard = manager.get(f"/admin/find/order/{source}/404/")

    assert (unheard.status_code, unheard.context["answer"][1]) == (200, "warn")
    assert "Ask Example shop for it now" in unheard.content.decode()
    assert [manager.get(f"/admin/find/{path}/").status_code for path in ("order/99999/1", f"nonsense/{source}/1", "sku/0/NONE")] == [
        404
    ] * 3


def test_the_box_is_on_every_page_but_its_own(manager: Client):
    make_flow("order")

    pages = [reverse("admin:index"), reverse("admin:integrations_delivery_changelist"), reverse("admin:password_change")]
    assert ['id="find-box"' in manager.get(page, follow=True).content.decode() for page in (*pages, FIND)][:2] == [True, True]
    assert 'id="find-box"' not in manager.get(FIND).content.decode()


def test_pages_ask_the_database_a_fixed_number_of_times(manager: Client):
    row = keep(ORDER, state="blocked")
    addresses = (f"{FIND}?q=1042", f"/admin/find/order/{row.flow.source_id}/5678/", f"{FIND}?q=9999")

    def queries() -> list[int]:
        counts = []
        for address in addresses:
            with CaptureQueriesContext(database) as captured:
                manager.get(address)
            counts.append(len(captured))
        return counts

    few = queries()
    for number in range(10):
        keep(OrderFactory.build(key=f"6{number}", number=f"#1042{number}"))
        make_attempt(row, "later")
    many = queries()

    assert [after - before for before, after in zip(few, many, strict=True)] == [0, 0, 0]
    assert max(many) <= 40
