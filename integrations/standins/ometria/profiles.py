"""Clustering: which profile a listing, an order or an event belongs to."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Literal, NamedTuple

from integrations.standins.ometria.consent import Voice

ListingKey = tuple[str, str]
Kind = Literal["customer_id", "email", "phone"]
KINDS: tuple[Kind, ...] = ("customer_id", "email", "phone")


class Identifiers(NamedTuple):
    """What identifies a person, most trusted first; e-mail in lower case."""

    customer_id: str | None = None
    email: str | None = None
    phone: str | None = None

    def empty(self) -> bool:
        """Whether nothing identifies anybody."""
        return not (self.customer_id or self.email or self.phone)

    def given(self) -> list[tuple[Kind, str]]:
        """Those that are there, in order of trust."""
        return [(kind, value) for kind, value in zip(KINDS, self, strict=True) if value]


def identifiers(customer_id: str | None, email: str | None, phone: str | None, *, with_phone: bool) -> Identifiers:
    """Normalised identifiers; the phone counts only where the account has it switched on."""
    return Identifiers(customer_id, email.strip().lower() if email else None, phone if with_phone else None)


@dataclass(slots=True)
class Profile:
    """A person: identifiers, what belongs to it, and statements made outside of any listing."""

    id: str
    created: float
    updated: float
    customer_id: str | None = None
    email: str | None = None
    phone: str | None = None
    listings: dict[ListingKey, None] = field(default_factory=dict)
    orders: dict[str, None] = field(default_factory=dict)
    preference: Voice | None = None
    # SMS consent, when it was stated, and whether a double opt-in still waits for its confirmation
    sms: bool | None = None
    sms_at: float = 0.0
    sms_pending: bool = False


class Directory:
    """All profiles of an account; an identifier belongs to one profile only."""

    def __init__(self, account: str) -> None:
        self._account = account
        self._made = 0
        self.profiles: dict[str, Profile] = {}
        self._owners: dict[Kind, dict[str, Profile]] = {"customer_id": {}, "email": {}, "phone": {}}
        self._changed: dict[str, None] = {}
        # profiles from before identifiers became exclusive, by the e-mail address they share with its owner
        self._sharing: dict[str, list[Profile]] = {}

    def with_email(self, email: str) -> list[Profile]:
        """Every profile with an address: its owner, then those that merely share it."""
        owner = self._owners["email"].get(email)
        return [*([owner] if owner else []), *self._sharing.get(email, ())]

    def share_email(self, email: str, customer_id: str | None, at: float) -> Profile:
        """A second profile with somebody's e-mail address, as accounts from before 2024 have them."""
        profile = self.create(at)
        profile.email = email
        self._sharing.setdefault(email, []).append(profile)
        self.claim(profile, Identifiers(customer_id))
        return profile

    def find(self, kind: Kind, value: str) -> Profile | None:
        """The owner of an identifier."""
        return self._owners[kind].get(value)

    def match(self, sought: Identifiers) -> Profile | None:
        """The profile the most trusted known identifier leads to; a different customer id forbids a weaker match.

        Where several share an e-mail address, only one without a customer id is taken.
        """
        for kind, value in sought.given():
            found = self._owners[kind].get(value)
            if kind == "email" and value in self._sharing:
                found = next((profile for profile in self.with_email(value) if profile.customer_id is None), None)
            if found is None:
                continue
            if kind == "customer_id" or not sought.customer_id or found.customer_id in (None, sought.customer_id):
                return found
        return None

    def match_or_create(self, sought: Identifiers, at: float) -> Profile:
        """The matching profile or a new one, owning those identifiers nobody else owns."""
        profile = self.match(sought) or self.create(at)
        self.claim(profile, sought)
        return profile

    def claim(self, profile: Profile, given: Identifiers) -> None:
        """Give identifiers to a profile; those of another profile are ignored."""
        for kind, value in given.given():
            if self._owners[kind].setdefault(value, profile) is profile:
                setattr(profile, kind, value)

    def release(self, profile: Profile, gone: Identifiers, kept: Collection[Identifiers]) -> None:
        """Take identifiers from a profile unless another of its listings still carries them."""
        still = {pair for other in kept for pair in other.given()}
        for kind, value in gone.given():
            if (kind, value) in still or self._owners[kind].get(value) is not profile:
                continue
            del self._owners[kind][value]
            if getattr(profile, kind) == value:
                setattr(profile, kind, None)

    def owns(self, profile: Profile, kind: Kind, value: str) -> bool:
        """Whether the identifier belongs to this profile."""
        return self._owners[kind].get(value) is profile

    def touch(self, profile: Profile, at: float) -> None:
        """Note a change of the profile."""
        profile.updated = at
        self._changed.pop(profile.id, None)
        self._changed[profile.id] = None

    def by_change(self) -> Iterator[Profile]:
        """Least recently changed first."""
        return (self.profiles[key] for key in self._changed)

    def remove(self, profile: Profile) -> None:
        """Forget a profile and all it owns."""
        for owners in self._owners.values():
            for value in [value for value, owner in owners.items() if owner is profile]:
                del owners[value]
        for sharing in self._sharing.values():
            if profile in sharing:
                sharing.remove(profile)
        del self.profiles[profile.id]
        self._changed.pop(profile.id, None)

    def hand_over(self, source: Profile, survivor: Profile) -> None:
        """Move every identifier of a merged profile to its survivor."""
        for kind, owners in self._owners.items():
            for value in [value for value, owner in owners.items() if owner is source]:
                owners[value] = survivor
                if getattr(survivor, kind) is None:
                    setattr(survivor, kind, value)

    def create(self, at: float) -> Profile:
        """A new profile without identifiers."""
        self._made += 1
        mark = blake2b(f"{self._account}:{self._made}".encode(), digest_size=6).hexdigest()
        profile = Profile(f"{self._made:04x}-{mark[:6]}-{mark[6:]}", at, at)
        self.profiles[profile.id] = profile
        self._changed[profile.id] = None
        return profile
