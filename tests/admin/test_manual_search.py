"""Search in the manual: every word must occur, headings first, hits are marked, nothing typed becomes markup."""

from __future__ import annotations

import pytest
from django.test import Client

from integrations.admin.manual import ARTICLES, manual_url
from integrations.admin.manual.finding import excerpt, find, passages
from integrations.models.kinds import KINDS

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("asked", "first"),
    [
        ("unknown sku", ("exceptions", "unmapped_sku")),
        ("second factor", ("people", "second-factor")),
        ("roll back", ("mappings", "rollback")),
        ("browser gives a name", ("collector", "names")),
        ("silence", ("health", "silence")),
        ("glossary", ("glossary", "words")),
    ],
)
def test_the_best_place_comes_first(asked: str, first: tuple[str, str]):
    hit = find(asked)[0]

    assert (hit.passage.article.slug, hit.passage.anchor) == first
    assert hit.url == manual_url(*first)


def test_every_word_must_occur_and_none_is_needed_in_full():
    assert find("backfill zebra") == []
    assert "backfill" in {hit.passage.article.slug for hit in find("backf")}
    assert find("   ") == []


def test_every_article_and_every_kind_can_be_found():
    assert {passage.article.slug for passage in passages()} == set(ARTICLES)
    assert {passage.anchor for passage in passages() if passage.article.slug == "exceptions"} >= set(KINDS)


def test_live_numbers_are_not_searched():
    assert [passage.anchor for passage in passages() if passage.article.slug in ("daily-check", "monthly-audit", "fields")] == [
        "how", "then", "how", "fields", "reading",
    ]  # fmt: skip


def test_hits_are_marked_and_what_was_typed_is_no_markup(administrator: Client):
    assert excerpt("Press <b>Send again</b> now", ["again"]) == "Press &lt;b&gt;Send <mark>again</mark>&lt;/b&gt; now"
    shown = administrator.get(manual_url(), {"q": "<script>"}).content.decode()
    assert "<script>”" not in shown
    assert "&lt;script&gt;" in shown


def test_results_alone_are_answered_while_somebody_types(administrator: Client):
    answer = administrator.get(manual_url(), {"q": "consent"}, headers={"HX-Request": "true"}).content.decode()

    assert ("<html" in answer, f'href="{manual_url("masking-and-identity", "consent")}"' in answer) == (False, True)
