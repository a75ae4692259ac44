"""Requests of people about their own data: what was asked, how far it is, and what stays of it when it is done: no personal data."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from integrations.models.connection import Connection
from integrations.models.secret import EncryptedTextField

DUE_DAYS = 30  # within which a request must be carried out (GDPR article 12, and Shopify's privacy topics)
DUE_AFTER = timedelta(days=DUE_DAYS)


class PrivacyRequest(models.Model):
    """One request: everything about a person as a file, a person erased, or all that came from one shop erased.

    `subject` says whom it is about, encrypted, until it is done; then only `codes`, which nobody can turn back, tell whether it was they.
    `steps` is the walk through the tables, `asks` what other platforms were asked, `report` what the certificate says.
    """

    class Kind(models.TextChoices):
        EXPORT = "data_request", "Export"
        ERASURE = "erasure", "Erasure"
        SHOP = "shop_erasure", "Erasure of a shop"

    class Origin(models.TextChoices):
        CONSOLE = "console", "This console"
        PLATFORM = "platform", "A platform's message"

    class State(models.TextChoices):
        WAITING = "waiting", "Not started"
        RUNNING = "running", "Running"
        FOLLOWING = "following", "Waiting for platforms"
        READY = "ready", "Ready to hand over"
        DONE = "done", "Done"
        FAILED = "failed", "Stopped"
        CANCELLED = "cancelled", "Cancelled"

    kind = models.CharField(max_length=12, choices=Kind)
    origin = models.CharField(max_length=10, choices=Origin)
    connection = models.ForeignKey(Connection, models.SET_NULL, null=True, blank=True, related_name="privacy_requests")
    topic = models.CharField(max_length=100, blank=True)  # of the platform's message
    reference = models.CharField(max_length=100, blank=True)  # the platform's own number of the request
    subject = EncryptedTextField(blank=True)
    codes = models.JSONField(default=list)
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    asked_at = models.DateTimeField(db_default=Now())
    start_at = models.DateTimeField()  # not before: until then a person may take it back
    due_at = models.DateTimeField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    by_name = models.CharField(max_length=150, blank=True)  # stays when the account is deleted
    steps = models.JSONField(default=list)
    asks = models.JSONField(default=list)
    report = models.JSONField(default=dict)
    digest = models.CharField(max_length=64, blank=True)  # of the certificate
    tries = models.PositiveSmallIntegerField(default=0)
    error = models.CharField(max_length=300, blank=True)
    claim = models.UUIDField(null=True)
    lease_until = models.DateTimeField(null=True)
    next_at = models.DateTimeField(null=True)  # when the platforms are looked at again
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    file_bytes = models.PositiveBigIntegerField(default=0)
    file_until = models.DateTimeField(null=True)
    handed_over_at = models.DateTimeField(null=True)
    handed_over_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        verbose_name = "privacy request"
        indexes = [
            models.Index(fields=["-asked_at", "-id"], name="privacy_latest"),
            models.Index(fields=["state", "-asked_at"], name="privacy_state"),
            models.Index(fields=["due_at"], condition=~Q(state__in=["done", "cancelled"]), name="privacy_open"),
            models.Index(fields=["file_until"], condition=Q(file_until__isnull=False), name="privacy_files"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.pk}"


class PrivacyMark(models.Model):
    """What stays of somebody who was erased: one-way codes, by which records that come later are recognised and not kept.

    `shadow` stands in the place of the person in what stays for the books; the same for all marks of one request.
    """

    code = models.CharField(max_length=40, primary_key=True, db_collation="C")  # kind and keyed hash
    shadow = models.CharField(max_length=40)
    request = models.ForeignKey(PrivacyRequest, models.CASCADE, related_name="marks")

    def __str__(self) -> str:
        return self.shadow


class PrivacyFilePart(models.Model):
    """A piece of an export, encrypted with the installation's keys; all pieces go after some days, or when the person is erased."""

    request = models.ForeignKey(PrivacyRequest, models.CASCADE, related_name="parts", db_index=False)
    number = models.PositiveIntegerField()
    data = models.BinaryField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["request", "number"], name="one_part_per_number")]

    def __str__(self) -> str:
        return f"part {self.number} of {self.request_id}"
