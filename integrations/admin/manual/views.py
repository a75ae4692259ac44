"""The manual's pages: contents with search, and the articles. They are open to everybody of the staff."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.forms import Media
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from integrations.admin.desk import MASK_PERMISSION
from integrations.admin.manual.articles import ARTICLES, GROUPS, Article
from integrations.admin.manual.finding import find
from integrations.admin.manual.live import standing

Fill = Callable[[HttpRequest], dict[str, Any]]
FILLS: dict[str, Fill] = {}  # article → what its template shows beside its words
LONGEST_QUESTION = 100
MEDIA = Media(css={"all": ["switchyard/manual.css"]}, js=["switchyard/console.js", "switchyard/manual.js"])


def filled_by(slug: str) -> Callable[[Fill], Fill]:
    """Name the function that fills in the live part of an article; raises KeyError for an article that is not there."""

    def keep(fill: Fill) -> Fill:
        FILLS[ARTICLES[slug].slug] = fill
        return fill

    return keep


def contents(request: HttpRequest) -> HttpResponse:
    """The list of articles, or what a search found; only the results when the page asks for them as people type."""
    asked = request.GET.get("q", "").strip()[:LONGEST_QUESTION]
    context = {"title": "Manual", "groups": GROUPS, "asked": asked, "found": find(asked)}
    if request.headers.get("HX-Request"):
        return TemplateResponse(request, "integrations/manual_found.html", context)
    return show(request, "integrations/manual.html", **context)


def article(request: HttpRequest, slug: str) -> HttpResponse:
    """One article; Http404 when there is none."""
    found = ARTICLES.get(slug)
    if found is None:
        raise Http404(f"The manual has no article {slug}.")
    fill = FILLS.get(slug)
    context = {"title": found.title, "article": found, **around(found), **standing(slug), **(fill(request) if fill else {})}
    return show(request, "integrations/manual_article.html", **context)


def around(here: Article) -> dict[str, Article | None]:
    """The articles before and after this one."""
    every = list(ARTICLES.values())
    at = every.index(here)
    return {"before": every[at - 1] if at else None, "after": every[at + 1] if at + 1 < len(every) else None}


def show(request: HttpRequest, template: str, **context: Any) -> TemplateResponse:
    """One page in the console's frame."""
    request.current_app = admin.site.name
    frame = {"media": MEDIA, "sees_personal_data": request.user.has_perm(MASK_PERMISSION)}
    return TemplateResponse(request, template, {**admin.site.each_context(request), **frame, **context})
