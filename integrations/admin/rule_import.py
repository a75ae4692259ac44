"""Importing a mapping: first what the file would change, rule by rule; then a draft of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from integrations import words
from integrations.admin.rule_files import COLUMNS, MOST_BYTES, Parsed, parsed
from integrations.admin.rule_words import change_lines, targets_of
from integrations.admin.sheets import Unreadable
from mapping import versions
from mapping.exchange import rules_from_json, rules_to_json
from mapping.models import FieldRule, MappingVersion
from mapping.records import RecordType

if TYPE_CHECKING:
    from integrations.admin.rules import MappingDesk


def page(desk: MappingDesk, request: HttpRequest, row: MappingVersion, permission: str) -> HttpResponse:
    """The form; after an upload what would change; after a yes the new draft."""
    if not request.user.has_perm(permission):
        raise PermissionDenied
    if request.method == "POST" and "rules" in request.POST:
        return _made(desk, request, row)
    context: dict[str, Any] = {"title": "Import a mapping", "columns": COLUMNS, "fault": "", "parsed": None}
    if request.method == "POST":
        context |= _dry_run(request, row)
    return desk.show(request, "integrations/mapping_import.html", row, **context)


def _dry_run(request: HttpRequest, row: MappingVersion) -> dict[str, Any]:
    file = request.FILES.get("file")
    if file is None:
        return {"fault": "Choose a file."}
    if file.size > MOST_BYTES:
        return {"fault": "The file is larger than 2 MB; a mapping never is."}
    try:
        found = parsed(file.name, file, row.flow)
    except Unreadable as fault:
        return {"fault": str(fault)}
    changes = versions.difference(row, found.rules) if not found.faults else []
    return {
        "parsed": found,
        "name": file.name,
        "changes": change_lines(changes, targets_of(row.flow), RecordType(row.flow.record_type)),
        "rules": _as_json(found),
    }


def _as_json(found: Parsed) -> str:
    rows = [FieldRule.from_value(MappingVersion(), rule, position=0, note=found.notes.get(rule.target, "")) for rule in found.rules]
    return orjson.dumps(rules_to_json(rows)).decode()


def _made(desk: MappingDesk, request: HttpRequest, row: MappingVersion) -> HttpResponse:
    """The draft; what comes back from the page is checked like any other draft before it can be published."""
    try:
        rules, notes = rules_from_json(orjson.loads(request.POST["rules"]))
    except ValueError as fault:
        messages.error(request, f"Not imported: {fault}.")
        return HttpResponseRedirect(desk.view_url("import", row.pk))
    name = request.POST.get("name", "")[:100]
    draft = versions.draft_from(row.flow_id, request.user, version=row, note=f"Imported from {name}" if name else "Imported")
    versions.save_rules(draft, rules, request.user, notes=notes)
    desk.log_addition(request, draft, f"Draft imported from {name or 'a file'} with {words.plural(len(rules), 'rule')}")
    number = words.plural(len(rules), "rule")
    messages.success(request, f"Draft {draft.number} holds the {number} of the file. Nothing changes until it is published.")
    return HttpResponseRedirect(desk.view_url("change", draft.pk))
