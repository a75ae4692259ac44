"""Template tags of the manual: addresses of its places, and the help link of the page that is shown.

The console's pages are imported when a tag is used: the skin collects all tags while those pages are still being put together.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import template

register = template.Library()


@register.simple_tag
def manual_url(slug: str = "", anchor: str = "") -> str:
    """The address of an article and a place in it; raises KeyError for an article that is not there."""
    from integrations.admin import manual

    return manual.manual_url(slug, anchor)


@register.simple_tag(takes_context=True)
def help_link(context: Mapping[str, Any]) -> str:
    """Where the manual speaks of this page."""
    from integrations.admin import manual

    return manual.help_url(context["request"], context.get("original"))


@register.simple_tag
def manual_title(slug: str) -> str:
    """The title of an article; raises KeyError for one that is not there."""
    from integrations.admin import manual

    return manual.ARTICLES[slug].title
