"""The answer to an act that the present state does not allow."""

from __future__ import annotations

from rest_framework.exceptions import APIException


class Conflict(APIException):  # noqa: N818 - named for the answer
    """409 with the reason in one sentence."""

    status_code = 409
    default_detail = "The present state does not allow this."
    default_code = "conflict"
