"""How a contact is recognised: staff's rules, and the handles by which contacts are known."""

from __future__ import annotations

from django.db import models
from simple_history.models import HistoricalRecords

from mapping.identity import IdentityKey


class Handle(models.TextChoices):
    """By what a contact can be recognised."""

    EMAIL = "email", "E-mail"
    PHONE = "phone", "Phone"
    CUSTOMER_ID = "customer_id", "Customer id"


class IdentityRule(models.Model):
    """One step in recognising a contact of a flow: which handle is compared, and what several owners of it mean."""

    class OnSeveral(models.TextChoices):
        HOLD = "hold", "Ask a person"
        NEXT = "next", "Let the next rule decide between them"

    flow = models.ForeignKey("integrations.Flow", models.CASCADE, related_name="identity_rules")
    position = models.PositiveIntegerField(default=0)
    key = models.CharField(max_length=12, choices=Handle)
    on_several = models.CharField("when several contacts fit", max_length=4, choices=OnSeveral, default=OnSeveral.HOLD)
    enabled = models.BooleanField(default=True)
    updated_at = models.DateTimeField(auto_now=True)
    history = HistoricalRecords()

    class Meta:
        ordering = ["flow", "position"]
        constraints = [models.UniqueConstraint(fields=["flow", "key"], name="one_identity_rule_per_key")]

    def __str__(self) -> str:
        return f"{self.position}. {self.get_key_display()}"

    def value(self) -> IdentityKey:
        """The rule as a plain value."""
        return IdentityKey(self.key, self.on_several)


class ContactHandle(models.Model):
    """A normalised e-mail, phone or customer id that a contact at a destination is known by; two owners of one are visible as two rows."""

    connection = models.ForeignKey("integrations.Connection", models.CASCADE, related_name="+")
    kind = models.CharField(max_length=12, choices=Handle)
    value = models.CharField(max_length=255)
    contact_key = models.CharField(max_length=255)
    chosen = models.BooleanField(default=False)  # a person decided that this handle means this contact
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["connection", "kind", "value", "contact_key"], name="one_handle_per_contact")]
        indexes = [models.Index(fields=["connection", "contact_key"], name="handle_by_contact")]

    def __str__(self) -> str:
        return f"{self.kind} of {self.contact_key}"
