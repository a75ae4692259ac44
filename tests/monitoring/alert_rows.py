"""Targets, alerts and a receiver of webhooks for tests."""

from __future__ import annotations

import base64
import hashlib
import hmac
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from django.utils import timezone

from monitoring.models import AlertEvent, AlertMessage, AlertRound, AlertState, AlertTarget

SECRET = "whsec_" + base64.b64encode(b"a secret of thirty-two bytes 012").decode()


def make_target(kind: str = "webhook", **values: Any) -> AlertTarget:
    """A target that wants everything."""
    given = {"name": f"{kind}-{AlertTarget.objects.count()}", "kind": kind, "least": "notice"}
    given |= {"url": "http://127.0.0.1:9/", "secret": SECRET} if kind == "webhook" else {"addresses": ["team@example.com"]}
    return AlertTarget.objects.create(**{**given, **values})


def make_alert(watch: str = "silence", about: str = "1", *, wrong: bool = True, **values: Any) -> AlertState:
    """A condition as people know it, and the event that told them."""
    now = timezone.now()
    given = {"severity": "urgent", "teams": ["administrator", "manager"], "title": f"{watch} {about}", "raw": wrong, "raw_since": now}
    given |= {"wrong": wrong, "since": now - timedelta(minutes=9), "recovered_at": None if wrong else now, "text": "It is so."}
    row = AlertState.objects.create(key=f"{watch}:{about}", watch=watch, **{**given, **values})
    add_event(row)
    return row


def add_event(row: AlertState, change: str = "opened", at: datetime | None = None) -> AlertEvent:
    """One change of it."""
    words = {name: getattr(row, name) for name in ("watch", "severity", "teams", "title", "text", "url")}
    until = timezone.now() if change == "over" else None
    return AlertEvent.objects.create(alert=row, at=at or timezone.now(), change=change, since=row.since, until=until, **words)


def make_message(target: AlertTarget, **values: Any) -> AlertMessage:
    """One message that waits."""
    number = AlertMessage.objects.count()
    given = {
        "kind": "test",
        "uid": f"msg_{number}",
        "subject": f"Subject {number}",
        "text": '{"type":"alert.test"}',
        "due_at": timezone.now(),
    }
    return AlertMessage.objects.create(target=target, **{**given, **values})


def verified(secret: str, headers: dict[str, str], body: bytes) -> bool:
    """Whether one of the signatures is right, by an implementation that shares nothing with ours."""
    key = base64.b64decode(secret.split("_", 1)[1])
    mac = hmac.new(key, digestmod=hashlib.sha256)
    mac.update(b".".join([headers["webhook-id"].encode(), headers["webhook-timestamp"].encode(), body]))
    given = [part.split(",", 1) for part in headers["webhook-signature"].split(" ")]
    return any(version == "v1" and hmac.compare_digest(base64.b64decode(value), mac.digest()) for version, value in given)


@dataclass
class Receiver:
    """A real HTTP server that keeps what it is told and answers what the test wants."""

    url: str = ""
    calls: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    answers: list[tuple[int, dict[str, str]]] = field(default_factory=list)  # the next ones; then 204

    @property
    def ids(self) -> list[str]:
        return [headers["webhook-id"] for headers, _ in self.calls]


@contextmanager
def receiving() -> Iterator[Receiver]:
    """A receiver on a free port of this machine."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # noqa: N802
            body = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.calls.append(({name.lower(): value for name, value in self.headers.items()}, body))
            status, headers = receiver.answers.pop(0) if receiver.answers else (204, {})
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args: object) -> None:
            """Nothing on stderr."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    receiver.url = f"http://127.0.0.1:{server.server_address[1]}/alerts?team=shop"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield receiver
    server.shutdown()
    server.server_close()
    thread.join()


def furnish_alerts() -> None:
    """What pages of alerts show: something wrong, something over, targets of both kinds with a delivery log, one that is switched off."""
    long = "A connection with a name so long that nobody would ever type it, and then some more of it"
    alert = make_alert(title=f"No data is arriving from {long}", text="Nothing for 3 hours. " * 6, url="/admin/")
    over = make_alert("behind", "2", wrong=False, severity="warning", title=f"{long}: order is behind")
    add_event(over, "over")
    webhook = make_target(
        name="On-call", quiet_from=time(22), quiet_until=time(7), digest_hour=8, url=f"https://hooks.example.com/{'x' * 80}"
    )
    mail = make_target("email", name="Ecommerce team", teams=["ecommerce"], failing_since=timezone.now() - timedelta(hours=3))
    make_target("email", name="Chat", state="off", state_reason="The last answer: Refused (HTTP 500).")
    for target, state in ((webhook, "sent"), (webhook, "held"), (mail, "waiting"), (mail, "failed")):
        event = None if target.messages.exists() else alert.events.get()
        message = make_message(target, kind="change", state=state, subject=f"Urgent: {alert.title}", event=event, tries=2)
        for number, ok in ((1, False), (2, state == "sent")):
            message.log.create(number=number, ok=ok, note="Taken (HTTP 204)." if ok else "Refused (HTTP 500).", ms=120)
    AlertRound.objects.update_or_create(pk=1, defaults={"looked_at": timezone.now()})
