"""Registry of the paths staff may map, per record type: the rule editor, the validation and the run time all read this."""

from __future__ import annotations

from functools import cache
from operator import attrgetter, itemgetter
from typing import Any

from mapping.field_shapes import Elements, Getter, Group, Row, SourceField
from mapping.field_tables import GROUPS, LISTS
from mapping.records import RecordType

# Prefixes whose rest staff may type: the shop's own attribute and property names.
DYNAMIC = {
    "attributes.": (RecordType.CUSTOMER, RecordType.ORDER, RecordType.PRODUCT, RecordType.VARIANT),
    "properties.": (RecordType.EVENT,),
}


class UnknownField(ValueError):  # noqa: N818 - named for the answer
    """The registry has no such source path for this record type."""


def source_fields(record_type: RecordType) -> tuple[SourceField, ...]:
    """Every path of a record type, in the order the editor shows them; dynamic prefixes are not listed."""
    return tuple(_registry(record_type).values())


def source_field(record_type: RecordType, path: str) -> SourceField:
    """The field of a path, dynamic ones included; raises UnknownField."""
    known = _registry(record_type).get(path)
    if known is not None:
        return known
    for prefix, types in DYNAMIC.items():
        name = path.removeprefix(prefix)
        if name and name != path and record_type in types:
            return SourceField(path, name, "any", None, "Attributes", _entry(prefix.removesuffix("."), name))
    raise UnknownField(f"{record_type.value} has no field “{path}”")


def elements(record_type: RecordType, list_path: str) -> Elements:
    """How to read the entries of a list path from the entry (or record) around it; raises UnknownField."""
    try:
        return LISTS[record_type][list_path]
    except KeyError:
        raise UnknownField(f"{record_type.value} has no list “{list_path}”") from None


@cache
def _registry(record_type: RecordType) -> dict[str, SourceField]:
    return {
        group.prefix + row.path: SourceField(
            group.prefix + row.path, row.label, row.type, row.sample, group.label, _getter(group, row), row.currency, row.whole
        )
        for group in GROUPS[record_type]
        for row in group.rows
    }


def _getter(group: Group, row: Row) -> Getter:
    read = row.get or attrgetter(row.path)
    return read if group.inside is None else _through(group.inside, read)


def _through(inside: Getter, read: Getter) -> Getter:
    def get(record: Any) -> Any:
        outer = inside(record)
        return None if outer is None else read(outer)

    return get


def _entry(mapping: str, name: str) -> Getter:
    whole = attrgetter(mapping)
    pick = itemgetter(name)

    def get(record: Any) -> Any:
        values = whole(record)
        return pick(values) if name in values else None

    return get
