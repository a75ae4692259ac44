"""Pages of the SKU crosswalk and the value tables."""

from __future__ import annotations

from collections.abc import Sequence

from django.contrib import admin
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest
from unfold.admin import TabularInline

from mapping.admin.sheets import NamedFields, SheetAdmin
from mapping.models import SkuComponent, SkuCrosswalk, ValueCrosswalk
from mapping.resources import SkuCrosswalkResource, ValueCrosswalkResource


class ComponentInline(NamedFields, TabularInline):
    """The target SKUs of one row."""

    model = SkuComponent
    verbose_name, verbose_name_plural = "target SKU", "target SKUs"
    extra = 0
    fields = ["target_sku", "quantity", "share"]


COMPONENTS = SkuComponent.objects.filter(crosswalk=OuterRef("pk")).order_by()
FIRST, SECOND = Q(Exists(COMPONENTS)), Q(Exists(COMPONENTS.filter(Exists(
    SkuComponent.objects.filter(crosswalk=OuterRef("crosswalk"), pk__gt=OuterRef("pk")).order_by()
))))  # fmt: skip


class TargetFilter(admin.SimpleListFilter):
    """Rows by what they lead to; rows that are let through lead to nothing on purpose and are not listed there."""

    title = "leads to"
    parameter_name = "leads_to"
    conditions = {
        "one": ("One SKU", FIRST & ~SECOND),
        "several": ("Several SKUs", SECOND),
        "nothing": ("Nothing yet", ~FIRST & Q(action=SkuCrosswalk.Action.MAP)),
    }

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        """The kinds of row."""
        return [(value, label) for value, (label, _) in self.conditions.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[SkuCrosswalk]) -> QuerySet[SkuCrosswalk]:
        """Rows of the chosen kind."""
        if self.value() not in self.conditions:
            return queryset
        return queryset.filter(self.conditions[self.value()][1])


@admin.register(SkuCrosswalk)
class SkuCrosswalkAdmin(SheetAdmin):
    """What each platform calls the same goods; bundles have several target SKUs."""

    resource_classes = [SkuCrosswalkResource]
    inlines = [ComponentInline]
    list_display = ["source_sku", "becomes", "action", "source", "destination", "note", "updated_at"]
    list_filter = ["action", TargetFilter, "source", "destination"]
    list_select_related = ["source", "destination"]
    ordering = ["source_id", "destination_id", "source_sku"]  # by the index of one row per SKU, not by the names of connections
    search_fields = ["source_sku", "components__target_sku", "note"]
    actions = ["let_through"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[SkuCrosswalk]:
        """Rows with their components, in a fixed number of queries."""
        return super().get_queryset(request).prefetch_related("components")

    def parts_of(self, row: SkuCrosswalk) -> Sequence[QuerySet]:
        """The target SKUs belong to the row's history."""
        return [SkuComponent.history.filter(crosswalk_id=row.pk)]

    @admin.display(description="Becomes")
    def becomes(self, row: SkuCrosswalk) -> str:
        """The target SKUs in one line."""
        if row.action == SkuCrosswalk.Action.IGNORE:
            return "itself"
        return " + ".join(c.target_sku if c.quantity == 1 else str(c) for c in row.components.all()) or "nothing yet"

    @admin.action(description="Let through as they are", permissions=["change"])
    def let_through(self, request: HttpRequest, queryset: QuerySet[SkuCrosswalk]) -> None:
        """Mark the chosen SKUs as needing no translation; what waits for them goes out within a minute."""
        changed = 0
        for row in queryset.exclude(action=SkuCrosswalk.Action.IGNORE):
            row.action = SkuCrosswalk.Action.IGNORE
            row.save()
            changed += 1
        self.message_user(request, f"{changed} SKUs are let through as they are. What waits for them goes out within a minute.")


@admin.register(ValueCrosswalk)
class ValueCrosswalkAdmin(SheetAdmin):
    """Words of one platform in the words of another: statuses, consent, stores, methods."""

    resource_classes = [ValueCrosswalkResource]
    list_display = ["source_value", "name", "target_value", "updated_at"]
    list_editable = ["target_value"]
    list_filter = ["name"]
    search_fields = ["name", "source_value", "target_value"]
