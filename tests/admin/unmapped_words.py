"""What tests of the pages of unmapped products share: addresses, and what a page says."""

from __future__ import annotations

import re
from html import unescape

from django.test import Client

from integrations.models import Delivery, SyncException
from mapping.models import SkuCrosswalk

LIST = "/admin/integrations/unmappedsku/"
RUN, UPLOAD, ANSWERS = f"{LIST}run/", f"{LIST}upload/", f"{LIST}answers/"


def text_of(client: Client, address: str = LIST) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", unescape(answer.content.decode()))


def said(client: Client, address: str, data: dict | None = None) -> str:
    """What the page after a POST says."""
    return re.sub(r"\s+", " ", unescape(client.post(address, data or {}, follow=True).content.decode()))


def change(question: SyncException) -> str:
    return f"{LIST}{question.pk}/change/"


def crosswalk() -> dict[str, list[tuple[str, int]]]:
    rows = SkuCrosswalk.objects.all()
    return {row.source_sku: list(row.components.values_list("target_sku", "quantity")) for row in rows}


def states() -> dict[str, str]:
    return dict(Delivery.objects.filter(flow__record_type="order").values_list("record_key", "state"))


def hidden(text: str) -> dict[str, str]:
    return {name: unescape(value) for name, value in re.findall(r'name="(\w+)" value="([^"]*)"', text)}
