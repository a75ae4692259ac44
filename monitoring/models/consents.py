"""The consent audit: one row per walk through the ledger, and one per person and side that does not hold what stands."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from integrations.engine.masking import mask_email, mask_phone


class ConsentAudit(models.Model):
    """One walk through everybody in the ledger; `after_channel` and `after_key` say where the next step begins."""

    class State(models.TextChoices):
        RUNNING = "running", "Running"
        DONE = "done", "Done"

    state = models.CharField(max_length=10, choices=State, default=State.RUNNING)
    started_at = models.DateTimeField(db_default=Now())
    ended_at = models.DateTimeField(null=True, blank=True)
    by_name = models.CharField(max_length=150, blank=True)  # empty when it was started by itself
    after_channel = models.CharField(max_length=20, blank=True)
    after_key = models.CharField(max_length=255, blank=True)
    looked = models.PositiveIntegerField(default=0)  # addresses and numbers
    granted = models.PositiveIntegerField(default=0)
    withdrawn = models.PositiveIntegerField(default=0)
    suppressed = models.PositiveIntegerField(default=0)
    silent = models.PositiveIntegerField(default=0)  # nobody ever said anything that counts
    stale = models.PositiveIntegerField(default=0)

    class Meta:
        indexes = [models.Index(fields=["-started_at"], name="consentaudit_latest")]
        constraints = [models.UniqueConstraint(fields=["state"], condition=models.Q(state="running"), name="one_consent_audit")]

    def __str__(self) -> str:
        return f"Consent audit of {self.started_at:%d %B %Y}"


class StaleConsent(models.Model):
    """One address or number whose consent a connection does not hold as it stands, as the last audit found it."""

    class State(models.TextChoices):
        OPEN = "open", "To be sent again"
        ASKED = "asked", "Being sent again"
        CLOSED = "closed", "Agrees again"

    connection = models.ForeignKey("integrations.Connection", models.CASCADE, related_name="+")
    channel = models.CharField(max_length=20)
    contact_key = models.CharField(max_length=255)
    wanted = models.CharField(max_length=10)  # the state that stands
    held = models.CharField(max_length=10)  # what the connection holds as last known
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    found_at = models.DateTimeField(db_default=Now())
    seen_at = models.DateTimeField(db_default=Now())
    asked_at = models.DateTimeField(null=True, blank=True)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    sent_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = "consent"
        indexes = [
            models.Index(fields=["state", "-found_at", "-id"], name="staleconsent_state"),
            models.Index(fields=["connection", "state", "-found_at"], name="staleconsent_connection"),
        ]
        constraints = [models.UniqueConstraint(fields=["contact_key", "channel", "connection"], name="one_stale_consent")]

    def __str__(self) -> str:
        return f"{self.who(personal=False)} at {self.connection}"

    def who(self, *, personal: bool) -> str:
        """The address or number, masked for those who may not see it."""
        if personal:
            return self.contact_key
        return mask_phone(self.contact_key) if self.channel == "sms" else mask_email(self.contact_key)
