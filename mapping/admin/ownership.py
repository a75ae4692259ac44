"""Page of which source decides a field that several sources bring."""

from __future__ import annotations

from django.contrib import admin

from mapping.admin.sheets import SheetAdmin
from mapping.models import FieldOwner
from mapping.resources import FieldOwnerResource


@admin.register(FieldOwner)
class FieldOwnerAdmin(SheetAdmin):
    """Fields of contacts and products that several sources write: one decides, and what others bring is left out or only fills gaps."""

    resource_classes = [FieldOwnerResource]
    list_display = ["target", "record_type", "owner", "others", "destination", "note", "updated_at"]
    list_filter = ["record_type", "destination", "owner", "others"]
    list_select_related = ["owner", "destination"]
    ordering = ["destination_id", "record_type", "target"]
    search_fields = ["target", "note"]
