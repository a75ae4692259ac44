"""The privacy pages: who is shown before anything happens, what has to be typed, what can be taken back, and what is proved."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Any

import orjson
import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from integrations.engine.privacy import runs
from integrations.models import Delivery, Flow, PrivacyMark, PrivacyRequest
from tests.canary import BESIDE, CANARY, WORDS, bring, lay_out, plant

pytestmark = pytest.mark.django_db
LIST, PERSON = "admin:integrations_privacyrequest_changelist", "admin:integrations_privacyrequest_person"
EXPORT, ERASE = "admin:integrations_privacyrequest_ask_export", "admin:integrations_privacyrequest_ask_erasure"


@pytest.fixture
def flows() -> dict[str, Flow]:
    made = lay_out()
    plant(made, CANARY)
    return made


def page_of(row: PrivacyRequest, name: str = "change") -> str:
    return reverse(f"admin:integrations_privacyrequest_{name}", args=[row.pk])


def text_of(answer: Any) -> str:
    return answer.content.decode()


def done(request: PrivacyRequest) -> PrivacyRequest:
    PrivacyRequest.objects.filter(pk=request.pk).update(start_at=timezone.now())
    runs.pump(request.pk)
    PrivacyRequest.objects.filter(pk=request.pk, state="following").update(state="following", next_at=timezone.now())
    request.refresh_from_db()
    return request


def test_the_person_and_what_is_held_where_are_shown_before_anything_is_asked(flows: dict[str, Flow], manager: Client):
    page = text_of(manager.post(reverse(PERSON), {"q": CANARY["email"], "intent": "erase"}))

    told = [CANARY["email"], CANARY["phone"], "Wilhelmina Kanarienvogel", "Orders", "Example shop → Example Ometria", "cannot be undone"]
    assert [word for word in told if word not in page] == []
    assert PrivacyRequest.objects.count() == 0


def test_nothing_that_is_typed_stands_in_an_address(flows: dict[str, Flow], manager: Client):
    answer = manager.post(reverse(EXPORT), {"q": CANARY["email"]})

    assert (answer.status_code, CANARY["email"] in answer.url) == (302, False)
    assert manager.get(reverse(PERSON), {"q": CANARY["email"]}).context["asked"] is False


def test_somebody_nobody_knows_is_said_to_be_unknown(flows: dict[str, Flow], manager: Client):
    assert "Nobody is known by that" in text_of(manager.post(reverse(PERSON), {"q": "#99887766"}))


def test_an_erasure_takes_what_was_searched_for_typed_again(flows: dict[str, Flow], manager: Client):
    first = manager.post(reverse(ERASE), {"q": CANARY["email"], "typed": "yes"})
    refused = (first.status_code, PrivacyRequest.objects.count(), "Nothing was erased" in text_of(first))

    manager.post(reverse(ERASE), {"q": CANARY["email"], "typed": CANARY["email"].upper()})

    row = PrivacyRequest.objects.get()
    assert refused == (200, 0, True)
    assert (row.kind, row.by_name, row.start_at > timezone.now(), row.due_at > timezone.now() + timedelta(days=29)) == (
        "erasure", "manager", True, True,
    )  # fmt: skip


def test_it_can_be_cancelled_until_it_starts(flows: dict[str, Flow], manager: Client):
    manager.post(reverse(ERASE), {"q": CANARY["email"], "typed": CANARY["email"]})
    row = PrivacyRequest.objects.get()
    offered = "Cancel before it starts" in text_of(manager.get(page_of(row)))

    manager.post(page_of(row, "cancel"))

    row.refresh_from_db()
    assert (offered, row.state, row.subject) == (True, "cancelled", "")
    assert "Cancelled before it started" in text_of(manager.get(page_of(row)))


def test_no_page_or_certificate_of_an_erasure_names_the_person_afterwards(flows: dict[str, Flow], manager: Client):
    manager.post(reverse(ERASE), {"q": CANARY["email"], "typed": CANARY["email"]})
    row = done(PrivacyRequest.objects.get())
    runs.finish(row)

    pages = [text_of(manager.get(address)) for address in (reverse(LIST), page_of(row), page_of(row, "live"), page_of(row, "certificate"))]
    certificate = orjson.loads(pages[-1])
    digest = hashlib.sha256(orjson.dumps(certificate["certificate"], option=orjson.OPT_SORT_KEYS)).hexdigest()
    assert [word for word in WORDS for page in pages if word in page] == []
    assert (certificate["sha256"], digest in pages[1]) == (digest, True)
    assert {row["table"] for row in certificate["certificate"]["tables"]} >= {"Deliveries", "Inbox events", "Attempts"}


def test_somebody_who_was_erased_before_is_said_to_be(flows: dict[str, Flow], manager: Client):
    manager.post(reverse(ERASE), {"q": CANARY["email"], "typed": CANARY["email"]})
    done(PrivacyRequest.objects.get())

    assert "This person was erased before" in text_of(manager.post(reverse(PERSON), {"q": CANARY["email"]}))
    assert "This person was erased before" not in text_of(manager.post(reverse(PERSON), {"q": BESIDE["email"]}))


def test_somebody_who_comes_back_is_let_in_by_a_person(flows: dict[str, Flow], manager: Client):
    manager.post(reverse(ERASE), {"q": CANARY["email"], "typed": CANARY["email"]})
    row = done(PrivacyRequest.objects.get())

    answer = text_of(manager.post(reverse("admin:integrations_privacyrequest_let_back"), {"q": CANARY["phone"]}))
    bring(flows, CANARY, second=60)

    kept = Delivery.objects.get(flow=flows["customer"], record_key=CANARY["customer"])
    assert ("Let back in" in answer, kept.record["email"], PrivacyMark.objects.count()) == (True, CANARY["email"], 0)
    assert "Let back in" in text_of(manager.get(page_of(row)))


def test_the_file_is_downloaded_written_down_and_handed_over(flows: dict[str, Flow], manager: Client):
    manager.post(reverse(EXPORT), {"q": CANARY["email"]})
    row = done(PrivacyRequest.objects.get())

    answer = manager.get(page_of(row, "file"))
    content = b"".join(answer.streaming_content)
    manager.post(page_of(row, "hand_over"))

    row.refresh_from_db()
    page = text_of(manager.get(page_of(row)))
    assert (content[:2], answer["Content-Type"], row.state, row.subject) == (b"PK", "application/zip", "done", "")
    assert [word for word in ("The file was downloaded", "Handed over") if word not in page] == []


def test_only_managers_and_administrators_see_requests(flows: dict[str, Flow], sign_in: Any):
    seen = {role: sign_in(role).get(reverse(LIST)).status_code for role in ("ecommerce", "marketing", "manager", "administrator")}

    assert seen == {"ecommerce": 403, "marketing": 403, "manager": 200, "administrator": 200}


def test_the_list_takes_the_same_number_of_queries_for_one_and_for_many(manager: Client, django_assert_max_num_queries: Any):
    from tests.rows import make_privacy_request

    counts = []
    for many in (1, 20):
        for _ in range(many):
            make_privacy_request(state="done", codes=["e1"] * 50)
        with django_assert_max_num_queries(14) as seen:
            manager.get(reverse(LIST))
        counts.append(len(seen))
    assert counts[0] == counts[1]
