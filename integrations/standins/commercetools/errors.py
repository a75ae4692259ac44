"""What commercetools answers when it does not do as asked: one shape, the code decides the status."""

from collections.abc import Mapping
from typing import Any

# commercetools API reference, types/error; a code that is not here is 400
STATUSES = {
    "invalid_token": 401, "invalid_client": 401, "unauthorized": 401, "insufficient_scope": 403, "access_denied": 403,
    "ResourceNotFound": 404, "ConcurrentModification": 409, "LockedField": 409, "ReferenceExists": 409, "ContentTooLarge": 413,
    "General": 500, "BadGateway": 502, "OverCapacity": 503, "PendingOperation": 503, "QueryTimedOut": 503,
}  # fmt: skip
AUTH_CODES = frozenset(
    {"invalid_token", "invalid_client", "unauthorized", "insufficient_scope", "access_denied", "invalid_scope", "unsupported_grant_type"}
)


class Refusal(Exception):  # noqa: N818 - an answer, not an error
    """An answer in the error shape; ``extra`` are the further fields of its first error."""

    def __init__(
        self, code: str, message: str, *, status: int | None = None, headers: Mapping[str, str] | None = None, **extra: Any
    ) -> None:
        super().__init__(message)
        self.code, self.message, self.extra = code, message, extra
        self.status = status or STATUSES.get(code, 400)
        self.headers = dict(headers or {})

    def body(self) -> dict[str, Any]:
        """The JSON of the answer; errors of the gate name themselves a second time, as OAuth wants it."""
        shown = {"statusCode": self.status, "message": self.message, "errors": [{"code": self.code, "message": self.message, **self.extra}]}
        return {**shown, "error": self.code, "error_description": self.message} if self.code in AUTH_CODES else shown


def not_found(what: str = "") -> Refusal:
    """404 in the platform's words."""
    return Refusal("ResourceNotFound", f"The Resource with {what} was not found." if what else "URI not found.")


def invalid(message: str) -> Refusal:
    """400 InvalidInput."""
    return Refusal("InvalidInput", message)


def required(field: str) -> Refusal:
    """400 RequiredField."""
    return Refusal("RequiredField", f"A value is required for field '{field}'.", field=field)


def wrong_field(field: str, value: Any, allowed: tuple[str, ...] | None = None) -> Refusal:
    """400 InvalidField."""
    extra = {"allowedValues": list(allowed)} if allowed else {}
    return Refusal("InvalidField", f"The value '{value}' is not valid for field '{field}'.", field=field, invalidValue=value, **extra)


def duplicate(field: str, value: Any, message: str = "") -> Refusal:
    """400 DuplicateField."""
    words = message or f"A duplicate value '{value}' exists for field '{field}'."
    return Refusal("DuplicateField", words, field=field, duplicateValue=value)


def no_such_reference(type_id: str, named: Mapping[str, Any]) -> Refusal:
    """400 ReferencedResourceNotFound for a resource identifier."""
    name = "key" if "key" in named else "id"
    value = str(named.get(name, ""))
    words = f"The referenced object of type '{type_id}' with identifier '{value}' was not found."
    return Refusal("ReferencedResourceNotFound", words, typeId=type_id, **{name: value})
