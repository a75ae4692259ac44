"""Staff's rules for fields that several sources bring to one destination."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import models
from simple_history.models import HistoricalRecords

from mapping.ownership import Owned
from mapping.records import RecordType


class FieldOwner(models.Model):
    """One field at a destination and the source that decides it."""

    class Others(models.TextChoices):
        LEAVE = "leave", "Never write it"
        FILL = "fill", "Write it while it is empty"

    class Kind(models.TextChoices):
        CUSTOMER = RecordType.CUSTOMER.value, "Contact"
        PRODUCT = RecordType.PRODUCT.value, "Product"
        VARIANT = RecordType.VARIANT.value, "Variant"

    destination = models.ForeignKey("integrations.Connection", models.CASCADE, related_name="+")
    record_type = models.CharField("record", max_length=10, choices=Kind, default=Kind.CUSTOMER)
    target = models.CharField(
        "field", max_length=100, help_text="Its name at the destination, as the mapping's rules write it: firstname, marketing_optin."
    )
    owner = models.ForeignKey("integrations.Connection", models.CASCADE, related_name="+", verbose_name="decided by")
    others = models.CharField("all other sources", max_length=5, choices=Others, default=Others.FILL)
    note = models.CharField(max_length=300, blank=True)
    updated_at = models.DateTimeField(auto_now=True)
    history = HistoricalRecords()

    class Meta:
        verbose_name = "field owner"
        ordering = ["destination", "record_type", "target"]
        constraints = [models.UniqueConstraint(fields=["destination", "record_type", "target"], name="one_owner_per_field")]

    def __str__(self) -> str:
        return f"{self.target} is decided by {self.owner}"

    def clean(self) -> None:
        """Refuse a path into a field, and a destination that would own itself."""
        self.target = self.target.strip()
        if any(sign in self.target for sign in ".[]"):
            raise ValidationError({"target": "A field is decided as a whole: name it without what is inside it."})
        if self.owner_id is not None and self.owner_id == self.destination_id:
            raise ValidationError({"owner": "Choose the source that decides it, not the destination."})

    def value(self) -> Owned:
        """The rule as a plain value."""
        return Owned(self.target, self.owner_id, self.owner.name, self.others == self.Others.FILL)
