"""Alerts: what is wrong since when, each change of it, who is told, and what became of every message."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from integrations.models.secret import EncryptedTextField

SECRETS = ("secret", "former_secret")
SEVERITIES = (("urgent", "Urgent"), ("warning", "Warning"), ("notice", "Notice"))


class AlertRound(models.Model):
    """The one row that whoever looks must hold, so that several workers look one after the other; and the one threshold people set."""

    looked_at = models.DateTimeField(null=True)
    worth = models.PositiveIntegerField("an exception that holds up orders worth at least", default=500, db_default=500)

    def __str__(self) -> str:
        return f"looked at {self.looked_at}"


class AlertState(models.Model):
    """One condition about one thing: `raw` is what was last seen, `wrong` what people were told, which follows only when it lasts."""

    key = models.CharField(max_length=120, unique=True)  # "<watch>:<what it is about>"
    watch = models.CharField("condition", max_length=30)  # a key of `monitoring.alerts.watches.WATCHES`
    severity = models.CharField(max_length=10, choices=SEVERITIES)
    teams = models.JSONField(default=list)  # names of the groups whom it concerns
    title = models.CharField(max_length=300)
    text = models.TextField(blank=True)
    url = models.CharField(max_length=300, blank=True)  # within the console
    action = models.CharField(max_length=60, blank=True)
    raw = models.BooleanField(default=True)
    raw_since = models.DateTimeField()
    wrong = models.BooleanField(default=False)
    since = models.DateTimeField(null=True)  # of the present or the last time that it was wrong
    told_at = models.DateTimeField(null=True)  # when the last message about it was made for somebody
    recovered_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "alert"
        indexes = [
            models.Index(fields=["-since"], condition=Q(wrong=True), name="alert_wrong"),
            models.Index(fields=["key"], condition=Q(wrong=True) | Q(raw=True), name="alert_alive"),
            models.Index(fields=["-since"], condition=Q(since__isnull=False), name="alert_latest"),
        ]

    def __str__(self) -> str:
        return self.title


class AlertEvent(models.Model):
    """One change of a condition, as it was told. Rows are added and never changed."""

    class Change(models.TextChoices):
        OPENED = "opened", "Went wrong"
        OVER = "over", "Over again"

    alert = models.ForeignKey(AlertState, models.CASCADE, related_name="events", db_index=False)
    at = models.DateTimeField()
    change = models.CharField(max_length=10, choices=Change)
    since = models.DateTimeField()
    until = models.DateTimeField(null=True)  # of what is over
    watch = models.CharField("condition", max_length=30)
    severity = models.CharField(max_length=10, choices=SEVERITIES)
    teams = models.JSONField(default=list)
    title = models.CharField(max_length=300)
    text = models.TextField(blank=True)
    url = models.CharField(max_length=300, blank=True)
    action = models.CharField(max_length=60, blank=True)

    class Meta:
        verbose_name = "change"
        verbose_name_plural = "history of alerts"
        indexes = [
            models.Index(fields=["-at", "-id"], name="alert_event_latest"),
            models.Index(fields=["alert", "-at"], name="alert_event_of_alert"),
        ]

    def __str__(self) -> str:
        return f"{self.get_change_display()}: {self.title}"


class Targets(models.Manager):
    """Targets without their secrets, which are read one by one where they are needed: one that cannot be read holds up no other target."""

    def get_queryset(self) -> models.QuerySet[AlertTarget]:
        """Rows with the secrets left out."""
        return super().get_queryset().defer(*SECRETS)


class AlertTarget(models.Model):
    """Who is told: addresses of people, or a system that takes signed calls; what they want to hear, and when not."""

    class Kind(models.TextChoices):
        EMAIL = "email", "E-mail"
        WEBHOOK = "webhook", "Webhook"

    class State(models.TextChoices):
        ACTIVE = "active", "Active"
        PAUSED = "paused", "Paused by a person"
        OFF = "off", "Switched off after long failure"

    name = models.CharField(max_length=80, unique=True, help_text="How people here call it, for example “On-call phone”.")
    kind = models.CharField(max_length=10, choices=Kind)
    addresses = models.JSONField(default=list, blank=True)  # of mail
    url = models.CharField("address", max_length=500, blank=True)  # of a webhook
    secret = EncryptedTextField(blank=True, default="")
    former_secret = EncryptedTextField(blank=True, default="")  # signs beside the new one until then
    former_until = models.DateTimeField(null=True, blank=True)
    secret_set_at = models.DateTimeField(null=True, blank=True)

    teams = models.JSONField(default=list, blank=True)  # empty: every team
    watches = models.JSONField(default=list, blank=True)  # empty: every condition
    kinds = models.JSONField(default=list, blank=True)  # of exceptions; empty: every kind
    least = models.CharField(max_length=10, choices=SEVERITIES, default="warning")
    zone = models.CharField("time zone", max_length=60, default="UTC")
    quiet_from = models.TimeField(null=True, blank=True)
    quiet_until = models.TimeField(null=True, blank=True)
    urgent_passes = models.BooleanField(default=True)
    digest_hour = models.PositiveSmallIntegerField(null=True, blank=True)
    digest_teams = models.JSONField(default=list, blank=True)  # empty: every team
    digested_on = models.DateField(null=True, blank=True)

    state = models.CharField(max_length=10, choices=State, default=State.ACTIVE)
    state_reason = models.CharField(max_length=300, blank=True)
    failing_since = models.DateTimeField(null=True, blank=True)
    last_ok_at = models.DateTimeField(null=True, blank=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(db_default=Now())

    objects = Targets()

    class Meta:
        verbose_name = "alert target"
        ordering = ["name"]
        permissions = [("rotate_alerttarget", "Can change the secret of an alert target")]

    def __str__(self) -> str:
        return self.name


class AlertMessage(models.Model):
    """One message to one target. Its words are fixed when it is made, so that a second sending is the same message with the same id."""

    class Kind(models.TextChoices):
        CHANGE = "change", "Change"
        SUMMARY = "summary", "Summary after quiet hours"
        DIGEST = "digest", "Daily digest"
        TEST = "test", "Test"

    class State(models.TextChoices):
        HELD = "held", "Held until quiet hours end"
        WAITING = "waiting", "Waiting"
        SENT = "sent", "Sent"
        SUMMED = "summed", "Told in a summary"
        FAILED = "failed", "Given up"
        CANCELLED = "cancelled", "Not sent any more"

    target = models.ForeignKey(AlertTarget, models.CASCADE, related_name="messages", db_index=False)
    event = models.ForeignKey(AlertEvent, models.CASCADE, null=True, related_name="messages")
    summary = models.ForeignKey("self", models.SET_NULL, null=True, related_name="told", db_index=False)
    kind = models.CharField(max_length=10, choices=Kind)
    uid = models.CharField(max_length=60, unique=True)  # webhook-id, and the first part of the mail's Message-ID
    subject = models.CharField(max_length=400)
    text = models.TextField(blank=True)  # of a mail, or the body of a webhook
    html = models.TextField(blank=True)
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    made_at = models.DateTimeField(db_default=Now())
    due_at = models.DateTimeField()
    lease_until = models.DateTimeField(null=True)
    tries = models.PositiveSmallIntegerField(default=0)
    sent_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "message"
        constraints = [models.UniqueConstraint(fields=["target", "event"], name="one_message_per_target_and_change")]
        indexes = [
            models.Index(fields=["due_at", "id"], condition=Q(state__in=["held", "waiting"]), name="alert_message_due"),
            models.Index(fields=["target", "-id"], name="alert_message_of_target"),
            models.Index(fields=["made_at"], name="alert_message_made"),
        ]

    def __str__(self) -> str:
        return self.subject


class AlertTry(models.Model):
    """One try to send one message, with its answer: the delivery log."""

    message = models.ForeignKey(AlertMessage, models.CASCADE, related_name="log")
    at = models.DateTimeField(db_default=Now())
    number = models.PositiveSmallIntegerField()
    ok = models.BooleanField()
    status = models.PositiveSmallIntegerField(null=True)  # of HTTP
    note = models.CharField(max_length=300)
    ms = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.note
