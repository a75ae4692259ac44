"""Why two ends differ, and what may be done about it: one table that the list, the page, the repair and the exports read."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Repair(StrEnum):
    """What this console can do about a drift."""

    PULL = "pull"
    RESEND = "resend"
    QUESTION = "question"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Cause:
    """A probable cause in plain words: what it means, what to do, and what the repair button does."""

    slug: str
    label: str
    meaning: str
    step: str
    repair: Repair
    tone: str = "warn"


ASPECTS = {"order": "Order", "refund": "Refund", "customer": "Customer", "consent": "Consent"}
REPAIR_LABELS = {
    Repair.PULL: "Read again", Repair.RESEND: "Send again", Repair.QUESTION: "Answer the question",
    Repair.NONE: "Nothing to do here",
}  # fmt: skip

CAUSES: dict[str, Cause] = {
    cause.slug: cause
    for cause in (
        Cause("never_received", "Never received",
              "The source has this record, but no webhook and no poll ever brought it here.",
              "Read it from the source now. It is then mapped and sent like any other.", Repair.PULL, "bad"),
        Cause("not_updated", "A later change was missed",
              "The source changed the record after the state that is held here. The change never arrived.",
              "Read it from the source now. The newer state replaces the older one at the destination.", Repair.PULL, "bad"),
        Cause("held", "Held by a question",
              "The record waits here until somebody answers a question.",
              "Open the question and answer it. Everything that waits for the same answer goes out with it.", Repair.QUESTION),
        Cause("refused", "Refused by the destination",
              "The destination did not take the record and said why.",
              "Open the question, correct what it names, and the record goes out again.", Repair.QUESTION, "bad"),
        Cause("waiting", "Still waiting to be sent",
              "The record is here and due, but it was not sent yet. Its flow may be behind, paused or switched off.",
              "Nothing is lost. Look at the flow when this stays so.", Repair.NONE, "info"),
        Cause("unconfirmed", "Waiting for confirmation",
              "The destination took the record and has not confirmed yet that it is stored.",
              "Nothing to do. It is confirmed or sent again by itself.", Repair.NONE, "info"),
        Cause("missing", "Delivered, but not there any more",
              "The record was delivered, and the destination does not show it now. Somebody may have deleted or merged it.",
              "Send it again.", Repair.RESEND, "bad"),
        Cause("changed_there", "Changed at the destination",
              "The destination changed the record after we sent it: another integration or a person wrote to it.",
              "Send our state again, unless the change was meant.", Repair.RESEND),
        Cause("differs", "A value differs",
              "The destination holds another value than the one that was sent.",
              "Send it again. If it differs once more, the field's rule or the destination's own settings change it.", Repair.RESEND),
        Cause("consent", "Consent differs",
              "The source's last word and the destination's status of this person are not the same.",
              "Send the source's word again. The destination keeps whichever counts there.", Repair.RESEND, "bad"),
        Cause("unsubscribed_there", "Unsubscribed at the destination",
              "The person said no at the destination after they had said yes at the source. The no counts: nobody is opted in again.",
              "Nothing to send. Withdraw the consent in the shop as well if both should say the same.", Repair.NONE, "info"),
        Cause("extra", "Only at the destination",
              "The destination holds it under a name of this flow, and neither the source nor this console knows it.",
              "Look at it there. Nothing is deleted from here.", Repair.NONE),
    )
}  # fmt: skip
REPAIRABLE = tuple(cause.slug for cause in CAUSES.values() if cause.repair in (Repair.PULL, Repair.RESEND))


def cause_choices() -> list[tuple[str, str]]:
    """Slug and label of every cause."""
    return [(cause.slug, cause.label) for cause in CAUSES.values()]


def aspect_choices() -> list[tuple[str, str]]:
    """What may differ: slug and label."""
    return list(ASPECTS.items())
