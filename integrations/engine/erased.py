"""People who were erased do not come back: what arrives of them later loses the person before it is stored, and is never sent.

They are recognised by one-way codes (keyed by the installation's secret), so that nothing that is kept says who they were. A phone
number alone recognises nobody who shows an e-mail address: families share numbers.
"""

from __future__ import annotations

import hmac
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Protocol

import orjson
from django.conf import settings
from django.utils.crypto import salted_hmac

from integrations.models import PrivacyMark, PrivacyRequest
from mapping import codec
from mapping.anonymous import IMPERSONAL, SHADOW, anonymous
from mapping.crosswalk import KnownContact
from mapping.records import Customer, Record
from mapping.transforms import e164, email

EMAIL, PHONE, CUSTOMER, VISITOR, CONTACT, THERE = "e", "p", "c", "v", "k", "d"  # kinds of marks; the last: a key at a destination
DIGITS = 30  # hexadecimal digits of a code
SHADOW_DIGITS = 24


class Coded(Protocol):
    """Somebody whose marks are known."""

    def codes(self) -> list[str]:
        """The marks by which they would be recognised."""


@dataclass(frozen=True, slots=True)
class Who:
    """What a record says of the person it belongs to, normalised."""

    email: str = ""
    phone: str = ""
    customer: str = ""
    visitor: str = ""

    def codes(self, connection_id: int) -> list[str]:
        """The marks by which this person would be known, the surest first; none for nobody."""
        found = [code(EMAIL, self.email)] if self.email else []
        found += [code(CUSTOMER, self.customer, connection_id)] if self.customer else []
        found += [code(VISITOR, self.visitor, connection_id)] if self.visitor else []
        return [*found, code(PHONE, self.phone)] if self.phone and not self.email else found


def code(kind: str, value: str, connection_id: int = 0) -> str:
    """The one-way code of an address, a number or (with its connection) a key."""
    return kind + _keyed(f"{kind}:{connection_id}:{value}")[:DIGITS]


def shadow_key(connection_id: int, key: str) -> str:
    """What stands in the place of a key of a person: the same for the same key, and nobody can turn it back."""
    return SHADOW + _keyed(f"shadow:{connection_id}:{key}")[:SHADOW_DIGITS]


def who_of(record: Record, *, thorough: bool = False) -> Who:
    """Whom a record belongs to; reading a phone number takes long, so it is left out beside an address unless `thorough`."""
    owner: Any = record if isinstance(record, Customer) else getattr(record, "customer", record)
    key = owner.key if owner is not record or isinstance(record, Customer) else getattr(record, "customer_key", "")
    place = getattr(record, "shipping_address", None) or getattr(record, "billing_address", None)
    country = getattr(owner, "country", "") or (place.country if place else "")
    address, phone = email(getattr(owner, "email", "") or ""), getattr(owner, "phone", "") or ""
    return Who(
        email=address, phone=e164(phone, country) if phone and (thorough or not address) else "", customer=str(key or ""),
        visitor=getattr(record, "visitor", "") or "",
    )  # fmt: skip


def without_erased(connection_id: int, records: Sequence[Record]) -> list[Record]:
    """These records of a source; of those whose person was erased only what the books need is left."""
    if not records or not PrivacyMark.objects.exists():
        return list(records)
    codes = {id(record): who_of(record).codes(connection_id) for record in records if record.record_type not in IMPERSONAL}
    marks = shadows({one for found in codes.values() for one in found})
    if not marks:
        return list(records)
    return [_less(record, marks, codes.get(id(record), ()), connection_id) for record in records]


def _less(record: Record, marks: dict[str, str], codes: Iterable[str], connection_id: int) -> Record:
    shadow = next((marks[one] for one in codes if one in marks), "")
    return anonymised(record, connection_id, shadow) if shadow else record


def anonymised(record: Record, connection_id: int, shadow: str) -> Record:
    """A record without its person."""
    data = orjson.loads(codec.dumps(record))
    return codec.from_json(record.record_type, anonymous_json(record.record_type, data, connection_id, shadow=shadow))


def anonymous_json(record_type: str, data: dict[str, Any], connection_id: int, *, shadow: str) -> dict[str, Any]:
    """The stored JSON of a record without its person; `shadow` is that of a person without a key at the source."""
    owner = data.get("customer")
    key = str(owner.get("key") or "") if isinstance(owner, dict) else ""
    mine = str(data.get("key", ""))
    return anonymous(
        record_type, data, key=mine if mine.startswith(SHADOW) else shadow_key(connection_id, mine),
        shadow=key if key.startswith(SHADOW) else shadow_key(connection_id, key) if key else shadow,
    )  # fmt: skip


def kept_contacts(connection_id: int, contacts: Iterable[KnownContact]) -> list[KnownContact]:
    """Contacts of a destination without those who were erased: until the destination has erased them too it goes on showing them."""
    shown = list(contacts)
    if not shown or not PrivacyMark.objects.exists():
        return shown
    codes = {contact.contact_key: _contact_codes(connection_id, contact) for contact in shown}
    marks = shadows({one for found in codes.values() for one in found})
    return [contact for contact in shown if marks.keys().isdisjoint(codes[contact.contact_key])]


def _contact_codes(connection_id: int, contact: KnownContact) -> list[str]:
    found = [code(CONTACT, contact.contact_key, connection_id), *(code(EMAIL, email(value)) for value in contact.emails)]
    return found if contact.emails else [*found, *(code(PHONE, e164(value, "")) for value in contact.phones)]


def erased_among(keys: Collection[str], *, source: int, destination: int) -> set[str]:
    """Those keys of records at a source, or of objects at a destination, that belonged to somebody who was erased."""
    if not keys or not PrivacyMark.objects.exists():
        return set()
    codes = {one: key for key in keys for one in (code(CUSTOMER, key, source), code(THERE, key, destination))}
    return {codes[one] for one in shadows(codes.keys())}


def shadows(codes: Collection[str]) -> dict[str, str]:
    """Which of these codes are marks, and the shadow of each."""
    return dict(PrivacyMark.objects.filter(code__in=codes).values_list("code", "shadow")) if codes else {}


def let_back(subject: Coded) -> list[PrivacyRequest]:
    """Forget that these people were erased, because they came back and want to be kept; returns the requests by which they were."""
    rows = list(PrivacyRequest.objects.filter(marks__code__in=subject.codes()).distinct())
    PrivacyMark.objects.filter(request__in=rows).delete()
    return rows


def _keyed(text: str) -> str:
    return hmac.digest(_key(settings.SECRET_KEY), text.encode(), "sha256").hex()


@cache
def _key(secret: str) -> bytes:
    """The key of the codes, made of the installation's secret for this purpose alone."""
    return salted_hmac("integrations.PrivacyMark", "", secret=secret, algorithm="sha256").digest()
