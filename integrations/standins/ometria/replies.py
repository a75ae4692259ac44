"""Answers that are not data."""

from collections.abc import Mapping

from integrations.standins.wire import Response, json_response


def error(status: int, message: str, headers: Mapping[str, str] | None = None) -> Response:
    """The error body of the Data API; clients may rely on the HTTP status only."""
    return json_response({"status": "ERROR", "message": message}, status, headers)
