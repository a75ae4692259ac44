"""The stand-in itself: who is calling, how often they may, and which endpoint they want."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from integrations.standins.clock import Clock
from integrations.standins.faults import Faults
from integrations.standins.ledger import Ledger
from integrations.standins.ometria import control, jobs, reads, segments
from integrations.standins.ometria.account import Account
from integrations.standins.ometria.automation import Automations
from integrations.standins.ometria.ingest import process_due
from integrations.standins.ometria.limits import TokenBucket
from integrations.standins.ometria.paging import BadQuery
from integrations.standins.ometria.push import receive
from integrations.standins.ometria.replies import error
from integrations.standins.ometria.settings import Settings
from integrations.standins.wire import Request, Response

ANY = "*"
FORBIDDEN = "API key is not authorised to access this resource"

READS: dict[tuple[str, ...], Callable[..., Response]] = {
    ("push", "_errors"): reads.push_errors,
    ("push-errors",): reads.push_errors,
    ("contacts",): reads.collections,
    ("contacts", ANY): reads.contacts,
    ("contacts", ANY, ANY): reads.contact,
    ("profiles",): reads.profiles,
    ("profiles", ANY): reads.profile,
    ("orders",): reads.orders,
    ("orders", ANY): reads.order,
    ("products",): reads.products,
    ("products", ANY): reads.product,
    ("custom-events",): reads.events,
    ("custom-events", ANY): reads.events,
    ("custom-events", ANY, ANY): reads.event,
    ("lists",): segments.lists,
    ("lists", ANY): segments.one_list,
    ("lists", ANY, "changes"): segments.list_changes,
    ("lists", ANY, "contacts"): segments.list_contacts,
    ("unsubscribes",): segments.unsubscribes,
    ("merge-profile",): jobs.merges,
    ("merge-profile", ANY): jobs.merge,
    ("data-deletion-requests",): jobs.deletions,
    ("data-deletion-requests", ANY): jobs.deletion,
}
WRITES: dict[tuple[str, ...], Callable[[Account, Request], Response]] = {
    ("push",): receive,
    ("merge-profile",): jobs.ask_merge,
    ("data-deletion-requests",): jobs.ask_deletion,
}
# path → (name of its quota, setting that holds the rate); everything else shares "read"
QUOTAS = {
    ("push",): ("push", "push_rate"),
    ("merge-profile",): ("merge", "merge_rate"),
    ("data-deletion-requests",): ("deletion", "deletion_rate"),
}
# error list paths that can be switched off
SWITCHES = {("push", "_errors"): "push_errors_path", ("push-errors",): "push_dash_errors_path"}


class OmetriaStandIn:
    """Ometria Data API v2 for any number of accounts; every keyword after ``ledger_payloads`` is a field of Settings."""

    slug = "ometria"

    def __init__(self, accounts: Mapping[str, str | Sequence[str]] | None = None, *, ledger_payloads: bool = True, **settings: Any) -> None:
        self.clock = Clock()
        self.ledger = Ledger(keep_payloads=ledger_payloads, now=self.clock.now)
        self.faults = Faults()
        self.automations = Automations()
        self._initial = Settings().changed(settings)
        self._given = dict(accounts or {"demo": "demo-ometria-key"})
        self._start()

    def handle(self, request: Request) -> Response:
        """Answer a call below /v2, dated by the stand-in's own clock."""
        response = self._handle(request)
        return Response(response.status, response.body, {**response.headers, "Date": self.clock.http_date()})

    def control(self, request: Request) -> Response:
        """Answer a call below /_control; see the control module."""
        return control.answer(self, request)

    def close(self) -> None:
        """Stop the callers of automations; nothing else runs in the background, what is due is done at the next call."""
        self.automations.close()

    def account(self, name: str = "") -> Account:
        """An account by name, the first one without; everything due is processed. Raises KeyError."""
        account = self.accounts[name or next(iter(self.accounts))]
        with account.lock:
            settle(account)
        return account

    def settle(self) -> None:
        """Process everything due in all accounts, as the next call would; for looking at ``ledger`` from the same process."""
        for name in self.accounts:
            self.account(name)

    def look(self, what: str, account: str = "") -> Any:
        """What a control call such as ``/orders`` shows, without HTTP; raises KeyError."""
        found = self.account(account)
        with found.lock:
            return control.LOOKS[what](found)

    def act(self, what: str, account: str = "", **body: Any) -> Any:
        """Let people do what a control call such as ``/preference`` does, without HTTP; raises KeyError and ValueError."""
        found = self.account(account)
        with found.lock:
            done = control.ACTS[what](found, body)
        if what in control.TELLING:
            self.automations.tell(found.name, done)
        return done

    def wait_sent(self, timeout: float = 10.0) -> bool:
        """Wait until every call of an automation was answered; False when time is up."""
        return self.automations.wait(timeout)

    def reset(self) -> None:
        """Back to how it was built: no data, no effects, no faults, no automations, first settings and keys."""
        self.ledger.clear()
        self.automations.hooks.clear()
        self.faults.clear()
        self._start()

    def change_settings(self, changes: object) -> Settings:
        """Change how all accounts behave from now on; raises ValueError."""
        self.settings = self.settings.changed(changes)
        for account in self.accounts.values():
            account.settings = self.settings
        return self.settings

    def add_key(self, account: str, key: str, active_from: float = 0.0) -> None:
        """Give an account one more key, perhaps not active yet; raises KeyError for an unknown account."""
        self._keys[key] = (self.accounts[account], active_from)

    def revoke_key(self, key: str) -> None:
        """Make a key unknown."""
        self._keys.pop(key, None)

    def _start(self) -> None:
        self.settings = self._initial
        self.accounts: dict[str, Account] = {}
        self._keys: dict[str, tuple[Account, float]] = {}
        self._buckets: dict[tuple[str, str], TokenBucket] = {}
        for name, keys in self._given.items():
            prefix = f"{name}/" if self.accounts else ""
            self.accounts[name] = Account(name, self.clock, self.ledger, self.settings, prefix)
            for key in [keys] if isinstance(keys, str) else keys:
                self.add_key(name, key)

    def _handle(self, request: Request) -> Response:
        version, *path = request.segments() or [""]
        if version != "v2":
            return error(404, "Not found")
        key = request.headers.get("x-ometria-auth", "")
        account = self._authorised(key, request)
        if account is None:
            return error(403, FORBIDDEN)
        with account.lock:
            return self._answer(account, key, request, tuple(path))

    def _authorised(self, key: str, request: Request) -> Account | None:
        if self.faults.take(request, ("expire_token",)) is not None:
            self.revoke_key(key)
        account, active_from = self._keys.get(key, (None, 0.0))
        return account if self.clock.now() >= active_from else None

    def _answer(self, account: Account, key: str, request: Request, path: tuple[str, ...]) -> Response:
        pattern = _pattern(path)
        if pattern is None or not getattr(self.settings, SWITCHES.get(pattern, ""), True):
            return error(404, "Not found")
        account.calls[f"{request.method} /{'/'.join(pattern)}"] += 1
        writing = request.method == "POST"
        if (writing and pattern not in WRITES) or (not writing and (pattern not in READS or request.method != "GET")):
            return error(405, "Method not allowed")
        if not self._within_quota(key, pattern if writing else ()):
            return error(429, "Too many requests", {"Retry-After": self.settings.retry_after} if self.settings.retry_after else None)
        settle(account)
        if writing:
            return WRITES[pattern](account, request)
        wild = [value for value, part in zip(path, pattern, strict=True) if part == ANY]
        try:
            return READS[pattern](account, request.query, *wild)
        except BadQuery as refusal:
            return error(400, str(refusal))

    def _within_quota(self, key: str, pattern: tuple[str, ...]) -> bool:
        name, setting = QUOTAS.get(pattern, ("read", "read_rate"))
        bucket = self._buckets.setdefault((key, name), TokenBucket())
        return bucket.take(getattr(self.settings, setting), self.clock.now())


def settle(account: Account) -> None:
    """Do everything whose time has come; the caller holds the lock."""
    process_due(account)
    jobs.run_due_jobs(account)


def _pattern(path: tuple[str, ...]) -> tuple[str, ...] | None:
    """The endpoint a path belongs to, with literal segments preferred to wildcards."""
    if path in READS or path in WRITES:
        return path
    for pattern in READS:
        if len(pattern) == len(path) and all(part in (ANY, value) for part, value in zip(pattern, path, strict=True)):
            return pattern
    return None
