"""Which objects of a destination a comparison takes for its own: by how their ids begin, or, where ids stand bare, by what was sent."""

from __future__ import annotations

import pytest
from django.utils import timezone

from integrations.models import Flow
from integrations.platforms.survey import StoredObject, StoredPage
from monitoring.models import Reconciliation
from monitoring.reconcile.ends import Ends
from monitoring.reconcile.steps import Work, destination
from tests.rows import make_delivery, make_flow

pytestmark = pytest.mark.django_db
BARE = ("f2a1c0de-0000-4000-8000-00000000a001", "2c9f1f0e-6a55-4d0f-9b61-0c7f5a1d2e3f", "abcdefab-0000-4000-8000-00000000a003")


@pytest.fixture
def flow() -> Flow:
    return make_flow("order")


def sent(flow: Flow, *keys: str) -> None:
    for key in keys:
        make_delivery(flow, key, state="delivered", destination_key=key)


@pytest.mark.parametrize(
    ("keys", "expected"),
    [((), ""), (("shp-1001", "shp-1002"), "shp-"), (("tiktok_shop:tts:1:2",), "tiktok_shop:tts:"), (BARE, ""), (BARE[:1], "")],
)
def test_ids_are_told_by_the_words_they_begin_with(flow: Flow, keys: tuple[str, ...], expected: str):
    sent(flow, *keys)
    assert Ends(flow).namespace == expected


@pytest.mark.parametrize(
    ("keys", "expected"),
    [(("shp-1001",), ["shp-1001", "shp-9999"]), (BARE, list(BARE)), ((), [])],
    ids=["with a word before", "bare", "nothing sent yet"],
)
def test_of_bare_ids_only_what_was_sent_is_taken_for_ours(flow: Flow, keys: tuple[str, ...], expected: list[str], monkeypatch):
    sent(flow, *keys)
    there = StoredPage(objects=tuple(StoredObject(key=key, data={}) for key in (*BARE, "shp-1001", "shp-9999", "tts-1")))
    monkeypatch.setattr(Ends, "stored_page", lambda *_args, **_values: there)
    monkeypatch.setattr(Ends, "differences", lambda *_args: [])
    now = timezone.now()
    run = Reconciliation.objects.create(flow=flow, window_from=now, window_to=now)
    assert [seen.key for seen in destination(Work(run, Ends(flow)), None).seen] == expected
