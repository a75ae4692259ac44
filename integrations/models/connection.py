"""Connections: one account at a platform, its secrets and its share of the platform's limits."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from simple_history.models import HistoricalRecords

from integrations.models.secret import EncryptedTextField
from integrations.platforms.registry import PLATFORMS


def platform_choices() -> list[tuple[str, str]]:
    """Slug and label of every platform in the registry."""
    return [(slug, platform.label) for slug, platform in PLATFORMS.items()]


class Connection(models.Model):
    """One account at a platform."""

    class State(models.TextChoices):
        ACTIVE = "active", "Active"
        PAUSED = "paused", "Paused by a person"
        NEEDS_AUTH = "needs_auth", "Needs re-authorisation"

    platform = models.CharField(max_length=30, choices=platform_choices)
    name = models.CharField(max_length=100)
    external_id = models.CharField(
        "account", max_length=200, help_text="What the platform calls this account: the myshopify.com domain, or the Ometria account name."
    )
    base_url = models.URLField("address", max_length=300, help_text="Where calls go. Only change it for a stand-in.")
    api_version = models.CharField("API version", max_length=20, blank=True)
    settings = models.JSONField(default=dict, blank=True)
    credentials_from = models.ForeignKey(  # one grant may open several accounts: this one uses that connection's secrets
        "self", models.PROTECT, null=True, blank=True, related_name="sharers", editable=False
    )
    state = models.CharField(max_length=12, choices=State, default=State.ACTIVE)
    state_reason = models.CharField(max_length=300, blank=True, editable=False)
    resume_at = models.DateTimeField(null=True, blank=True, editable=False)  # set while the platform is down: next probe
    faults = models.PositiveIntegerField(default=0, editable=False)  # failed calls in a row
    woken_at = models.DateTimeField(null=True, blank=True, editable=False)
    pump_until = models.DateTimeField(null=True, blank=True, editable=False)
    probe = models.JSONField(default=dict, blank=True, editable=False)  # the last test call's answer
    probed_at = models.DateTimeField(null=True, blank=True, editable=False)
    version_served = models.CharField(max_length=20, blank=True, editable=False)
    deprecation = models.CharField(max_length=500, blank=True, editable=False)
    last_event_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    history = HistoricalRecords(excluded_fields=["woken_at", "pump_until", "faults", "resume_at", "probe", "probed_at", "last_event_at"])

    class Meta:
        ordering = ["platform", "name"]
        constraints = [models.UniqueConstraint(fields=["platform", "external_id"], name="one_connection_per_account")]

    def __str__(self) -> str:
        return self.name

    @property
    def keeper(self) -> Connection:
        """The connection whose secrets this one uses: itself, unless one grant opened several accounts."""
        return self.credentials_from or self


class Credential(models.Model):
    """One secret of a connection; the column is encrypted and the console never shows it."""

    connection = models.ForeignKey(Connection, models.CASCADE, related_name="credentials")
    kind = models.CharField(max_length=40)
    secret = EncryptedTextField()
    expires_at = models.DateTimeField(null=True, blank=True)
    refreshed_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["connection", "kind"], name="one_credential_per_kind")]

    def __str__(self) -> str:
        return f"{self.kind} of {self.connection_id}"


class OAuthState(models.Model):
    """A hand-shake that was begun: bound to the person, usable once."""

    connection = models.ForeignKey(Connection, models.CASCADE)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE)
    nonce = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"hand-shake {self.pk}"


class RateBudget(models.Model):
    """What a connection may still spend in one group of calls; taken by one atomic update."""

    connection = models.ForeignKey(Connection, models.CASCADE, related_name="budgets")
    group = models.CharField(max_length=30)
    tokens = models.FloatField()
    rate = models.FloatField()  # tokens a second; 0 = no quota
    burst = models.FloatField()
    updated_at = models.DateTimeField()
    blocked_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["connection", "group"], name="one_budget_per_group")]

    def __str__(self) -> str:
        return f"{self.group} of {self.connection_id}"
