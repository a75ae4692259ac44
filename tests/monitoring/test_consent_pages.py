"""The pages of consent: answer first, masked where it must be, found from everywhere, and sent again only by those who may."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from mapping.models import ConsentStatement
from monitoring.models import ConsentAudit, StaleConsent
from tests.consent_sides import G, S, U, W, ada, change, hear, sides, specs, word
from tests.rows import signed_in

__all__ = ["sides", "specs"]  # fixtures
pytestmark = pytest.mark.django_db(transaction=True)
LIST = "/admin/monitoring/staleconsent/"


def said(**wanted: object) -> str:
    row = ConsentStatement.objects.filter(**wanted).earliest("pk")
    return reverse("admin:monitoring_staleconsent_person", args=[row.pk])


def read(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200, path
    return answer.content.decode()


def test_the_answer_stands_first_with_the_statement_it_is_because_of_and_every_other_with_why_it_lost(sides):
    hear(sides.shop, ada(word(G, 1, policy="Footer form")))
    hear(sides.mail, change(word(W, 5, source="preference centre")))

    shown = read(signed_in("marketing"), said(told=False))

    order = [shown.index(text) for text in ("Not mailable", "preference centre", "Footer form", "What each platform holds")]
    assert order == sorted(order)
    assert ("ada@example.com" in shown, "Overruled by a newer statement." in shown, "On its way" in shown) == (True, True, True)


def test_a_suppression_is_shown_as_one(sides):
    hear(sides.shop, ada(word(G, 9)))
    hear(sides.mail, change(word(S, None, source="bounce")))

    shown = read(signed_in("marketing"), said(told=False))

    assert ("Not mailable: suppressed" in shown, "Overruled by a suppression." in shown) == (True, True)


def test_who_may_not_see_people_sees_no_address_and_who_may_not_send_has_no_button(sides):
    hear(sides.shop, ada(word(G, 1), word(W, 1, channel="sms"), phone="+447700900123"))
    hear(sides.mail, change(word(W, 5, source="told ada@example.com")))
    StaleConsent.objects.create(connection=sides.shop, contact_key="ada@example.com", channel="email", wanted="withdrawn", held="granted")
    row = StaleConsent.objects.get()
    client = signed_in("ecommerce")

    pages = [read(client, path) for path in (LIST, said(told=False), f"{LIST}{row.pk}/change/")]

    assert [(text in page) for page in pages for text in ("ada@example.com", "900123", "end again", "a•••@example.com")] == [
        False, False, False, True, False, False, False, True, False, False, False, True,
    ]  # fmt: skip
    assert ["<button" in page.split("sy-sub")[-1].split("consent-q")[0] for page in pages[1:]] == [False, False]


def test_a_search_leads_to_an_address_that_tells_nobody_s_name(sides):
    hear(sides.shop, ada(word(G, 1)))
    client = signed_in("ecommerce")

    found = client.post(f"{LIST}person/", {"q": " Ada@Example.com"})
    nobody = client.post(f"{LIST}person/", {"q": "eve@example.com"}).content.decode()
    nonsense = client.post(f"{LIST}person/", {"q": "hello"}).content.decode()

    assert (found.status_code, found.headers["Location"]) == (302, said(told=False))
    assert ("Nobody ever said anything about this address" in nobody, "no e-mail address and no phone number" in nonsense) == (True, True)


def test_it_is_one_click_from_the_person_s_story_and_from_the_delivery(sides):
    hear(sides.shop, ada(key="7001"))
    flow = sides.flow(sides.shop, sides.mail, "customer")
    row = flow.deliveries.get()
    client = signed_in("marketing")

    story = read(client, reverse("admin:find_trace", args=["person", flow.source_id, "7001"]))
    delivery = read(client, reverse("admin:integrations_delivery_change", args=[row.pk]))
    links = (
        reverse("admin:monitoring_staleconsent_of", args=[flow.source_id, "7001"]),
        reverse("admin:monitoring_staleconsent_delivery", args=[row.pk]),
    )

    assert (links[0] in story, links[1] in delivery) == (True, True)
    assert ["nobody ever said" in read(client, link) for link in links] == [True, True]


def test_sending_again_for_one_person_and_for_all_takes_the_right_and_is_written_down(sides):
    hear(sides.shop, ada(word(G, 1)))
    hear(sides.mail, change(word(W, 5)))
    StaleConsent.objects.create(connection=sides.shop, contact_key="ada@example.com", channel="email", wanted="withdrawn", held="granted")
    path, others = f"{said(told=False)}send/", signed_in("ecommerce")
    refused = [others.post(address).status_code for address in (path, f"{LIST}send-all/", f"{LIST}audit/")]
    marketing = signed_in("marketing")

    answers = [marketing.post(f"{LIST}send-all/?state=open").status_code, marketing.post(path).status_code]

    assert (refused, answers, marketing.post(f"{LIST}audit/").status_code) == ([403, 403, 403], [302, 302], 403)
    assert (StaleConsent.objects.get().state, StaleConsent.objects.get().asked_by.username) == ("asked", "marketing")
    assert "marketing · Sent again what stands" in read(marketing, said(told=False))


def test_a_manager_looks_now_and_sees_how_far_it_is(sides):
    manager = signed_in("manager")

    answer = manager.post(f"{LIST}audit/")

    assert (answer.status_code, ConsentAudit.objects.get().by_name) == (302, "manager")
    assert "looked at so far" in read(manager, f"{LIST}live/")


def test_the_list_says_what_it_means_when_nothing_is_wrong(sides):
    shown = read(signed_in("marketing"), LIST)

    assert ("Every platform holds what people stated last" in shown, "Nobody was looked at yet" in shown) == (True, True)


def test_neither_page_asks_the_database_more_for_more_people_and_statements(sides, django_assert_max_num_queries):
    client = signed_in("marketing")
    hear(sides.shop, ada(word(G, 1)))
    read(client, said(told=False))
    asked = []
    for part in range(2):
        with django_assert_max_num_queries(60) as seen:
            read(client, said(told=False))
            read(client, LIST)
        asked.append(len(seen))
        for number in range(12):
            hear(sides.shop, ada(word((G, W, U)[number % 3], 2 + part + number), second=number))
            StaleConsent.objects.create(
                connection=sides.shop, contact_key=f"p{part}-{number}@example.com", channel="email", wanted="withdrawn", held="granted"
            )

    assert asked[0] == asked[1]
