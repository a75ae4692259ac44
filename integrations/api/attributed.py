"""What is done through the API stands in the console's log, under the name of whoever's token or session did it."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

FIRST_FAILURE = 400


class Attributed(GenericViewSet):
    """A resource whose acts are logged on the row that they were done to; `log_words` names them, what is not in it logs itself."""

    log_words: ClassVar[dict[str, str]] = {}

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        """The answer; an act that was done is written down first."""
        words = self.log_words.get(getattr(self, "action", None) or "")
        key = self.kwargs.get("pk")
        if words and key and response.status_code < FIRST_FAILURE:
            row = self.get_queryset().get(pk=key)
            LogEntry.objects.create(
                user_id=request.user.pk, content_type=ContentType.objects.get_for_model(row), object_id=str(row.pk),
                object_repr=str(row)[:200], action_flag=CHANGE, change_message=f"{words}, through the API",
            )  # fmt: skip
        return super().finalize_response(request, response, *args, **kwargs)
