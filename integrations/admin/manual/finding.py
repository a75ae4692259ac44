"""Search in the manual: sections of articles in which every word occurs, the ones whose heading has them first."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from html import unescape
from html.parser import HTMLParser
from operator import itemgetter

from django.template.loader import render_to_string
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from integrations.admin.manual.articles import ARTICLES, Article
from integrations.admin.manual.live import standing
from integrations.admin.manual.places import manual_url

AROUND = 90  # characters shown on each side of the first word found
MOST = 30


@dataclass(frozen=True, slots=True)
class Passage:
    """One section of an article as text without markup."""

    article: Article
    anchor: str
    heading: str
    text: str


@dataclass(frozen=True, slots=True)
class Found:
    """A section that fits: where it is, and the words around the first hit with every hit marked."""

    passage: Passage
    url: str
    excerpt: SafeString


class Sections(HTMLParser):
    """Cuts an article into its sections: (anchor, heading, text); those marked as live are left out."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[tuple[str, list[str], list[str]]] = []
        self._in_heading = self._live = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """A section begins, or its heading."""
        if tag == "section":
            self._live = "data-live" in dict(attrs)
            if not self._live:
                self.found.append((dict(attrs).get("id") or "", [], []))
        self._in_heading = tag == "h3"

    def handle_endtag(self, tag: str) -> None:
        """A heading ends; text goes on."""
        self._in_heading = False

    def handle_data(self, data: str) -> None:
        """Text belongs to the section that was begun last."""
        if self.found and not self._live and data.strip():
            self.found[-1][1 if self._in_heading else 2].append(data)


@cache
def passages() -> tuple[Passage, ...]:
    """Every section of every article, read once per process; what is filled in per request is not in them."""
    return tuple(passage for article in ARTICLES.values() for passage in _cut(article))


def _cut(article: Article) -> Iterator[Passage]:
    reader = Sections()
    reader.feed(render_to_string(article.template, standing(article.slug)))
    for anchor, heading, text in reader.found:
        yield Passage(article, anchor, _plain(heading), _plain(text))


def _plain(parts: list[str]) -> str:
    return re.sub(r"\s+", " ", unescape(" ".join(parts))).replace(" .", ".").replace(" ,", ",").strip()


def find(asked: str) -> list[Found]:
    """Sections in which every word occurs, best first; nothing for an empty question."""
    words = asked.casefold().split()
    if not words:
        return []
    ranked = []
    for number, passage in enumerate(passages()):
        head, text = f"{passage.article.title} {passage.heading}".casefold(), passage.text.casefold()
        if all(word in head or word in text for word in words):
            heading = passage.heading.casefold()
            ranked.append((-sum(word in heading for word in words), -sum(word in head for word in words), number, passage))
    best = [passage for *_, passage in sorted(ranked, key=itemgetter(0, 1, 2))[:MOST]]
    return [Found(passage, manual_url(passage.article.slug, passage.anchor), excerpt(passage.text, words)) for passage in best]


def excerpt(text: str, words: list[str]) -> SafeString:
    """The text around the first word found, with the words marked."""
    pattern = re.compile("|".join(re.escape(word) for word in sorted(words, key=len, reverse=True)), re.IGNORECASE)
    first = pattern.search(text)
    start = max(0, first.start() - AROUND) if first else 0
    end = min(len(text), start + 2 * AROUND + 40)
    start = text.rfind(" ", 0, start) + 1
    cut = text[start:end]
    pieces, at = [], 0
    for hit in pattern.finditer(cut):
        pieces.append((cut[at : hit.start()], hit.group()))
        at = hit.end()
    marked = format_html_join("", "{}<mark>{}</mark>", pieces)
    return format_html("{}{}{}{}", "…" if start else "", marked, cut[at:], "…" if end < len(text) else "")
