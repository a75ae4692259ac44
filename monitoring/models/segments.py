"""Segments of a marketing platform: what they are said to be, what our own records say, and how that changed over time.

Rows that belong to a delivery have no database constraint to it: its check would lock deliveries in another order than the outbox does.
"""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from integrations.models import Connection, Delivery
from integrations.words import plural

ANSWERS = (
    ("unread", "Not read yet"), ("healthy", "Healthy"), ("absent", "Gone from Ometria"), ("not_ready", "Not ready"), ("empty", "Empty"),
    ("stale", "Not refreshed"), ("shrunk", "Smaller than usual"), ("grown", "Bigger than usual"), ("drifted", "Differs from our records"),
)  # fmt: skip


class SegmentSource(models.Model):
    """The segments of one connection as a whole: when they are read next, how far a reading is, and why it failed."""

    connection = models.OneToOneField(Connection, models.CASCADE, primary_key=True, related_name="segment_source")
    due_at = models.DateTimeField()
    asked_at = models.DateTimeField(null=True)  # a person asked for a reading
    read_at = models.DateTimeField(null=True)
    lease_until = models.DateTimeField(null=True)
    faults = models.PositiveIntegerField(default=0)
    error = models.CharField(max_length=500, blank=True)
    done = models.PositiveIntegerField(default=0)  # watched segments of the reading under way that are worked out
    total = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"Segments of connection {self.connection_id}"


class Segment(models.Model):
    """One segment as the platform lists it; those that somebody watches have thresholds, a rule of ours and an answer."""

    connection = models.ForeignKey(Connection, models.CASCADE, related_name="segments")
    list_id = models.CharField("id", max_length=100)
    title = models.CharField(max_length=300)
    kind = models.CharField("type", max_length=30, blank=True)
    status = models.CharField(max_length=30, blank=True)
    size = models.PositiveIntegerField(null=True)
    refreshed_at = models.DateTimeField(null=True)
    present = models.BooleanField(default=True)
    read_at = models.DateTimeField(null=True)

    watched = models.BooleanField(default=False)
    rule = models.JSONField(default=dict, blank=True)  # see `monitoring.segments.rule.Rule`; empty = nothing is expected
    median_percent = models.PositiveSmallIntegerField("differs from its usual size by more than (%)", default=20)
    drift_percent = models.PositiveSmallIntegerField("differs from our records by more than (%)", default=10)
    stale_days = models.PositiveSmallIntegerField("not refreshed for more than (days)", default=8)

    usual = models.PositiveIntegerField(null=True)  # rolling median of its size
    expected = models.PositiveIntegerField(null=True)  # people who should be in it by the rule
    expected_at = models.DateTimeField(null=True)
    answer = models.CharField(max_length=12, choices=ANSWERS, default="unread")
    reasons = models.JSONField(default=list)  # sentences, the gravest first
    answered_at = models.DateTimeField(null=True)  # since when the answer is what it is
    missing = models.JSONField(default=dict)  # cause → {people, rows, questions}: why people of the rule may not be in it
    changed = models.JSONField(default=dict)  # span → {since, size, causes}: what moved since then
    spark = models.JSONField(default=list)  # sizes of the last days, for lists

    class Meta:
        ordering = ["title"]
        constraints = [models.UniqueConstraint(fields=["connection", "list_id"], name="one_segment_per_list")]
        indexes = [models.Index(fields=["connection", "title"], condition=Q(watched=True), name="segment_watched")]

    def __str__(self) -> str:
        return self.title


class SegmentReading(models.Model):
    """What a watched segment was at one moment."""

    segment = models.ForeignKey(Segment, models.CASCADE, related_name="readings", db_index=False)
    at = models.DateTimeField()
    size = models.PositiveIntegerField(null=True)  # empty when the platform did not list it
    status = models.CharField(max_length=30, blank=True)
    refreshed_at = models.DateTimeField(null=True)
    expected = models.PositiveIntegerField(null=True)
    answer = models.CharField(max_length=12, choices=ANSWERS)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["segment", "at"], name="one_reading_per_moment")]
        indexes = [models.Index(fields=["at"], name="segment_reading_at")]

    def __str__(self) -> str:
        return f"{self.size} at {self.at:%Y-%m-%d %H:%M}"


class SegmentFlip(models.Model):
    """A change of a segment's answer, with the reason in plain words."""

    segment = models.ForeignKey(Segment, models.CASCADE, related_name="flips", db_index=False)
    at = models.DateTimeField()
    before = models.CharField(max_length=12, choices=ANSWERS)
    after = models.CharField(max_length=12, choices=ANSWERS)
    reason = models.TextField()

    class Meta:
        indexes = [models.Index(fields=["segment", "-at"], name="segment_flip_latest")]

    def __str__(self) -> str:
        return f"{self.before} → {self.after}"


