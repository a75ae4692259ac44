"""How a contact is recognised: staff's rules, and the handles by which contacts are known."""

from __future__ import annotations

from django.db import models
from simple_history.models import HistoricalRecords

from mapping.identity import IdentityKey


class IdentityRule(models.Model):
    """One step in recognising a contact at a destination: what is compared, and what several owners of it mean."""

    class Key(models.TextChoices):
        EMAIL = "email", "E-mail"
        PHONE = "phone", "Phone"
        CUSTOMER_ID = "customer_id", "Customer id"

    class OnSeveral(models.TextChoices):
        HOLD = "hold", "Ask a person"
        NEXT = "next", "Let the next rule decide between them"

    destination = models.ForeignKey("integrations.Connection", models.CASCADE, related_name="identity_rules")
    position = models.PositiveIntegerField(default=0)
    key = models.CharField("compare", max_length=12, choices=Key)
    on_several = models.CharField("when several contacts fit", max_length=4, choices=OnSeveral, default=OnSeveral.HOLD)
    updated_at = models.DateTimeField(auto_now=True)
    history = HistoricalRecords()

    class Meta:
        ordering = ["destination", "position"]
        constraints = [models.UniqueConstraint(fields=["destination", "key"], name="one_identity_rule_per_key")]

    def __str__(self) -> str:
        return f"{self.position}. {self.get_key_display()}"

    def value(self) -> IdentityKey:
        """The rule as a plain value."""
        return IdentityKey(self.key, self.on_several)


class ContactHandle(models.Model):
    """A normalised e-mail or phone, or an id, that a contact at a destination is known by; two owners of one show as two rows."""

    class Kind(models.TextChoices):
        EMAIL = "email", "E-mail"
        PHONE = "phone", "Phone"
        CUSTOMER_ID = "customer id", "Customer id"
        SOURCE_ID = "source id", "Id at the source"

    connection = models.ForeignKey("integrations.Connection", models.CASCADE, related_name="+", db_index=False)
    kind = models.CharField(max_length=12, choices=Kind)
    value = models.CharField(max_length=255)
    contact_key = models.CharField(max_length=255)
    chosen = models.BooleanField(default=False)  # a person decided that this handle means this contact
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["connection", "kind", "value", "contact_key"], name="one_handle_per_contact")]
        indexes = [models.Index(fields=["connection", "contact_key"], name="handle_by_contact")]

    def __str__(self) -> str:
        return f"{self.kind} of {self.contact_key}"


class Contact(models.Model):
    """A contact as a destination holds it, as far as it was seen; `facts` are those of a KnownContact.

    One that this console made itself is called "@" + its key at the source until the destination shows its own id.
    """

    connection = models.ForeignKey("integrations.Connection", models.CASCADE, related_name="+", db_index=False)
    contact_key = models.CharField(max_length=255)
    facts = models.JSONField(default=dict)
    seen_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["connection", "contact_key"], name="one_row_per_contact")]

    def __str__(self) -> str:
        return self.contact_key


class ContactDirectory(models.Model):
    """How far the contacts of a destination have been read; `since` None = from the beginning.

    `for_parts` = people shown in part are looked for there, so it has to know at once whom this console makes.
    """

    connection = models.OneToOneField("integrations.Connection", models.CASCADE, related_name="+")
    since = models.DateTimeField(null=True)
    began_at = models.DateTimeField(null=True)  # of the reading under way
    cursor = models.CharField(max_length=200, blank=True)
    read_at = models.DateTimeField(null=True)  # when a reading last came to its end
    lease_until = models.DateTimeField(null=True)
    for_parts = models.BooleanField(db_default=True)

    class Meta:
        verbose_name_plural = "contact directories"

    def __str__(self) -> str:
        return f"Contacts of connection {self.connection_id}"
