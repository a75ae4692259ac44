"""Every kind of question closes by itself once its cause is gone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from integrations.engine import accounts, circuit, closing
from integrations.engine.exceptions import (
    Question,
    close_empty,
    close_for_connection,
    raise_for_connection,
    raise_questions,
    release_answered,
)
from integrations.engine.privacy import runs
from integrations.models import Checkpoint, Connection, Delivery, Flow, Hold, InboxEvent, SyncException
from integrations.models.kinds import KINDS
from integrations.models.privacy import PrivacyRequest
from mapping.models import MappingVersion, SkuCrosswalk, ValueCrosswalk
from mapping.records import Variant
from monitoring.consent import questions
from monitoring.models import StaleConsent
from tests.rows import make_connections, make_delivery, make_event, make_flow
from tests.shelf_rows import as_json

pytestmark = pytest.mark.django_db
Gone = Callable[[], object]
Story = Callable[[str], Gone]  # asks the question and returns what takes its cause away


def held(kind: str, subject: str = "x", record_type: str = "order", **values: object) -> tuple[Flow, Delivery]:
    flow = make_flow(record_type)
    delivery = make_delivery(flow, subject, state="blocked", **values)
    raise_questions(flow, [(delivery.pk, [Question(kind, subject, f"About {subject}")])])
    return flow, delivery


def sent_by_a_newer_version(kind: str) -> Gone:
    _, delivery = held(kind)
    return lambda: Hold.objects.filter(delivery=delivery).delete()


def row_in_the_crosswalk(kind: str) -> Gone:
    flow, _ = held(kind, "TEE")
    return lambda: SkuCrosswalk.objects.create(source=flow.source, destination=flow.destination, source_sku="TEE")


def row_in_the_value_table(kind: str) -> Gone:
    held(kind, "status:on_hold")
    return lambda: ValueCrosswalk.objects.create(name="status", source_value="on_hold", target_value="held")


def mapping_published(kind: str) -> Gone:
    flow, _ = held(kind)
    moment = timezone.now() + timedelta(seconds=1)
    return lambda: MappingVersion.objects.create(flow=flow, number=1, state="published", published_at=moment)


def parent_arrived(kind: str) -> Gone:
    make_flow("product")
    variant = Variant(key="V1", occurred_at=timezone.now(), product_key="P1", sku="TEE")
    held(kind, "V1", "variant", record=as_json(variant))

    def arrive() -> None:
        product = Flow.objects.get(record_type="product")
        make_delivery(product, "P1", state="delivered", sent_hash="h")

    return arrive


def contact_arrived(kind: str) -> Gone:
    make_flow("customer")
    held(kind, "E1", "event", parent_key="C1")
    customers = Flow.objects.get(record_type="customer")
    later = timezone.now() + timedelta(minutes=1)
    return lambda: make_delivery(customers, "C1", state="delivered", delivered_at=later)


def message_read(kind: str) -> Gone:
    shop, _ = make_connections()
    event = make_event(shop, "one", state="failed", error="no id in it")
    raise_for_connection(shop, kind, "no id in it", "A message could not be read")
    return lambda: InboxEvent.objects.filter(pk=event.pk).update(state="done")


def pull_works(kind: str) -> Gone:
    shop, _ = make_connections()
    now = timezone.now()
    pull = Checkpoint.objects.create(connection=shop, reader="orders", purpose="poll", window_from=now, due_at=now, faults=5, error="503")
    raise_for_connection(shop, kind, str(pull.pk), "Poll of orders fails")
    return lambda: Checkpoint.objects.filter(pk=pull.pk).update(faults=0, error="")


def day_is_over(kind: str) -> Gone:
    shop, _ = make_connections()
    row = raise_for_connection(shop, kind, timezone.localdate().isoformat(), "Visitors stayed unknown")
    past = (timezone.localdate() - timedelta(days=30)).isoformat()
    return lambda: SyncException.objects.filter(pk=row.pk).update(subject=past)


def connected_again(kind: str) -> Gone:
    shop, _ = make_connections()
    (accounts.needs_auth if kind == "needs_auth" else accounts.grant_ends)(shop, "The key is dead")
    return lambda: accounts.reconnected(Connection.objects.get(pk=shop.pk))


def platform_answers(kind: str) -> Gone:
    shop, _ = make_connections()
    for _ in range(circuit.TRIP_AFTER):
        circuit.failed(shop, "503")
    return lambda: circuit.answered(Connection.objects.get(pk=shop.pk))


def pinned_version_answers(kind: str) -> Gone:
    shop, _ = make_connections()
    Connection.objects.filter(pk=shop.pk).update(api_version="2026-10")
    accounts.note_version(Connection.objects.get(pk=shop.pk), "2026-07", "")
    return lambda: accounts.note_version(Connection.objects.get(pk=shop.pk), "2026-10", "")


def subscriptions_are_back(kind: str) -> Gone:
    shop, _ = make_connections()
    raise_for_connection(shop, kind, "", "1 webhook subscription could not be put back")
    return lambda: close_for_connection(shop, kind)  # what the hourly watch does when none is missing


def request_fulfilled(kind: str) -> Gone:
    shop, _ = make_connections()
    raise_for_connection(shop, kind, "request 1", "Erasure 1 is due in 3 days")
    return lambda: runs._close_reminder(PrivacyRequest(pk=1))  # what the end of a request does


def consent_held_as_it_stands(kind: str) -> Gone:
    shop, _ = make_connections()
    now = timezone.now()
    StaleConsent.objects.create(connection=shop, contact_key="ada@example.com", channel="email", wanted="withdrawn", held="granted")
    questions.ask(now)

    def settle() -> None:
        StaleConsent.objects.update(state=StaleConsent.State.CLOSED)
        questions.close_settled()

    return settle


STORIES: dict[str, tuple[Story, ...]] = {
    "unmapped_sku": (row_in_the_crosswalk, mapping_published, sent_by_a_newer_version),
    "unmapped_value": (row_in_the_value_table, mapping_published, sent_by_a_newer_version),
    "missing_field": (mapping_published, sent_by_a_newer_version),
    "bad_phone": (mapping_published, sent_by_a_newer_version),
    "bad_email": (mapping_published, sent_by_a_newer_version),
    "bad_value": (mapping_published, sent_by_a_newer_version),
    "invalid_payload": (mapping_published, sent_by_a_newer_version),
    "no_mapping": (mapping_published,),
    "ambiguous_contact": (sent_by_a_newer_version,),
    "missing_link": (parent_arrived,),
    "orphaned_events": (day_is_over,),
    "no_profile": (contact_arrived, sent_by_a_newer_version),
    "refused": (sent_by_a_newer_version,),
    "exhausted": (sent_by_a_newer_version,),
    "internal": (sent_by_a_newer_version,),
    "unparsable": (message_read,),
    "message_gap": (message_read,),
    "needs_auth": (connected_again,),
    "grant_ends": (connected_again,),
    "platform_down": (platform_answers,),
    "version_drift": (pinned_version_answers,),
    "missing_subscription": (subscriptions_are_back,),
    "backfill_failed": (pull_works,),
    "privacy_overdue": (request_fulfilled,),
    "stale_consent": (consent_held_as_it_stands,),
}
CASES = [(kind, story) for kind, stories in STORIES.items() for story in stories]


def sweep() -> None:
    """What the worker does every minute."""
    closing.close_gone()
    release_answered()
    close_empty()


def test_every_kind_has_a_story_of_how_it_closes() -> None:
    assert STORIES.keys() == KINDS.keys()


@pytest.mark.parametrize(("kind", "story"), CASES, ids=[f"{kind}-{story.__name__}" for kind, story in CASES])
def test_a_question_closes_by_itself_when_its_cause_is_gone_and_not_before(kind: str, story: Story) -> None:
    take_away = story(kind)
    sweep()
    before = SyncException.objects.get(kind=kind).state

    take_away()
    sweep()

    row = SyncException.objects.get(kind=kind)
    assert (before, row.state, row.resolved_by, bool(row.note)) == ("open", "resolved", None, True)
    assert not Hold.objects.exists()
