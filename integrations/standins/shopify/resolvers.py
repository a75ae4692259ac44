"""How a field of a type is answered: tables of functions, collected from the modules of ``fields``, and what one call knows."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from integrations.standins.shopify.shops import Shop

Resolver = Callable[[Any, Mapping[str, Any], "Call"], Any]


class Refusal(Exception):  # noqa: N818 - an answer, not a defect
    """The field is not answered; becomes an entry of ``errors`` with this code."""

    def __init__(self, message: str, code: str, **extensions: Any) -> None:
        super().__init__(message)
        self.code, self.extensions = code, extensions


class Absent(Exception):  # noqa: N818 - carries a null upwards
    """A value that may not be null is; the nearest parent that may be takes the null."""


@dataclass(slots=True)
class Call:
    """One GraphQL call while it is answered."""

    shop: Shop
    version: str
    # address of the shop at this server, for links it hands out
    base_url: str = ""
    variables: Any = None
    # as a bulk operation: connections are not paged, their nodes become lines of their own
    bulk: bool = False
    root: str = ""
    errors: list[dict[str, Any]] = field(default_factory=list)
    warnings: list[dict[str, Any]] = field(default_factory=list)
    arguments: dict[int, dict[str, Any]] = field(default_factory=dict)
    denied: set[tuple[str, str]] = field(default_factory=set)
    # in a bulk operation: connections met below the present node
    children: list[tuple[Any, Any]] = field(default_factory=list)
    # objects with an id that were answered, for the actual cost
    objects: int = 0

    def allows(self, scope: str) -> bool:
        """Whether the token may; writing implies reading."""
        scopes = self.shop.scopes
        return not scope or scope in scopes or (scope.startswith("read_") and f"write_{scope[5:]}" in scopes)

    def deny(self, type_name: str, name: str, required: str) -> None:
        """Note once that a field is not for this token."""
        if (type_name, name) in self.denied:
            return
        self.denied.add((type_name, name))
        path = [self.root] if type_name in ("QueryRoot", "Mutation") else [self.root, name]
        self.errors.append({
            "message": f"Access denied for {name} field. Required access: {required}",
            "locations": [],
            "path": path,
            "extensions": {
                "code": "ACCESS_DENIED",
                "documentation": "https://shopify.dev/api/usage/access-scopes",
                "requiredAccess": required,
            },
        })  # fmt: skip


# type → field → resolver; filled by the modules of ``fields``. A type that is not here is answered from a dictionary.
FIELDS: dict[str, dict[str, Resolver]] = {}
# (type, field) → access scope, or "" for personal data of level 2
PROTECTED: dict[tuple[str, str], str] = {}


def attribute(name: str) -> Resolver:
    """Answer with an attribute of the object."""
    return lambda source, arguments, call: getattr(source, name)


def constant(value: Any) -> Resolver:
    """Always the same answer."""
    return lambda source, arguments, call: value


def resolver_of(type_name: str, name: str) -> Resolver:
    """The resolver of a field, guarded where the token may not be allowed to see it."""
    if name == "__typename":
        return constant(type_name)
    if type_name.endswith(("Connection", "Edge")) and (type_name, name) not in FIELDS:
        return FIELDS["Connection"].get(name) or _not_modelled(type_name, name)
    table = FIELDS.get(type_name)
    plain = _from_dictionary(type_name, name) if table is None else table.get(name) or _not_modelled(type_name, name)
    required = PROTECTED.get((type_name, name))
    return plain if required is None else _guarded(type_name, name, required, plain)


def _from_dictionary(type_name: str, name: str) -> Resolver:
    def resolve(source: Any, arguments: Mapping[str, Any], call: Call) -> Any:
        try:
            return source[name]
        except (KeyError, TypeError):
            raise _missing(type_name, name) from None

    return resolve


def _not_modelled(type_name: str, name: str) -> Resolver:
    def resolve(source: Any, arguments: Mapping[str, Any], call: Call) -> Any:
        raise _missing(type_name, name)

    return resolve


def _missing(type_name: str, name: str) -> Refusal:
    return Refusal(f"{type_name}.{name} is not modelled by this stand-in", "INTERNAL_SERVER_ERROR")


def _guarded(type_name: str, name: str, scope: str, plain: Resolver) -> Resolver:
    required = f"`{scope}` access scope." if scope else "protected customer data, level 2."

    def resolve(source: Any, arguments: Mapping[str, Any], call: Call) -> Any:
        if call.allows(scope) if scope else call.shop.spec.pii:
            return plain(source, arguments, call)
        call.deny(type_name, name, required)
        return None

    return resolve
