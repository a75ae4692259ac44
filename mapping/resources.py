"""Crosswalks and identity rules as spreadsheets: import with a dry run, export that no spreadsheet program can mistake for formulas."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from django.apps import apps
from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet
from import_export.fields import Field
from import_export.resources import ModelResource
from import_export.widgets import CharWidget, DecimalWidget, IntegerWidget, Widget
from tablib import Dataset

from mapping.models import FieldOwner, IdentityRule, MaskingRule, SkuComponent, SkuCrosswalk, ValueCrosswalk

# What Excel, LibreOffice and Google Sheets take for a formula at the start of a cell; an apostrophe before it makes it text.
# Some take the wide signs of East Asian keyboards for the same, and some skip blanks.
FORMULA = re.compile(r"'*(?:\s*[=+\-@＝＋－＠]|[\t\r\n])")
ESCAPED = re.compile("'" + FORMULA.pattern)


def as_text(value: object) -> object:
    """A cell that spreadsheet programs show and do not run; `from_text` gives back what it was."""
    return f"'{value}" if isinstance(value, str) and FORMULA.match(value) else value


def from_text(value: object) -> object:
    """The cell's own value, without the apostrophe of `as_text`."""
    return value[1:] if isinstance(value, str) and ESCAPED.match(value) else value


class ConnectionWidget(Widget):
    """A connection by its name."""

    def __init__(self) -> None:
        super().__init__()
        self.known: dict[str, Model] = {}

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> Model:
        """The connection of that name; raises ValueError when there is none, or more than one."""
        name = str(value or "").strip()
        if name not in self.known:
            found = list(apps.get_model("integrations", "Connection").objects.filter(name=name)[:2])
            if len(found) != 1:
                raise ValueError(f"There {'is no connection' if not found else 'is more than one connection'} named “{name}”.")
            self.known[name] = found[0]
        return self.known[name]

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        """The connection's name."""
        return "" if value is None else value.name


class SafeResource(ModelResource):
    """Cells that begin like a formula leave with an apostrophe and lose it on the way in."""

    def before_import_row(self, row: dict[str, Any], **kwargs: Any) -> None:
        """Undo the apostrophes."""
        for name, value in row.items():
            row[name] = from_text(value)

    def export_field(self, field: Field, instance: Model, **kwargs: Any) -> Any:
        """The cell, made safe."""
        return as_text(super().export_field(field, instance, **kwargs))


class SkuCrosswalkResource(SafeResource):
    """One row per component; a row without target SKU stands for a SKU that is let through as it is.

    The rows of a SKU are all it has: components that a file does not name are taken away.
    """

    source = Field("source", "source", ConnectionWidget())
    destination = Field("destination", "destination", ConnectionWidget())
    source_sku = Field("source_sku", "source_sku", CharWidget())
    action = Field("action", "action", CharWidget(), default=SkuCrosswalk.Action.MAP)
    note = Field("note", "note", CharWidget(allow_blank=True))
    target_sku = Field("part__target_sku", "target_sku", CharWidget())
    quantity = Field("part__quantity", "quantity", IntegerWidget())
    share = Field("part__share", "share", DecimalWidget())

    class Meta:
        model = SkuCrosswalk
        import_id_fields = ("source", "destination", "source_sku")
        fields = ("source", "destination", "source_sku", "action", "target_sku", "quantity", "share", "note")
        export_order = fields
        clean_model_instances = True

    def before_import(self, dataset: Dataset, **kwargs: Any) -> None:
        """Begin with nothing remembered of an earlier file."""
        self.named: dict[int, set[str]] = {}
        self.fields["source"].widget.known = self.fields["destination"].widget.known = {}

    def before_import_row(self, row: dict[str, Any], **kwargs: Any) -> None:
        """Fill in what a plain row may leave out."""
        super().before_import_row(row, **kwargs)
        row["action"] = str(row.get("action") or SkuCrosswalk.Action.MAP).strip().lower()
        row["quantity"] = row.get("quantity") or 1

    def after_init_instance(self, instance: SkuCrosswalk, new: bool, row: dict[str, Any], **kwargs: Any) -> None:
        """Lay the component of the row beside its crosswalk row."""
        target = str(row.get("target_sku") or "").strip()
        held = instance.components.filter(target_sku=target).first() if instance.pk and target else None
        instance.part = held or SkuComponent()

    def validate_instance(self, instance: SkuCrosswalk, *args: Any, **kwargs: Any) -> None:
        """Check the crosswalk row and its component; raises ValidationError."""
        super().validate_instance(instance, *args, **kwargs)
        if instance.action == SkuCrosswalk.Action.IGNORE:
            if instance.part.target_sku:
                raise ValidationError({"target_sku": "A SKU that is let through as it is has no target SKU."})
        else:
            instance.part.clean_fields(exclude=["crosswalk"])

    def after_save_instance(self, instance: SkuCrosswalk, row: dict[str, Any], **kwargs: Any) -> None:
        """Write the component."""
        named = self.named.setdefault(instance.pk, set())
        if instance.action == SkuCrosswalk.Action.MAP:
            named.add(instance.part.target_sku)
            instance.part.crosswalk = instance
            instance.part.save()

    def after_import(self, dataset: Dataset, result: Any, **kwargs: Any) -> None:
        """Take away the components that the file does not name."""
        for component in SkuComponent.objects.filter(crosswalk__in=self.named):
            if component.target_sku not in self.named[component.crosswalk_id]:
                component.delete()
        super().after_import(dataset, result, **kwargs)

    def iter_queryset(self, queryset: QuerySet[SkuCrosswalk]) -> Iterator[SkuCrosswalk]:
        """Every crosswalk row as often as it has components, at least once."""
        rows: Iterable[SkuCrosswalk] = queryset.select_related("source", "destination").prefetch_related("components").iterator(1000)
        for row in rows:
            for component in row.components.all() or (None,):
                row.part = component
                yield row


class ValueCrosswalkResource(SafeResource):
    """One row per word of a value table."""

    class Meta:
        model = ValueCrosswalk
        import_id_fields = ("name", "source_value")
        fields = ("name", "source_value", "target_value")
        export_order = fields
        skip_unchanged = True
        report_skipped = True
        clean_model_instances = True


class IdentityRuleResource(SafeResource):
    """One row per identity rule."""

    destination = Field("destination", "destination", ConnectionWidget())

    class Meta:
        model = IdentityRule
        import_id_fields = ("destination", "key")
        fields = ("destination", "position", "key", "on_several")
        export_order = fields
        skip_unchanged = True
        report_skipped = True
        clean_model_instances = True


class MaskingRuleResource(SafeResource):
    """One row per masking rule."""

    class Meta:
        model = MaskingRule
        import_id_fields = ("platform", "field", "how", "pattern")
        fields = ("platform", "field", "how", "pattern", "note")
        export_order = fields
        skip_unchanged = True
        report_skipped = True
        clean_model_instances = True


class FieldOwnerResource(SafeResource):
    """One row per field that one of several sources decides."""

    destination = Field("destination", "destination", ConnectionWidget())
    owner = Field("owner", "owner", ConnectionWidget())

    class Meta:
        model = FieldOwner
        import_id_fields = ("destination", "record_type", "target")
        fields = ("destination", "record_type", "target", "owner", "others", "note")
        export_order = fields
        skip_unchanged = True
        report_skipped = True
        clean_model_instances = True
