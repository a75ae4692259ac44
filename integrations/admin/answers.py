"""Answers to exceptions, one form per kind: a crosswalk row, a row of a value table, the choice of a contact."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.db import transaction
from django.http import QueryDict

from integrations.admin import contact_answer
from integrations.admin.desk import Refusal
from integrations.engine.exceptions import resolve_exceptions
from integrations.models import SyncException
from mapping.models import SkuComponent, SkuCrosswalk, ValueCrosswalk

MAX_COMPONENTS = 20


@dataclass(frozen=True, slots=True)
class Answer:
    """How one kind of exception is answered: the form's template, the permission it takes, and the function that does it."""

    template: str
    permission: str
    give: Callable[[SyncException, QueryDict, User], int]


def components(data: QueryDict) -> list[tuple[str, int]]:
    """Target SKUs with quantities from the form's rows; raises Refusal in plain words."""
    found: list[tuple[str, int]] = []
    for sku, text in zip(data.getlist("target_sku"), data.getlist("quantity"), strict=False):
        sku = sku.strip()
        if not sku:
            continue
        if not text.strip().isdecimal() or not 1 <= int(text) <= 9999:
            raise Refusal(f"The quantity of {sku} must be a whole number from 1 to 9,999.")
        if sku in dict(found):
            raise Refusal(f"{sku} is named twice; put its whole quantity into one row.")
        found.append((sku[:255], int(text)))
    if not found:
        raise Refusal("Name at least one target SKU.")
    if len(found) > MAX_COMPONENTS:
        raise Refusal(f"A bundle has at most {MAX_COMPONENTS} components.")
    return found


def map_sku(exception: SyncException, data: QueryDict, by: User) -> int:
    """Write the crosswalk row (one component, several for a bundle, or "let through"); returns the number of deliveries released."""
    ignore = data.get("answer") == "ignore"
    parts = [] if ignore else components(data)
    flow = exception.flow
    with transaction.atomic():
        action = SkuCrosswalk.Action.IGNORE if ignore else SkuCrosswalk.Action.MAP
        row, _ = SkuCrosswalk.objects.update_or_create(
            source=flow.source,
            destination=flow.destination,
            source_sku=exception.subject,
            defaults={"action": action, "note": data.get("note", "").strip()[:300]},
        )
        row.components.all().delete()
        for sku, quantity in parts:
            SkuComponent(crosswalk=row, target_sku=sku, quantity=quantity).save()
        said = "let through as it is" if ignore else " + ".join(f"{quantity} × {sku}" for sku, quantity in parts)
        siblings = _same_question(exception)
        return resolve_exceptions(siblings, by, f"{exception.subject}: {said}")


def _same_question(exception: SyncException) -> list[int]:
    """The same SKU is open once per flow of the same two connections; one answer settles them all."""
    rows = SyncException.objects.filter(
        kind=exception.kind, subject=exception.subject, state=SyncException.State.OPEN,
        flow__source=exception.flow.source_id, flow__destination=exception.flow.destination_id,
    )  # fmt: skip
    return list({exception.pk, *rows.values_list("pk", flat=True)})


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
