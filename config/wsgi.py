"""The WSGI application: the console, and beside it a short way in for webhooks."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from http import HTTPStatus

import structlog
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
console = get_wsgi_application()

from integrations import views  # noqa: E402  (after the set-up above)

log = structlog.get_logger(__name__)
HOOKS = "/hooks/"
STATUS_LINES = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}


def application(environ: dict, start_response: Callable[..., object]) -> Iterable[bytes]:
    """Send a platform's calls the short way, everything else to the console."""
    if environ.get("PATH_INFO", "").startswith(HOOKS):
        return hooks(environ, start_response)
    return console(environ, start_response)


def hooks(environ: dict, start_response: Callable[..., object]) -> Iterable[bytes]:
    """A webhook has no session, no form and no page: it needs none of the console's layers, only a status as its answer."""
    slug = environ["PATH_INFO"][len(HOOKS) :].removesuffix("/")
    try:
        status = views.take(slug, environ, environ["wsgi.input"].read) if environ["REQUEST_METHOD"] == "POST" else 405
    except Exception:  # noqa: BLE001 - the platform must hear that its call was not stored, whatever the reason
        log.exception("webhook was not stored", platform=slug[:30])
        status = 500
    finally:
        close_old_connections()
    start_response(STATUS_LINES[status], [("Content-Length", "0"), *([("Allow", "POST")] if status == 405 else [])])
    return [b""]
