"""The WSGI application: the console, and in front of it a short way in for webhooks."""

from __future__ import annotations

import os

from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
console = get_wsgi_application()


class HooksRequest(WSGIRequest):
    """A call that is looked up among the doors only, not behind all pages of the console."""

    urlconf = "integrations.urls"


class HooksHandler(WSGIHandler):
    """Django without the console's middleware: a webhook has no session, no form and no page."""

    request_class = HooksRequest

    def load_middleware(self, is_async: bool = False) -> None:
        """Keep the resolver and the error handling, load no middleware."""
        from django.test.utils import override_settings

        with override_settings(MIDDLEWARE=[]):
            super().load_middleware(is_async=is_async)


hooks = HooksHandler()


def application(environ: dict, start_response: object) -> object:
    """Send a platform's calls the short way, everything else to the console."""
    handler = hooks if environ.get("PATH_INFO", "").startswith("/hooks/") else console
    return handler(environ, start_response)
