"""The ASGI application: the door for webhooks on the event loop, and the console in threads beside it."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from a2wsgi import WSGIMiddleware
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django = get_wsgi_application()

from django.conf import settings  # noqa: E402  (after the set-up above)

from integrations.door import HOOKS, Door  # noqa: E402

console = WSGIMiddleware(django, workers=settings.CONSOLE_THREADS)
door = Door()


async def application(scope: Mapping[str, Any], receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]) -> None:
    """Send a platform's calls to the door, everything else to the console."""
    await (door if scope["type"] == "http" and scope["path"].startswith(HOOKS) else console)(scope, receive, send)
