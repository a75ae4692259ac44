"""Pages of how people are recognised."""

from __future__ import annotations

from django.contrib import admin

from mapping.admin.sheets import SheetAdmin
from mapping.models import IdentityRule
from mapping.resources import IdentityRuleResource


@admin.register(IdentityRule)
class IdentityRuleAdmin(SheetAdmin):
    """How a contact is recognised at each destination, in order."""

    resource_classes = [IdentityRuleResource]
    list_display = ["destination", "position", "key", "on_several", "updated_at"]
    list_display_links = ["key"]
    list_filter = ["destination", "key"]
    list_select_related = ["destination"]
