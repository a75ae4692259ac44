"""The commercetools stand-in: token service and API of some projects behind one address."""

from collections.abc import Sequence
from dataclasses import asdict
from itertools import count
from typing import Any

import orjson

from integrations.standins.clock import Clock
from integrations.standins.commercetools import api, control
from integrations.standins.commercetools.acts import act
from integrations.standins.commercetools.cloud import Cloud
from integrations.standins.commercetools.errors import Refusal, not_found
from integrations.standins.commercetools.failures import Dropped, Failures
from integrations.standins.commercetools.furnish import furnish
from integrations.standins.commercetools.lives import Lives
from integrations.standins.commercetools.products import keep_projections
from integrations.standins.commercetools.project import Project
from integrations.standins.commercetools.settings import Settings
from integrations.standins.commercetools.specs import ProjectSpec
from integrations.standins.commercetools.subscriptions import Notifier
from integrations.standins.commercetools.tokens import Tokens
from integrations.standins.couriers import THREADS
from integrations.standins.faults import Faults
from integrations.standins.ledger import Ledger
from integrations.standins.wire import Request, Response

AUTH, API = "auth", "api"


class CommercetoolsStandIn:
    """A connection's API address is ``<server>/commercetools/api``, its token service ``<server>/commercetools/auth``."""

    slug = "commercetools"

    def __init__(
        self,
        projects: Sequence[ProjectSpec] | None = None,
        *,
        keep_payloads: bool = True,
        retry_speed: float = 1.0,
        threads: int = THREADS,
        **settings: Any,
    ) -> None:
        self.clock = Clock()
        self.ledger = Ledger(keep_payloads=keep_payloads, now=self.clock.now)
        self.faults, self.failures = Faults(), Failures()
        self.cloud = Cloud(self.ledger, speed=retry_speed, threads=threads)
        specs = {spec.key: spec for spec in (projects if projects is not None else (ProjectSpec(),))}
        self.tokens = Tokens(specs, self.clock.now)
        self.projects = {key: Project(spec, self.clock, self.ledger) for key, spec in specs.items()}
        for project in self.projects.values():
            keep_projections(project)
            project.notifier = Notifier(project, self.cloud)
            project.listeners.append(project.notifier.written)
        self._requests = count(1)
        # generators of the control call ``/live``, by project
        self.lives: dict[str, Lives] = {}
        self._initial = Settings().changed(settings)
        self._begin()

    # ---- for tests, benchmarks and the demo

    def project(self, key: str = "") -> Project:
        """The project with that key, the first one without; raises KeyError."""
        return self.projects[key] if key else next(iter(self.projects.values()))

    def act(self, do: str, project: str = "", /, **arguments: Any) -> Any:
        """Let something happen: ``act("register", email=…)``; what it made, as a stored resource. Raises ValueError and Refusal."""
        return act(self.project(project), do, arguments)

    def change_settings(self, changes: object) -> Settings:
        """Change how everything behaves from now on; raises ValueError."""
        self.settings = self.tokens.settings = self.cloud.settings = self.settings.changed(changes)
        for project in self.projects.values():
            project.settings = self.settings
        return self.settings

    def advance(self, seconds: float) -> None:
        """Move the stand-in's own time ahead: tokens expire, queries catch up, messages and carts grow old."""
        self.clock.advance(seconds)

    def wait_sent(self, timeout: float = 10.0) -> bool:
        """Wait until every notification was taken or given up; False when time is up."""
        return self.cloud.postmen.wait(timeout)

    def reset(self) -> None:
        """Back to how it was built: furnished projects without people, no effects, no faults, first settings, no tokens."""
        self.ledger.clear()
        self.faults.clear()
        self.failures.clear()
        self.tokens.clear()
        self.cloud.clear()
        self.lives.clear()
        for project in self.projects.values():
            with project.lock:
                project.clear()
                project.notifier.waiting.clear()
        self._begin()

    # ---- what the server calls

    def handle(self, request: Request) -> Response:
        """Answer platform traffic."""
        correlation = request.headers.get("x-correlation-id") or f"stand-in-{next(self._requests)}"
        headers = {
            "Content-Type": "application/json; charset=utf-8", "Date": self.clock.http_date(), "X-Correlation-ID": correlation,
        }  # fmt: skip
        if request.path.startswith("/cloud/"):
            return self.cloud.answer(request)
        try:
            self.failures.before(request)
            status, body = self._answer(request)
            self.failures.after(request)
        except Refusal as refusal:
            return Response(refusal.status, orjson.dumps(refusal.body()), headers | refusal.headers)
        except Dropped as dropped:
            return Response(dropped.status, dropped.page, {**headers, "Content-Type": "text/html"})
        return Response(status, body, headers)

    def control(self, request: Request) -> Response:
        """Answer a test's or the demo's call."""
        return control.answer(self, request)

    def close(self) -> None:
        """Stop sending."""
        self.cloud.postmen.close()

    def _begin(self) -> None:
        self.settings = self._initial
        self.change_settings({})
        for project in self.projects.values():
            furnish(project)

    def _answer(self, request: Request) -> tuple[int, bytes]:
        segments = request.segments()
        if segments[:2] == [AUTH, "oauth"] and len(segments) == 3 and request.method == "POST":
            if segments[2] == "token":
                return 200, orjson.dumps(self.tokens.issue(request))
            if segments[2] == "introspect":
                return 200, orjson.dumps(self.tokens.introspect(request))
        if segments[:1] != [API] or len(segments) < 2:
            raise not_found()
        if self.faults.take(request, {"expire_token"}) is not None:
            self.tokens.expire(request.headers.get("authorization", "").partition(" ")[2])
        access = self.tokens.check(request)
        project = self.projects.get(segments[1])
        if project is None:
            raise Refusal("ResourceNotFound", f"The project '{segments[1]}' was not found.")
        with project.lock:
            project.catch_up()
            return api.answer(project, access, request, segments[2:])

    def state(self) -> dict[str, Any]:
        """Counts of everything, by project, and the settings."""
        kinds = {key: {name: len(rows) for name, rows in project.collections.items()} for key, project in self.projects.items()}
        return {"projects": kinds, "settings": asdict(self.settings), "tokens_issued": self.tokens.issued}
