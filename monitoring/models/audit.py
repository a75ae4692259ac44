"""The record of monthly audits: who looked, when, at what, and what was found. Rows are added and never changed."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models.functions import Now


class Audit(models.Model):
    """One audit as it was recorded; `findings` is a list of {name, title, answer, level, seen} as the page showed them."""

    at = models.DateTimeField(db_default=Now())
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    by_name = models.CharField(max_length=150)  # stays when the person's account is deleted
    note = models.TextField(max_length=2000, blank=True)
    findings = models.JSONField(default=list)

    class Meta:
        indexes = [models.Index(fields=["-at"], name="audit_latest")]

    def __str__(self) -> str:
        return f"Audit of {self.at:%d %B %Y} by {self.by_name}"
