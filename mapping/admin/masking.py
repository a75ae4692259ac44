"""Page of the rules for values that a source shows instead of a person's own."""

from __future__ import annotations

from django.contrib import admin

from mapping.admin.sheets import SheetAdmin
from mapping.models import MaskingRule
from mapping.resources import MaskingRuleResource


@admin.register(MaskingRule)
class MaskingRuleAdmin(SheetAdmin):
    """Relay addresses, starred numbers and names: what a rule recognises identifies nobody and is never sent."""

    resource_classes = [MaskingRuleResource]
    list_display = ["pattern", "field", "how", "platform", "note", "updated_at"]
    list_filter = ["field", "how", "platform"]
    search_fields = ["pattern", "note"]
