"""The outbox: one delivery per flow and record, its attempts, and the receipts of batches."""

from __future__ import annotations

from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import Q
from django.db.models.fields.json import KT
from django.db.models.functions import Now

from integrations.models.flow import Flow

SUSPECT_AFTER = 3  # tries that a delivery may share with others; from then on it goes alone


class Receipt(models.Model):
    """A platform's "queued, ask later" for a batch; its deliveries are accepted, not delivered, until it is confirmed."""

    class State(models.TextChoices):
        OPEN = "open", "Waiting for confirmation"
        CONFIRMED = "confirmed", "Confirmed"

    flow = models.ForeignKey(Flow, models.CASCADE, related_name="receipts")
    external_id = models.CharField(max_length=100)
    created_at = models.DateTimeField(db_default=Now())
    check_at = models.DateTimeField()
    tries = models.PositiveIntegerField(default=0)
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    count = models.PositiveIntegerField(default=0)

    class Meta:
        indexes = [models.Index(fields=["flow", "check_at"], condition=Q(state="open"), name="receipt_open")]

    def __str__(self) -> str:
        return self.external_id


class Delivery(models.Model):
    """The duty to bring one record to one flow's destination, and its present state."""

    class State(models.TextChoices):
        READY = "ready", "Ready"
        SENDING = "sending", "Sending"
        ACCEPTED = "accepted", "Accepted"
        DELIVERED = "delivered", "Delivered"
        BLOCKED = "blocked", "Held"
        SKIPPED = "skipped", "Skipped"

    flow = models.ForeignKey(Flow, models.CASCADE, related_name="deliveries", db_index=False)  # the unique rows begin with it
    record_key = models.CharField(max_length=200, db_collation="C")
    parent_key = models.CharField(max_length=200, blank=True)  # what it belongs to: a variant's product, an order's customer
    record = models.JSONField()
    occurred_at = models.DateTimeField()
    version = models.PositiveIntegerField(default=1)
    claimed_version = models.PositiveIntegerField(null=True)
    lane = models.PositiveSmallIntegerField(default=0)
    state = models.CharField(max_length=10, choices=State, default=State.READY)
    due_at = models.DateTimeField()
    ready_since = models.DateTimeField()  # when this version became due to go: the lag is counted from here
    attempts = models.PositiveSmallIntegerField(default=0)
    lease_until = models.DateTimeField(null=True)
    claim = models.UUIDField(null=True)
    receipt = models.ForeignKey(Receipt, models.SET_NULL, null=True, related_name="deliveries", db_index=False)
    destination_key = models.CharField(max_length=200, blank=True)
    sent_payload = models.JSONField(null=True)
    sent_hash = models.CharField(max_length=64, blank=True)
    sent_at = models.DateTimeField(null=True)
    mapping_version = models.BigIntegerField(null=True)
    delivered_at = models.DateTimeField(null=True)
    last_code = models.CharField(max_length=60, blank=True)
    last_message = models.CharField(max_length=500, blank=True)
    issues = models.JSONField(default=list)  # why it is held: [{kind, subject, message, field}]
    manual = models.BooleanField(default=False)  # a person asked for this try
    cause = models.CharField(max_length=12, blank=True)
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name_plural = "deliveries"
        permissions = [("view_personal_data", "Can see personal data unmasked")]
        constraints = [models.UniqueConstraint(fields=["flow", "record_key"], name="one_delivery_per_record")]
        indexes = [
            models.Index(fields=["flow", "lane", "due_at", "id"], condition=Q(state="ready"), name="delivery_due"),
            models.Index(
                fields=["flow", "lane", "due_at", "id"], condition=Q(state="ready", attempts__gte=SUSPECT_AFTER), name="delivery_suspect"
            ),
            models.Index(fields=["lease_until"], condition=Q(state="sending"), name="delivery_sending"),
            models.Index(fields=["receipt"], condition=Q(receipt__isnull=False), name="delivery_receipt"),
            models.Index(fields=["flow", "id"], condition=Q(state="blocked"), name="delivery_blocked"),
            models.Index(fields=["-updated_at", "-id"], condition=Q(state="blocked"), name="delivery_held"),
            models.Index(fields=["flow", "destination_key"], name="delivery_destination"),
            models.Index(fields=["flow", "state", "-updated_at"], name="delivery_recent"),
            models.Index(fields=["-updated_at"], name="delivery_latest"),
            models.Index(fields=["record_key"], name="delivery_key"),
            models.Index(fields=["cause", "-updated_at"], condition=~Q(cause__in=["webhook", "backfill"]), name="delivery_rare_cause"),
            models.Index(fields=["flow", "parent_key"], condition=~Q(parent_key=""), name="delivery_parent"),
            models.Index(KT("record__sku"), name="delivery_sku", condition=Q(record__has_key="product_key")),
        ]

    def __str__(self) -> str:
        return self.record_key


class Attempt(models.Model):
    """One try of one delivery, with its answer."""

    class Outcome(models.TextChoices):
        DELIVERED = "delivered", "Delivered"
        ACCEPTED = "accepted", "Accepted"
        LATER = "later", "Try later"
        REFUSED = "refused", "Refused"
        HELD = "held", "Held before sending"
        UNCHANGED = "unchanged", "Nothing to change"
        SKIPPED = "skipped", "Skipped"

    delivery = models.ForeignKey(Delivery, models.CASCADE, related_name="attempt_rows")
    number = models.PositiveSmallIntegerField()
    at = models.DateTimeField(db_default=Now())
    outcome = models.CharField(max_length=10, choices=Outcome)
    code = models.CharField(max_length=60, blank=True)
    message = models.CharField(max_length=500, blank=True)
    ms = models.PositiveIntegerField(default=0)
    request_id = models.CharField(max_length=100, blank=True)
    manual = models.BooleanField(default=False)

    class Meta:
        indexes = [
            BrinIndex(fields=["at"], name="attempt_at"),
            models.Index(fields=["request_id"], condition=~Q(request_id=""), name="attempt_request"),
        ]

    def __str__(self) -> str:
        return f"{self.number}: {self.outcome}"
