"""Questions about SKUs that somebody put away until later."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from integrations.admin import unmapped_pages
from integrations.models import SyncException
from tests.admin.unmapped_words import text_of
from tests.rows import make_flow
from tests.shelf_rows import stock_shelf, wait_for


@pytest.mark.django_db
def test_what_was_put_away_is_neither_listed_nor_next(ecommerce: Client):
    stock_shelf()
    orders = make_flow("order")
    for sku in ("AWAY", "HERE"):
        wait_for(orders, sku)
    SyncException.objects.filter(subject="AWAY").update(snoozed_until=timezone.now() + timedelta(days=1))
    text, following = text_of(ecommerce), unmapped_pages.neighbours(SyncException(pk=0))[1]
    assert ("SKU AWAY" in text, "SKU HERE" in text, SyncException.objects.get(pk=following).subject) == (False, True, "HERE")
