"""Every kind of exception, declared once: the desk, the manual, the API and the alerts read this table."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Origin(StrEnum):
    """Where a failure began."""

    STOREFRONT = "storefront"
    INTEGRATION = "integration"
    DESTINATION = "destination"
    PERMISSION = "permission"
    OUTAGE = "outage"


ORIGIN_LABELS = {
    Origin.STOREFRONT: "Storefront data",
    Origin.INTEGRATION: "This integration",
    Origin.DESTINATION: "Marketing platform",
    Origin.PERMISSION: "Permission",
    Origin.OUTAGE: "Outage",
}


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of exception: what it is called, where it begins, who owns it and what to do next."""

    slug: str
    label: str
    origin: Origin
    team: str  # group that settles it
    cause: str  # in plain words
    remedy: str  # what to do next
    answerable: bool = False  # a row or a rule can answer it, so the minute sweep tries again when one changed


KINDS: dict[str, Kind] = {
    kind.slug: kind
    for kind in (
        Kind("unmapped_sku", "Unknown SKU", Origin.STOREFRONT, "ecommerce",
             "An order line carries a SKU that is neither in the master catalogue nor in the SKU crosswalk.",
             "Map the SKU to a catalogue SKU, or mark it as ignored. Every order that waits goes out by itself.", True),
        Kind("unmapped_value", "Unknown value", Origin.STOREFRONT, "manager",
             "The source uses a word (a status, a market, a method) that the value table does not translate.",
             "Add the word to the value table named in the title. What waits goes out by itself.", True),
        Kind("missing_field", "Required field is empty", Origin.STOREFRONT, "ecommerce",
             "The destination needs a field that the record does not have.",
             "Fill the field at the source, or give the field rule a default value.", True),
        Kind("bad_phone", "Phone number cannot be read", Origin.STOREFRONT, "marketing",
             "The phone number is not a valid international number for the person's country.",
             "Correct the number at the source, or let the field rule leave invalid numbers out.", True),
        Kind("bad_email", "E-mail address cannot be read", Origin.STOREFRONT, "marketing",
             "The e-mail address is not one that mail can be sent to.", "Correct the address at the source.", True),
        Kind("bad_value", "Value does not fit the field", Origin.STOREFRONT, "ecommerce",
             "A value cannot be turned into what the destination's field accepts.",
             "Correct it at the source, or change the field rule's transform.", True),
        Kind("invalid_payload", "Record breaks a limit of the destination", Origin.INTEGRATION, "manager",
             "The mapped record is longer, larger or shaped differently than the destination allows; it was not sent.",
             "Shorten it at the source or change the field rule named in the title.", True),
        Kind("no_mapping", "No published mapping", Origin.INTEGRATION, "manager",
             "The flow has no published mapping version, so nothing can be translated.", "Publish a mapping version for this flow.", True),
        Kind("ambiguous_contact", "Several contacts may fit", Origin.DESTINATION, "marketing",
             "What is known of the customer speaks for more than one person: the e-mail address for one contact and the phone number for "
             "another, a phone number that several share, or a phone number whose owner has another surname.",
             "Choose the contact that is this person, or a new one; the choice is remembered and all that waits goes out."),
        Kind("missing_link", "Waits for another record", Origin.INTEGRATION, "ecommerce",
             "The record belongs to another one that has not arrived at the destination for a day.",
             "Open the record it waits for and settle what holds it, or replay it."),
        Kind("orphaned_events", "Events of unknown visitors", Origin.STOREFRONT, "marketing",
             "Visitors did something on the own site and gave no name in time, so nobody knows whose events these are. They were not sent.",
             "Nothing is held up. When there are many: call identify on the pages where visitors sign in, subscribe or check out."),
        Kind("no_profile", "Event reached no profile", Origin.DESTINATION, "marketing",
             "A purchase event names a person of whom the destination has no profile, so it would update none. It was not sent.",
             "Bring the contact there first, then retry; or ignore it for people you do not market to."),
        Kind("refused", "Refused by the destination", Origin.DESTINATION, "ecommerce",
             "The destination looked at the record and will not take it as it is.",
             "Read its message, correct the record at the source or the field rule, then retry."),
        Kind("exhausted", "Gave up after the last try", Origin.OUTAGE, "administrator",
             "Every try failed with a passing fault, and the last one was used up.",
             "Check that the destination answers, then retry all that waits."),
        Kind("internal", "Fault in this program", Origin.INTEGRATION, "administrator",
             "The program met a record it could not handle. Nothing else is held up by it.",
             "Send the fault's text to whoever maintains this installation, then retry after the repair."),
        Kind("unparsable", "Message could not be read", Origin.STOREFRONT, "administrator",
             "A verified message does not have the shape its platform documents. It is kept in the inbox as it came.",
             "Open the inbox event, read the reason, and process it again after the repair."),
        Kind("message_gap", "Messages are missing", Origin.STOREFRONT, "administrator",
             "Messages about something never came, and reading it again to make up for them failed several times.",
             "Open the inbox event, read the reason, and process it again. Polling brings the present state meanwhile."),
        Kind("needs_auth", "Connection needs re-authorisation", Origin.PERMISSION, "administrator",
             "The platform no longer accepts this connection's credentials. Its deliveries are kept.",
             "Open the connection and connect it again, or put in a new key."),
        Kind("grant_ends", "Authorisation ends soon", Origin.PERMISSION, "administrator",
             "The platform says that the consent this connection works with is about to end. It goes on working until then.",
             "Open the connection and connect it again before that day; the question closes by itself."),
        Kind("platform_down", "Platform does not answer", Origin.OUTAGE, "administrator",
             "Several calls in a row failed. The connection is paused and probed; deliveries are kept.",
             "Look at the platform's status page. It goes on by itself when the platform answers."),
        Kind("version_drift", "Another API version answered", Origin.PERMISSION, "administrator",
             "The platform served another API version than the one pinned here.",
             "Choose a supported version on the connection's page and test it."),
        Kind("missing_subscription", "Webhook subscription missing", Origin.PERMISSION, "administrator",
             "A webhook subscription is gone and could not be put back.",
             "Read the platform's reason; usually a permission is missing. Polling brings the changes meanwhile, only later."),
        Kind("privacy_overdue", "Privacy request runs out of time", Origin.INTEGRATION, "manager",
             "A person asked for their data, or for its erasure, and the 30 days that the law gives are nearly over.",
             "Open Privacy and the request named in the title: it says what it waits for."),
        Kind("stale_consent", "Consent not held as it stands", Origin.DESTINATION, "marketing",
             "The daily look at consents found people of whom this platform holds something else than they stated last.",
             "Open the list of those people and send again what stands, for one or for all."),
        Kind("backfill_failed", "Pull fails", Origin.OUTAGE, "manager",
             "Reading from the source failed several times in a row. A backfill stopped where it was; a poll goes on trying.",
             "Read its message. A backfill is resumed on its page and goes on where it stopped."),
    )
}  # fmt: skip


def kind_choices() -> list[tuple[str, str]]:
    """Slug and label of every kind."""
    return [(kind.slug, kind.label) for kind in KINDS.values()]
