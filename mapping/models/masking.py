"""Staff's rules for values that a source shows instead of a person's own."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import models
from simple_history.models import HistoricalRecords

from mapping.masking_rules import Mask


class MaskingRule(models.Model):
    """One way to recognise a masked value: such a value identifies nobody and is never sent."""

    class Field(models.TextChoices):
        EMAIL = "email", "E-mail"
        PHONE = "phone", "Phone"
        NAME = "name", "Name"
        ANY = "any", "Anything personal"

    class How(models.TextChoices):
        DOMAIN = "domain", "Its domain is"
        LABEL = "label", "A part of its domain contains"
        CONTAINS = "contains", "It contains"
        MATCHES = "matches", "It looks like (* any text, ? one character)"

    platform = models.CharField(max_length=30, blank=True, help_text="Only for records of this platform, like tiktok_shop. Empty: all.")
    field = models.CharField("value", max_length=5, choices=Field)
    how = models.CharField("recognised by", max_length=8, choices=How)
    pattern = models.CharField(max_length=200)
    note = models.CharField(max_length=300, blank=True)
    updated_at = models.DateTimeField(auto_now=True)
    history = HistoricalRecords()

    class Meta:
        ordering = ["field", "how", "pattern"]
        constraints = [models.UniqueConstraint(fields=["platform", "field", "how", "pattern"], name="one_masking_rule_per_pattern")]

    def __str__(self) -> str:
        return f"{self.get_field_display()}: {self.get_how_display().lower()} {self.pattern}"

    def clean(self) -> None:
        """Refuse a rule that would recognise everything, or a domain for what has none."""
        if not self.pattern.strip("*? ") and self.how == self.How.MATCHES:
            raise ValidationError({"pattern": "This would recognise every value."})
        if self.how in (self.How.DOMAIN, self.How.LABEL) and self.field in (self.Field.PHONE, self.Field.NAME):
            raise ValidationError({"how": "Only an e-mail address has a domain."})

    def value(self) -> Mask:
        """The rule as a plain value."""
        return Mask(self.field, self.how, self.pattern)
