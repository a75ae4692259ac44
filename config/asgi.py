"""The ASGI application: the door for webhooks on the event loop, and the console in threads beside it."""

from __future__ import annotations

import gc
import os
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

from a2wsgi import WSGIMiddleware
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django = get_wsgi_application()

from django.conf import settings  # noqa: E402  (after the set-up above)
from django.urls import get_resolver  # noqa: E402

from integrations.door import HOOKS, Door  # noqa: E402
from monitoring.alerts import watchdog  # noqa: E402

Receive = Callable[[], Awaitable[Any]]
console = WSGIMiddleware(django, workers=settings.CONSOLE_THREADS)
door = Door()
watchdog.start()
_ = get_resolver().url_patterns  # every page's module is loaded before anybody asks for one
gc.collect()
gc.freeze()  # what is loaded stays: a full collection that walked through it held an answer up for a fifth of a second


async def application(scope: Mapping[str, Any], receive: Receive, send: Callable[[Any], Awaitable[None]]) -> None:
    """Send a platform's calls to the door, everything else to the console."""
    if scope["type"] == "http" and scope["path"].startswith(HOOKS):
        await door(scope, receive, send)
    else:
        await console(scope, partial(_received, receive), send)


async def _received(receive: Receive) -> Any:
    """The next message: the console's adapter takes a coroutine only, and the server gives another awaitable."""
    return await receive()
