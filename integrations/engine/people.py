"""What is known of a destination's contacts: who owns which handle, which buyer was matched to whom. Read and written in batches."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field

from django.db import connection as database

from integrations.engine.erased import kept_contacts
from mapping.crosswalk import KnownContact
from mapping.identity import Person, handles
from mapping.models import Contact, ContactHandle
from mapping.transforms import e164, email

Handle = tuple[str, str]  # kind (email, phone, customer_id) and normalised value
Kind = ContactHandle.Kind
KINDS = {Kind.EMAIL: "email", Kind.PHONE: "phone", Kind.CUSTOMER_ID: "customer_id"}
LOCK = 7_310_021  # class of the advisory locks on a destination's contacts
NEW = "@"  # what the key of a contact begins with that this console makes and the destination has not shown yet


@dataclass(slots=True)
class Known:
    """Contacts around one batch: owners of handles, the contact that a source key is bound to and whether a person chose it."""

    owners: dict[Handle, set[str]] = field(default_factory=dict)
    bound: dict[str, tuple[str, bool]] = field(default_factory=dict)
    contacts: dict[str, KnownContact] = field(default_factory=dict)

    def candidates(self, person: Person, *kinds: str) -> tuple[KnownContact, ...]:
        """The contacts that a person's handles point to; only handles of these kinds, where some are named."""
        wanted = [handle for handle in handles(person).items() if not kinds or handle[0] in kinds]
        keys = {key for handle in wanted for key in self.owners.get(handle, ())}
        return tuple(self.contacts[key] for key in sorted(keys) if key in self.contacts)

    def add(self, contact: KnownContact) -> None:
        """Take a contact in, or what is new of it."""
        self.contacts[contact.contact_key] = contact
        for handle in handles_of(contact):
            self.owners.setdefault(handle, set()).add(contact.contact_key)

    def adopt(self, shown: KnownContact) -> None:
        """A contact that this console made shows its own id now."""
        for name in {new_key(value) for value in shown.customer_ids} & set(self.contacts):
            del self.contacts[name]
            self.bound = {source: (shown.contact_key if key == name else key, chosen) for source, (key, chosen) in self.bound.items()}
            for owners in self.owners.values():
                owners.discard(name)


def new_key(source_key: str) -> str:
    """What a contact is called that is made for this customer."""
    return f"{NEW}{source_key}"[:255]


def lock(connection_id: int) -> None:
    """One at a time may decide who is who at a destination; ends with the transaction."""
    with database.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [LOCK, connection_id])


def load(connection_id: int, people: Sequence[Person]) -> Known:
    """What is known around these people, in two queries."""
    values = {value for person in people for value in handles(person).values()}
    known = Known()
    rows = ContactHandle.objects.filter(connection=connection_id, kind__in=Kind.values, value__in=values)
    for kind, value, key, chosen in rows.order_by("created_at", "pk").values_list("kind", "value", "contact_key", "chosen"):
        if kind == Kind.SOURCE_ID:
            if chosen or not known.bound.get(value, ("", False))[1]:
                known.bound[value] = (key, chosen)
        else:
            known.owners.setdefault((KINDS[Kind(kind)], value), set()).add(key)
    keys = {key for owners in known.owners.values() for key in owners} | {key for key, _ in known.bound.values()}
    known.contacts = contacts(connection_id, keys)
    return known


def contacts(connection_id: int, keys: Collection[str]) -> dict[str, KnownContact]:
    """Contacts by key, those that are known."""
    rows = Contact.objects.filter(connection=connection_id, contact_key__in=list(keys)).values_list("contact_key", "facts") if keys else ()
    return {key: _contact(key, facts) for key, facts in rows}


def contacts_of(connection_id: int, source_keys: Collection[str]) -> dict[str, KnownContact]:
    """The contact that each of these source keys was matched to; those nobody was matched to are left out."""
    rows = ContactHandle.objects.filter(connection=connection_id, kind=Kind.SOURCE_ID, value__in=list(source_keys))
    bound: dict[str, str] = dict(rows.order_by("chosen", "created_at", "pk").values_list("value", "contact_key"))
    known = contacts(connection_id, set(bound.values()))
    return {source_key: known[key] for source_key, key in bound.items() if key in known}


