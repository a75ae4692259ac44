"""Impact runs: what a draft would do to past records, counted once each whatever happens to the worker; and sending again what changed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import orjson
import pytest
from django.utils import timezone
from django_q.models import OrmQ

from integrations.engine import impact, masks, ownership
from integrations.engine.findings import MOST_FIELDS, fields_of, note_changes, reasons_of
from integrations.models import Delivery, Flow, Hold, ImpactRun, SyncException
from mapping import codec
from mapping.defaults import default_mapping, load_defaults
from mapping.models import MappingVersion
from mapping.preview import FieldChange
from mapping.rules import OnInvalid, Rule
from mapping.transforms import Call
from mapping.versions import draft_from, publish, save_rules
from tests.mapping import samples
from tests.rows import make_delivery, make_exception, make_flow, make_person

pytestmark = pytest.mark.django_db
SHIPPED = {rule.target: rule for rule in default_mapping("shopify", "ometria", "order").rules}
RULES = SHIPPED | {"customer.email": replace(SHIPPED["customer.email"], on_invalid=OnInvalid.HOLD)}
PREFIXED = {"web_id": replace(RULES["web_id"], transforms=(Call("prefix", "UK-"),))}
NO_EMAIL_CHECK = {"customer.email": SHIPPED["customer.email"]}


@pytest.fixture
def flow() -> Flow:
    flow = make_flow("order")
    load_defaults(flow)  # with its value tables
    publish(save_rules(draft_from(flow.pk), RULES.values()), note="Addresses are checked")
    return flow


def put(flow: Flow, key: str, *, state: str = "delivered", **values: Any) -> Delivery:
    record = samples.order(key=key, **values)
    return make_delivery(flow, key, record=orjson.loads(codec.dumps(record)), state=state, sent_hash="x" if state == "delivered" else "")


def put_bad(flow: Flow, key: str) -> Delivery:
    return put(flow, key, state="blocked", customer=samples.CustomerRef(key="1", email="not an address"))


def a_draft(flow: Flow, *changes: dict[str, Rule]) -> MappingVersion:
    """A draft of the default rules with some of them replaced."""
    rules = dict(RULES)
    for change in changes:
        rules |= change
    return save_rules(draft_from(flow.pk), rules.values())


def ran(draft: MappingVersion, **options: Any) -> ImpactRun:
    run = impact.start(draft, None, **options)
    impact.pump_impact(run.pk)
    return ImpactRun.objects.get(pk=run.pk)


def counts(run: ImpactRun) -> dict[str, int]:
    return {name: number for name in impact.COUNTS if (number := getattr(run, name))}


def test_a_run_says_what_changes_what_would_be_held_and_what_would_go_out(flow: Flow):
    shown, bare, bad = put(flow, "1001"), put(flow, "1002", number=""), put_bad(flow, "1003")
    put(flow, "1004", test=True)
    draft = a_draft(flow, {"web_id": replace(PREFIXED["web_id"], required=True)}, NO_EMAIL_CHECK)

    run = ran(draft)

    assert (run.state, run.total, run.error) == ("done", 4, "")
    assert counts(run) == {"looked_at": 4, "changed": 1, "fails": 1, "answered": 1, "left": 1}
    assert [(row.path, row.count, row.added, row.samples) for row in fields_of(run.findings)] == [("web_id", 1, 0, (shown.pk,))]
    assert [(row.kind, row.field, row.count, row.samples) for row in reasons_of(run.findings, "fails")] == [
        ("missing_field", "web_id", 1, (bare.pk,))
    ]
    assert [(row.kind, row.field, row.subject, row.samples) for row in reasons_of(run.findings, "answered")] == [
        ("bad_email", "customer.email", "", (bad.pk,))
    ]


def test_a_payload_that_breaks_a_limit_of_the_destination_would_be_held(flow: Flow):
    put(flow, "1001")
    draft = a_draft(flow, {"id": replace(RULES["id"], transforms=(Call("prefix", "x" * 60),))})

    run = ran(draft)

    assert counts(run) == {"looked_at": 1, "fails": 1}
    assert [(row.kind, row.field) for row in reasons_of(run.findings, "fails")] == [("invalid_payload", "id")]


def test_a_run_holds_no_value_of_any_record(flow: Flow):
    put(flow, "1001")

    run = ran(a_draft(flow, PREFIXED))

    assert ("Ada" in orjson.dumps(run.findings).decode(), "#1001" in orjson.dumps(run.findings).decode()) == (False, False)


def test_a_run_writes_nothing_but_itself(flow: Flow):
    put(flow, "1001")
    put_bad(flow, "1002")
    before = list(Delivery.objects.order_by("pk").values())
    tasks = OrmQ.objects.count()

    ran(a_draft(flow, PREFIXED))

    assert list(Delivery.objects.order_by("pk").values()) == before
    assert (SyncException.objects.count(), OrmQ.objects.count() - tasks) == (0, 1)  # its own task


def test_a_flow_without_published_rules_sends_everything_for_the_first_time(flow: Flow):
    flow.delete()
    fresh = make_flow("order")
    put(fresh, "1001", state="blocked")

    assert counts(ran(a_draft(fresh))) == {"looked_at": 1, "answered": 1}


def test_a_run_looks_at_no_more_records_than_asked_the_highest_keys_first(flow: Flow):
    rows = {key: put(flow, key) for key in ("1001", "1002", "1003")}

    run = ran(a_draft(flow, PREFIXED), most=2)

    assert (run.total, run.looked_at) == (2, 2)
    assert fields_of(run.findings)[0].samples == (rows["1003"].pk, rows["1002"].pk)


def test_records_are_counted_once_although_a_worker_dies_in_the_middle(flow: Flow, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(impact, "STEP_ROWS", 2)
    for number in range(7):
        put(flow, f"100{number}")
    run = impact.start(a_draft(flow, PREFIXED), None)
    try_out = impact.try_out
    steps = iter([True, True, False])

    def dying(*arguments: Any) -> Any:
        if not next(steps, True):
            raise SystemExit("killed")
        return try_out(*arguments)

    monkeypatch.setattr(impact, "try_out", dying)
    with pytest.raises(SystemExit):
        impact.pump_impact(run.pk)
    impact.pump_impact(run.pk)  # still in the dead worker's hands
    assert ImpactRun.objects.get().looked_at == 4

    ImpactRun.objects.update(lease_until=timezone.now() - timedelta(seconds=1), created_at=timezone.now() - timedelta(minutes=2))
    OrmQ.objects.all().delete()
    assert (impact.wake_lost(), [row.task["func"] for row in OrmQ.objects.all()]) == (1, ["integrations.tasks.impact"])
    impact.pump_impact(run.pk)

    run.refresh_from_db()
    assert (run.state, counts(run)) == ("done", {"looked_at": 7, "changed": 7})
    assert [(row.path, row.count) for row in fields_of(run.findings)] == [("web_id", 7)]


def test_a_run_whose_worker_is_lost_again_and_again_is_given_up(flow: Flow):
    put(flow, "1001")
    run = impact.start(a_draft(flow), None)
    ImpactRun.objects.update(tries=impact.MOST_TRIES)

    impact.pump_impact(run.pk)

    run.refresh_from_db()
    assert (run.state, run.error) == ("failed", "Gave up: the worker was lost 5 times at the same records.")


def test_a_task_that_runs_out_of_time_hands_over_to_the_next(flow: Flow, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(impact, "STEP_ROWS", 1)
    put(flow, "1001")
    put(flow, "1002")
    run = impact.start(a_draft(flow), None)

    impact.pump_impact(run.pk, seconds=0)
    run.refresh_from_db()
    assert (run.state, run.claim, OrmQ.objects.count()) == ("running", None, 2)

    impact.pump_impact(run.pk)
    run.refresh_from_db()
    assert (run.state, run.looked_at) == ("done", 2)


def test_a_cancelled_run_stops_after_the_step_and_keeps_what_it_found(flow: Flow, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(impact, "STEP_ROWS", 2)
    for number in range(5):
        put(flow, f"100{number}")
    run = impact.start(a_draft(flow, PREFIXED), None)
    try_out, steps = impact.try_out, []

    def cancelling(*arguments: Any) -> Any:
        steps.append(1)
        if len(steps) == 2:
            assert impact.cancel(run, None)
        return try_out(*arguments)

    monkeypatch.setattr(impact, "try_out", cancelling)
    impact.pump_impact(run.pk)

    run.refresh_from_db()
    assert (run.state, run.looked_at, run.changed, impact.cancel(run, None)) == ("cancelled", 2, 2, False)


def test_the_rules_of_a_run_are_those_it_began_with(flow: Flow):
    put(flow, "1001")
    draft = a_draft(flow, PREFIXED)
    run = impact.start(draft, None)
    save_rules(draft, RULES.values())

    impact.pump_impact(run.pk)

    run.refresh_from_db()
    assert run.changed == 1
    assert impact.standing(draft).stale == "The draft was changed since."


def test_a_result_is_out_of_date_once_another_version_is_published(flow: Flow):
    draft = a_draft(flow, PREFIXED)
    ran(draft)
    assert impact.standing(draft).stale == ""

    publish(a_draft(flow), note="meanwhile")

    assert impact.standing(draft).stale == "Another version was published since."


def test_asking_twice_for_the_same_rules_begins_one_run(flow: Flow):
    draft = a_draft(flow)
    first = impact.start(draft, None)

    assert impact.start(draft, None) == first
    save_rules(draft, (RULES | PREFIXED).values())
    assert impact.start(draft, None) != first


def test_a_step_costs_the_same_queries_however_many_records_it_looks_at(
    flow: Flow, django_assert_num_queries: Any, monkeypatch: pytest.MonkeyPatch
):
    for kept in (masks, ownership):
        monkeypatch.setattr(kept, "FRESH", 600.0)  # else one of the steps may read the rules again

    def queries_of(number: int) -> int:
        for i in range(number):
            put(flow, f"{number}{i:03}")
        run = impact._take(impact.start(a_draft(flow, PREFIXED), None).pk)
        rules = impact.trial_of(run)
        with django_assert_num_queries(13, exact=False) as counted:
            impact._step(run, rules)
        impact.cancel(run, None)
        return len(counted)

    queries_of(1)  # reads masking rules and field owners
    assert queries_of(2) == queries_of(40)


def test_findings_stay_small_however_many_fields_change():
    found: dict[str, Any] = {}
    for number in range(MOST_FIELDS + 5):
        note_changes(found, number, [FieldChange(f"properties.p{number}", 1, 2), FieldChange("lines[3].sku", "a", "b")])

    assert (len(found["fields"]), found["more_fields"]) == (MOST_FIELDS, 6)
    assert fields_of(found)[0].path == "lines[].sku"
    assert fields_of(found)[0].samples == (0, 1, 2)


def resent(flow: Flow, draft: MappingVersion, scope: str) -> ImpactRun:
    before = MappingVersion.objects.get(flow=flow, state="published")
    run = impact.start_resend(publish(draft, note="new"), before, make_person("manager"), scope=scope)
    impact.pump_impact(run.pk)
    return ImpactRun.objects.get(pk=run.pk)


def states() -> dict[str, tuple[str, int]]:
    return {row.record_key: (row.state, row.version) for row in Delivery.objects.all()}


def test_only_records_whose_result_changes_go_out_again(flow: Flow):
    put(flow, "changed")
    put(flow, "same", number="")
    put(flow, "flying", state="sending")
    put(flow, "waiting", state="ready")
    put_bad(flow, "held")
    held = make_exception(flow, "bad_email", "held")
    Hold.objects.create(exception=held, delivery=Delivery.objects.get(record_key="held"))

    run = resent(flow, a_draft(flow, PREFIXED, NO_EMAIL_CHECK), "changed")

    assert states() == {
        "changed": ("ready", 1), "same": ("delivered", 1), "flying": ("sending", 2), "waiting": ("ready", 1), "held": ("ready", 1)
    }  # fmt: skip
    assert (run.state, run.queued, run.same, Hold.objects.count()) == ("done", 3, 1, 0)
    assert Delivery.objects.get(record_key="changed").sent_hash == "x"  # what turns out unchanged costs no call


def test_everything_goes_out_again_when_a_manager_says_so(flow: Flow):
    put(flow, "one")
    put(flow, "two", number="")

    run = resent(flow, a_draft(flow, PREFIXED, NO_EMAIL_CHECK), "all")

    assert ({state for state, _ in states().values()}, run.queued) == ({"ready"}, 2)


def test_a_record_that_cannot_be_read_does_not_stop_a_run(flow: Flow):
    make_delivery(flow, "broken", record={"key": "broken"})
    put(flow, "1001")

    assert counts(ran(a_draft(flow, PREFIXED))) == {"looked_at": 2, "changed": 1, "left": 1}
