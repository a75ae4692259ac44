"""``expand``: references get the thing they point to, as far as it still exists."""

from collections.abc import Sequence
from typing import Any

from integrations.standins.commercetools.errors import invalid
from integrations.standins.commercetools.kinds import SCHEMA_OF
from integrations.standins.commercetools.project import Project
from integrations.standins.commercetools.schema import SCHEMAS


def check_paths(type_id: str, paths: Sequence[str]) -> None:
    """Raises Refusal for a path that begins with an unknown field."""
    schema = SCHEMAS[SCHEMA_OF.get(type_id, type_id)]
    for path in paths:
        first = path.partition(".")[0].partition("[")[0]
        if first not in schema:
            raise invalid(f"Malformed parameter: expand: The path '{path}' does not exist.")


def expand(project: Project, doc: dict[str, Any], paths: Sequence[str]) -> dict[str, Any]:
    """The document with every path expanded, in place."""
    for path in paths:
        _walk(project, doc, [part.removesuffix("[*]") for part in path.split(".")])
    return doc


def _walk(project: Project, value: Any, parts: list[str]) -> None:
    if isinstance(value, list):
        for item in value:
            _walk(project, item, parts)
        return
    if not isinstance(value, dict):
        return
    if "typeId" in value and "id" in value:
        if "obj" not in value:
            row = project.collections[value["typeId"]].rows.get(value["id"]) if value["typeId"] in project.collections else None
            if row is None:
                return
            value["obj"] = row.doc()
        if not parts:
            return
        value = value["obj"]
    if parts:
        _walk(project, value.get(parts[0]), parts[1:])
