"""Template tags of the manual: addresses of its places, and the help link of the page that is shown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import template

from integrations.admin.manual import help_url, manual_url

register = template.Library()
register.simple_tag(manual_url, name="manual_url")


@register.simple_tag(takes_context=True)
def help_link(context: Mapping[str, Any]) -> str:
    """Where the manual speaks of this page."""
    return help_url(context["request"], context.get("original"))
