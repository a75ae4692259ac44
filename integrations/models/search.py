"""What things are found by: one short row per name of a thing, written when its record arrives."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now

from integrations.models.connection import Connection


class SearchTerm(models.Model):
    """One name of one thing at a source. Addresses and numbers of people are kept as one-way codes, everything else in small letters."""

    class Kind(models.TextChoices):
        NUMBER = "number", "Order number"
        EMAIL = "email", "E-mail address"
        PHONE = "phone", "Phone number"
        SKU = "sku", "SKU"
        BARCODE = "barcode", "Barcode"
        WORD = "word", "Word of a title"

    kind = models.CharField(max_length=8, choices=Kind)
    term = models.CharField(max_length=100, db_collation="C")  # in byte order, so that one index answers whole terms and beginnings
    connection = models.ForeignKey(Connection, models.CASCADE, related_name="+", db_index=False)
    record_type = models.CharField(max_length=20)
    record_key = models.CharField(max_length=200, db_collation="C")
    seen_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "term", "connection", "record_type", "record_key"], name="one_row_per_term")]

    def __str__(self) -> str:
        return f"{self.kind} of {self.record_type} {self.record_key}"
