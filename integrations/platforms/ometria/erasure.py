"""Erasing a person at Ometria: a data-deletion request, carried out by Ometria within 14 days.

The path and what is read back are documented, the body is not (Data API v2, data deletion requests; integrations send the address
alone): which field holds the address is a setting of the connection. Six calls a minute and account.
"""

from __future__ import annotations

from integrations.platforms.errors import Refused
from integrations.platforms.ometria.client import OmetriaClient

COMMENT = "Erased at Switchyard on the person's request"


class OmetriaErasure:
    """Data-deletion requests of one account."""

    def ask(self, client: OmetriaClient, email: str) -> str:
        """The id of the request; raises Refused when the answer names none."""
        answer = client.ask_deletion({client.options.deletion_field: email, "comment": COMMENT})
        reference = str(answer.get("id") or answer.get("api_request_id") or "")
        if not reference:
            raise Refused("Ometria answered the deletion request without naming it", code="no_id")
        return reference

    def is_done(self, client: OmetriaClient, reference: str) -> bool:
        """Whether Ometria says when it was completed; one it no longer knows is over."""
        found = client.deletion(reference)
        return found is None or bool(found.get("timestamp_completed"))