def handles_of(contact: KnownContact) -> set[Handle]:
    """Every handle of a contact, normalised."""
    found = {("email", email(value)) for value in contact.emails} | {("phone", e164(value, "")) for value in contact.phones}
    return {handle for handle in found | {("customer_id", value) for value in contact.customer_ids} if handle[1]}


def store(connection_id: int, changed: Iterable[KnownContact], bindings: Mapping[str, str] | None = None) -> None:
    """Write contacts with their handles as they are now, and source key → contact key; call under the lock, inside its transaction."""
    rows = {contact.contact_key: contact for contact in kept_contacts(connection_id, changed)}
    if rows:
        _adopt(connection_id, rows.values())
        Contact.objects.bulk_create(
            [Contact(connection_id=connection_id, contact_key=key, facts=_facts(contact)) for key, contact in sorted(rows.items())],
            update_conflicts=True, unique_fields=["connection", "contact_key"], update_fields=["facts", "seen_at"],
        )  # fmt: skip
        _replace_handles(connection_id, rows)
    if bindings:
        bind(connection_id, bindings)


def bind(connection_id: int, bindings: Mapping[str, str], *, chosen: bool = False) -> None:
    """Remember which contact each source key is; what was believed before is forgotten."""
    ContactHandle.objects.filter(connection=connection_id, kind=Kind.SOURCE_ID, value__in=list(bindings)).delete()
    ContactHandle.objects.bulk_create(
        [
            ContactHandle(connection_id=connection_id, kind=Kind.SOURCE_ID, value=source_key, contact_key=key, chosen=chosen)
            for source_key, key in sorted(bindings.items())
        ]
    )


def forget(connection_id: int, keys: Collection[str]) -> None:
    """These contacts turned out to be others: nobody is recognised by them any more."""
    ContactHandle.objects.filter(connection=connection_id, contact_key__in=list(keys)).delete()
    Contact.objects.filter(connection=connection_id, contact_key__in=list(keys)).delete()


def _adopt(connection_id: int, seen: Iterable[KnownContact]) -> None:
    """A contact that this console made shows its own id now: it takes over the place of the one it was known as."""
    wanted = {new_key(value): contact.contact_key for contact in seen for value in contact.customer_ids}
    wanted = {made: key for made, key in wanted.items() if made != key}
    made = set(Contact.objects.filter(connection=connection_id, contact_key__in=list(wanted)).values_list("contact_key", flat=True))
    for name in made:
        ContactHandle.objects.filter(connection=connection_id, kind=Kind.SOURCE_ID, contact_key=name).update(contact_key=wanted[name])
    if made:
        forget(connection_id, made)


def _replace_handles(connection_id: int, rows: Mapping[str, KnownContact]) -> None:
    held: dict[str, set[Handle]] = {key: set() for key in rows}
    stored = ContactHandle.objects.filter(connection=connection_id, contact_key__in=list(rows)).exclude(kind=Kind.SOURCE_ID)
    stale = []
    for pk, kind, value, key in stored.values_list("pk", "kind", "value", "contact_key"):
        handle = (KINDS[Kind(kind)], value)
        if handle in handles_of(rows[key]):
            held[key].add(handle)
        else:
            stale.append(pk)
    if stale:
        ContactHandle.objects.filter(pk__in=stale).delete()
    names = {name: kind for kind, name in KINDS.items()}
    ContactHandle.objects.bulk_create(
        [
            ContactHandle(connection_id=connection_id, kind=names[kind], value=value[:255], contact_key=key)
            for key, contact in sorted(rows.items())
            for kind, value in sorted(handles_of(contact) - held[key])
        ],
        ignore_conflicts=True,
    )


def same(contact: KnownContact, other: KnownContact | None) -> bool:
    """Whether two views of a contact say the same."""
    return other is not None and _facts(contact) == _facts(other)


def _facts(contact: KnownContact) -> dict[str, object]:
    return {name: value for name, value in asdict(contact).items() if value and name not in ("contact_key", "label")}


def _contact(key: str, facts: Mapping[str, object]) -> KnownContact:
    lists = {name: tuple(facts.get(name, ())) for name in ("emails", "phones", "customer_ids")}
    rest = {name: facts[name] for name in ("first_name", "last_name", "first_seen", "fields") if name in facts}
    return KnownContact(contact_key=key, **lists, **rest)