class SegmentRows(models.Model):
    """The newest deliveries behind one number of a segment's page, as the last reading counted them."""

    segment = models.ForeignKey(Segment, models.CASCADE, related_name="kept_rows", db_index=False)
    cause = models.CharField(max_length=20)  # a key of `monitoring.segments.causes.CAUSES`
    since = models.DateTimeField(null=True)  # what a change is compared with; empty for what is missing now
    deliveries = models.JSONField(default=list)  # newest first

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["segment", "cause", "since"], nulls_distinct=False, name="rows_of_a_cause_once"),
        ]

    def __str__(self) -> str:
        return f"{self.cause}: {len(self.deliveries)} records"


class FactMark(models.Model):
    """Up to which change of the outbox the facts are filled in; `caught_up_at` empty until the first time that nothing was left."""

    name = models.CharField(max_length=20, primary_key=True)
    until = models.DateTimeField()
    caught_up_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.name} up to {self.until}"


class OrderFact(models.Model):
    """What counting needs of one order's delivery, without personal data: `person` is a hash of who bought."""

    delivery = models.OneToOneField(Delivery, models.CASCADE, primary_key=True, related_name="order_fact", db_constraint=False)
    flow_id = models.BigIntegerField()
    person = models.BigIntegerField()
    placed_at = models.DateTimeField()
    status = models.CharField(max_length=30)
    status_since = models.DateTimeField()
    net = models.DecimalField(max_digits=20, decimal_places=4)
    currency = models.CharField(max_length=3)
    skus = models.JSONField(default=list)
    state = models.CharField(max_length=10)
    state_since = models.DateTimeField()
    delivered_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["flow_id", "placed_at"], name="order_fact_window"),
            models.Index(fields=["person", "placed_at"], name="order_fact_person"),
            models.Index(fields=["flow_id", "placed_at"], condition=~Q(state="delivered"), name="order_fact_open"),
        ]

    def __str__(self) -> str:
        return f"facts of delivery {self.delivery_id}"


class ContactFact(models.Model):
    """What counting needs of one contact's delivery: whose it is (a hash), how far it is, and consent to e-mail."""

    delivery = models.OneToOneField(Delivery, models.CASCADE, primary_key=True, related_name="contact_fact", db_constraint=False)
    flow_id = models.BigIntegerField()
    person = models.BigIntegerField()
    consent = models.CharField(max_length=10)  # granted, withdrawn, or unknown = never asked
    consent_since = models.DateTimeField()
    state = models.CharField(max_length=10)
    state_since = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["person"], name="contact_fact_person"),
            models.Index(fields=["flow_id", "consent_since"], condition=Q(consent="withdrawn"), name="contact_fact_withdrawn"),
            models.Index(fields=["flow_id", "state_since"], condition=Q(state="blocked"), name="contact_fact_held"),
        ]

    def __str__(self) -> str:
        return f"facts of delivery {self.delivery_id}"


class ReadBack(models.Model):
    """A random sample of people who should be in a segment, read from the platform and compared with what was sent."""

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        RUNNING = "running", "Running"
        DONE = "done", "Done"
        CANCELLED = "cancelled", "Cancelled"
        FAILED = "failed", "Failed"

    segment = models.ForeignKey(Segment, models.CASCADE, related_name="read_backs")
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True)
    asked_at = models.DateTimeField()
    due_at = models.DateTimeField()
    lease_until = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    chosen = models.JSONField(default=list)  # deliveries of the orders by which people were chosen
    done = models.PositiveIntegerField(default=0)
    fields = models.JSONField(default=dict)  # "order.status" → [compared, different]
    faults = models.PositiveIntegerField(default=0)
    error = models.CharField(max_length=500, blank=True)

    class Meta:
        indexes = [models.Index(fields=["due_at"], condition=Q(state__in=["waiting", "running"]), name="read_back_open")]

    def __str__(self) -> str:
        return f"Read-back of {plural(len(self.chosen), 'person', 'people')}"


class ReadBackRow(models.Model):
    """One record of a sampled person: whether the platform has it, and the fields on which both ends differ."""

    read_back = models.ForeignKey(ReadBack, models.CASCADE, related_name="rows")
    delivery = models.ForeignKey(Delivery, models.CASCADE, related_name="+", db_index=False, db_constraint=False)
    kind = models.CharField(max_length=10)  # order or contact
    found = models.BooleanField()
    member = models.BooleanField(null=True)  # whether the person's profile is in the segment; empty = not asked or unknown
    differences = models.JSONField(default=list)  # [{field, sent, there}]
    cause = models.CharField(max_length=20)  # a key of `monitoring.segments.read_back.CAUSES`

    class Meta:
        constraints = [models.UniqueConstraint(fields=["read_back", "delivery"], name="one_row_per_read_back_and_delivery")]

    def __str__(self) -> str:
        return f"{self.kind} {self.delivery_id}"
