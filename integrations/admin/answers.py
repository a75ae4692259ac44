"""Answers to exceptions, one form per kind: a crosswalk row, a row of a value table, the choice of a contact."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.http import QueryDict

from integrations.admin import contact_answer
from integrations.admin.desk import Refusal
from integrations.admin.unmapped_parts import give, parts_from_form
from integrations.engine.exceptions import resolve_exceptions
from integrations.models import SyncException
from mapping.models import ValueCrosswalk


@dataclass(frozen=True, slots=True)
class Answer:
    """How one kind of exception is answered: the form's template, the permission it takes, and the function that does it."""

    template: str
    permission: str
    give: Callable[[SyncException, QueryDict, User], int]


def map_sku(exception: SyncException, data: QueryDict, by: User) -> int:
    """Write the crosswalk row (one component, several for a bundle, or "let through"); returns the number of deliveries released."""
    parts = () if data.get("answer") == "ignore" else parts_from_form(data)
    return give(exception, parts, by, note=data.get("note", "").strip()[:300]).released


def value_question(exception: SyncException) -> tuple[str, str]:
    """Table and word of an unknown value: its subject is "table:word"."""
    name, _, word = exception.subject.partition(":")
    return name, word


def translate_value(exception: SyncException, data: QueryDict, by: User) -> int:
    """Write the row of the value table and release what waits."""
    name, word = value_question(exception)
    target = data.get("target_value", "").strip()
    if not target and data.get("answer") != "nothing":
        raise Refusal("Write what the word is called at the destination, or choose “send nothing for it”.")
    ValueCrosswalk.objects.update_or_create(name=name, source_value=word, defaults={"target_value": target[:255]})
    others = SyncException.objects.filter(kind=exception.kind, subject=exception.subject, state=SyncException.State.OPEN)
    return resolve_exceptions({exception.pk, *others.values_list("pk", flat=True)}, by, f"{name}: {word} → {target or 'nothing'}")


ANSWERS: Mapping[str, Answer] = {
    "unmapped_sku": Answer("integrations/answers/sku.html", "mapping.add_skucrosswalk", map_sku),
    "unmapped_value": Answer("integrations/answers/value.html", "mapping.add_valuecrosswalk", translate_value),
    "ambiguous_contact": Answer("integrations/answers/contact.html", "integrations.change_syncexception", contact_answer.give),
}
