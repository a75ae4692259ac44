"""One mail to the addresses of a target; the same message keeps its Message-ID however often it is sent."""

from __future__ import annotations

import smtplib
import time
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMultiAlternatives

from monitoring.alerts.outcome import Outcome
from monitoring.models import AlertMessage

NO_SERVER = "No mail server is set up: the setting EMAIL_URL names one."


def send(message: AlertMessage) -> Outcome:
    """Hand the mail to the server once and say what came of it; nothing is raised."""
    if not settings.EMAIL_READY:
        return Outcome(False, NO_SERVER)
    started = time.monotonic()
    mail = EmailMultiAlternatives(message.subject, message.text, to=list(message.target.addresses), headers=_headers(message))
    mail.attach_alternative(message.html, "text/html")
    try:
        mail.send()
    except (smtplib.SMTPException, OSError) as fault:
        return Outcome(False, f"The mail server did not take it: {_why(fault)}"[:300], ms=_ms(started))
    return Outcome(True, "Handed to the mail server.", ms=_ms(started))


def _headers(message: AlertMessage) -> dict[str, str]:
    host = urlsplit(settings.PUBLIC_URL).hostname or "localhost"
    return {"Message-ID": f"<{message.uid}@{host}>", "Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All"}


def _why(fault: Exception) -> str:
    """The kind of fault and the server's code; never its words, which may repeat addresses."""
    code = getattr(fault, "smtp_code", None)
    return f"{type(fault).__name__}, code {code}." if code else f"{type(fault).__name__}."


def _ms(started: float) -> int:
    return round((time.monotonic() - started) * 1000)
