"""Visitors: the browsers a site sees, and who turned out to sit in front of them."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from integrations.models.connection import Connection


class VisitorIdentity(models.Model):
    """Who a browser belongs to, by what it said last; events of the same browser are that person's."""

    connection = models.ForeignKey(Connection, models.CASCADE, related_name="visitors")
    anonymous_id = models.CharField(max_length=100, db_collation="C")
    email = models.CharField(max_length=254, blank=True)
    phone = models.CharField(max_length=32, blank=True)
    customer_id = models.CharField(max_length=100, blank=True)
    seen_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["connection", "anonymous_id"], name="one_identity_per_visitor")]
        indexes = [
            models.Index(fields=["email"], condition=~Q(email=""), name="visitor_email"),
            models.Index(fields=["phone"], condition=~Q(phone=""), name="visitor_phone"),
            models.Index(fields=["customer_id"], condition=~Q(customer_id=""), name="visitor_customer"),
            models.Index(fields=["seen_at"], name="visitor_seen"),
        ]

    def __str__(self) -> str:
        return f"visitor {self.pk}"
