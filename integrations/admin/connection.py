"""Connections: what each account says of itself, its secrets (write only), settings, limits, pause and test call."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.templatetags.static import static
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString

from integrations import words
from integrations.admin.connection_forms import ConnectionForm, SecretsForm
from integrations.admin.desk import Act, Desk, Refusal
from integrations.admin.export_columns import CONNECTIONS
from integrations.admin.exports import Exports
from integrations.admin.filters import field_filter
from integrations.engine import accounts, watch
from integrations.engine.wake import wake_connection, wake_flow
from integrations.models import Connection, RateBudget, SyncException
from integrations.models.connection import platform_choices
from integrations.platforms.base import Platform
from integrations.platforms.registry import PLATFORMS
from mapping.changes import changes_of

CHANGE = "integrations.change_connection"
ENDS_SOON_DAYS = 60
SITE = "site"  # the platform whose pages carry our script
HAND_SHAKE_MODES = {"authorization_code", "expiring_token"}  # values of the setting `credential_mode` that need a person's consent


@admin.register(Connection)
class ConnectionDesk(Exports, Desk):
    """The accounts this installation speaks to."""

    acts = (
        Act("test", CHANGE), Act("configure", CHANGE), Act("secrets", CHANGE), Act("pause", CHANGE), Act("resume", CHANGE),
        Act("subscriptions", CHANGE), Act("wake", CHANGE),
    )  # fmt: skip
    detail_template = "integrations/connection.html"

    class Media:
        js = ["switchyard/copy.js"]

    empty_icon = "add_link"
    empty_words = "No connection yet. Add the first account: its platform, its address and its key."
    export_columns = CONNECTIONS
    list_display = ["name_cell", "state_cell", "last_event", "version_cell", "exceptions_cell"]
    list_filter = [field_filter("platform", "platform", platform_choices()), field_filter("state", "state", Connection.State.choices)]
    list_filter_submit = True
    search_fields = ["name", "external_id"]
    search_help_text = "Name or account"

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Administrators add connections."""
        return request.user.has_perm("integrations.add_connection")

    def complete(self, request: HttpRequest, rows: list[Connection]) -> None:
        """Open exceptions of each connection, one query for the page."""
        counted = SyncException.objects.filter(state="open", connection__in=rows).values_list("connection").annotate(number=Count("pk"))
        numbers = dict(counted)
        for row in rows:
            row.open_exceptions = numbers.get(row.pk, 0)

    @admin.display(description="Connection")
    def name_cell(self, row: Connection) -> SafeString:
        """Name over platform and account."""
        return format_html(
            '<strong>{}</strong><small class="sy-under">{} · {}</small>', row.name, row.get_platform_display(), row.external_id
        )

    @admin.display(description="State")
    def state_cell(self, row: Connection) -> SafeString:
        """State in words."""
        return words.badge("Down, being probed", "bad") if row.resume_at else words.state_badge(row)

    @admin.display(description="Last message")
    def last_event(self, row: Connection) -> str:
        """Age of the newest incoming message."""
        return words.when(row.last_event_at)

    @admin.display(description="Version pinned / served")
    def version_cell(self, row: Connection) -> str | SafeString:
        """Both versions, marked when they differ."""
        if not row.api_version:
            return "unversioned"
        drift = row.version_served and row.version_served != row.api_version
        text = format_html("{} / {}", row.api_version, row.version_served or "not tested")
        return format_html("{} {}", text, words.badge("differs", "bad")) if drift else text

    @admin.display(description="Open exceptions")
    def exceptions_cell(self, row: Connection) -> str | SafeString:
        """How many questions are open about this connection itself."""
        if not row.open_exceptions:
            return "none"
        url = reverse("admin:integrations_syncexception_changelist")
        return format_html(
            '<a class="sy-link" href="{}?connection__id__exact={}">{}</a>', url, row.pk, words.plural(row.open_exceptions, "open exception")
        )

    # --- the page ---

    def detail(self, request: HttpRequest, row: Connection) -> dict[str, Any]:
        """Everything about one account."""
        platform = accounts.platform_of(row)
        held = {secret.kind: secret for secret in row.keeper.credentials.defer("secret")}
        secrets = SecretsForm(platform)
        return {
            "platform": platform,
            "probe": row.probe,
            "settings_form": ConnectionForm(platform, connection=row),
            "secrets": [
                {"setting": setting, "held": held.get(setting.name), "field": secrets[f"secret_{setting.name}"]}
                for setting in platform.secrets
            ],
            "version": version_facts(platform, row),
            "budgets": [budget_facts(budget) for budget in row.budgets.order_by("group")],
            "flows": list(row.flows_out.select_related("source", "destination"))
            + list(row.flows_in.select_related("source", "destination")),
            "questions": list(row.exceptions.filter(state="open", flow=None)[:10]),
            "connect_url": connect_url(row, platform),
            "log": changes_of(row, {setting.name: setting.label for setting in platform.settings}),
            "snippet": snippet(row) if platform.slug == SITE else "",
            "by_hand": by_hand(row, platform),
            "entered_at": getattr(platform.webhooks, "entered_at", platform.label),
        }

    def act_test(self, request: HttpRequest, row: Connection) -> str:
        """Make the test call."""
        probe = accounts.probe_connection(row)
        self.log_change(request, row, f"Test call: {probe.summary}")
        if not probe.ok:
            raise Refusal(f"{probe.summary} {' '.join(problem for problem in probe.problems if problem != probe.summary)}".strip())
        return f"Test call answered: {probe.summary}"

    def act_configure(self, request: HttpRequest, row: Connection) -> HttpResponse | str:
        """Store the settings form; a wrong form is shown again with what is wrong."""
        platform = accounts.platform_of(row)
        form = ConnectionForm(platform, request.POST, connection=row)
        if not form.is_valid():
            return self.show(request, self.detail_template, row, **{**self.detail(request, row), "settings_form": form})
        form.apply(row)
        self.log_change(request, row, f"Settings changed: {', '.join(form.changed_data) or 'nothing'}")
        return "Settings saved. Make a test call to see that they work."

    def act_secrets(self, request: HttpRequest, row: Connection) -> str:
        """Store the secrets that were filled in; none is ever shown again."""
        form = SecretsForm(accounts.platform_of(row), request.POST)
        form.is_valid()
        filled = form.filled()
        if not filled:
            raise Refusal("Nothing was filled in, so nothing was changed.")
        for kind, value in filled.items():
            accounts.set_credential(row, kind, value)
        self.log_change(request, row, f"Secrets set: {', '.join(sorted(filled))}")
        return f"{words.plural(len(filled), 'secret')} stored, encrypted. Make a test call to see that they work."

    def act_pause(self, request: HttpRequest, row: Connection) -> str:
        """Stop calling this account; its deliveries wait."""
        accounts.pause(row, request.user.get_username())
        self.log_change(request, row, "Paused")
        return f"{row.name} is paused. What arrives is kept; nothing is sent or pulled."

    def act_resume(self, request: HttpRequest, row: Connection) -> str:
        """Go on with everything that waited."""
        accounts.reconnected(row)
        self.log_change(request, row, "Resumed")
        return f"{row.name} is active again. What waited goes out now."

    def act_subscriptions(self, request: HttpRequest, row: Connection) -> str:
        """Check the webhook subscriptions and put back what is missing."""
        if accounts.platform_of(row).webhooks is None:
            raise Refusal(f"{row.get_platform_display()} sends no webhooks.")
        if getattr(accounts.platform_of(row).webhooks, "made_by_hand", False):
            raise Refusal(f"Webhooks are made by hand in {row.get_platform_display()}, which does not list them.")
        told = watch.check_subscriptions(row, asked=True)
        self.log_change(request, row, "Webhook subscriptions checked")
        refused = [line for line in told if not line.startswith("Subscribed")]
        if refused:
            raise Refusal(f"Not everything is in place: {' '.join(refused)}")
        return " ".join(told) or "All webhook subscriptions are in place."

    def act_wake(self, request: HttpRequest, row: Connection) -> str:
        """Ask a worker to look at this account now."""
        wake_connection(row.pk)
        for flow_id in row.flows_out.filter(enabled=True).values_list("pk", flat=True):
            wake_flow(flow_id)
        return "A worker was asked to look now."

    # --- a new one ---

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """First the platform, then its fields."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        platform = PLATFORMS.get(request.GET.get("platform", ""))
        if platform is None:
            return self.show(request, "integrations/connection_choose.html", title="Add a connection", platforms=list(PLATFORMS.values()))
        data = request.POST if request.method == "POST" else None
        form, secrets = ConnectionForm(platform, data), SecretsForm(platform, data)
        if data is not None and form.is_valid() and secrets.is_valid():
            row = form.apply(Connection(platform=platform.slug))
            for kind, value in secrets.filled().items():
                accounts.set_credential(row, kind, value)
            self.log_addition(request, row, "Connection added")
            self.message_user(request, f"{row.name} was added. Make the test call next.")
            return HttpResponseRedirect(self.view_url("change", row.pk))
        title = f"Add a {platform.label} connection"
        return self.show(request, "integrations/connection_add.html", title=title, platform=platform, form=form, secrets_form=secrets)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Connection]:
        """Rows of the list in the order of their names."""
        return super().get_queryset(request).order_by("platform", "name")


def version_facts(platform: Platform, row: Connection) -> dict[str, Any]:
    """The pinned and the served version, the end of support, and a warning where one is due."""
    ends = platform.version_ends.get(row.api_version, "")
    left = (date.fromisoformat(ends) - timezone.localdate()).days if ends else None
    warning = ""
    if row.api_version and platform.api_versions and row.api_version not in platform.api_versions:
        warning = f"Version {row.api_version} is not one this program knows. Choose one of the list and make a test call."
    elif row.version_served and row.api_version and row.version_served != row.api_version:
        warning = f"{row.version_served} answered although {row.api_version} is pinned. Choose a supported version and make a test call."
    elif left is not None and left <= ENDS_SOON_DAYS:
        spoken = f"ends in {words.plural(left, 'day')}" if left >= 0 else "has ended"
        warning = f"Support of {row.api_version} {spoken}. Choose a newer version and make a test call."
    return {
        "pinned": row.api_version,
        "served": row.version_served,
        "ends": ends,
        "left": left,
        "warning": warning,
        "deprecation": row.deprecation,
    }


def budget_facts(budget: RateBudget, now: datetime | None = None) -> dict[str, Any]:
    """What may be spent right now in one group of calls."""
    now = now or timezone.now()
    available = min(budget.burst, budget.tokens + budget.rate * max(0.0, (now - budget.updated_at).total_seconds()))
    blocked = budget.blocked_until if budget.blocked_until and budget.blocked_until > now else None
    share = max(0.0, min(1.0, available / budget.burst)) if budget.burst else 0.0
    return {
        "group": budget.group,
        "available": int(available),
        "burst": budget.burst,
        "rate": budget.rate,
        "share": share,
        "blocked": blocked,
    }


def snippet(row: Connection) -> str:
    """What the site's pages must carry: the queue for early calls, and the collector's script with this site's key."""
    script = f"{settings.PUBLIC_URL}{static('collector/collector.js')}"
    return "\n".join((
        "<script>window.switchyard=window.switchyard||function(){(switchyard.q=switchyard.q||[]).push(arguments)}</script>",
        f'<script async src="{escape(script)}" data-key="{escape(row.external_id)}"></script>',
    ))  # fmt: skip


def by_hand(row: Connection, platform: Platform) -> list[tuple[str, str, str]]:
    """What people must enter where no call of ours reaches: id on the page, what it is, its text."""
    if not hasattr(platform.webhooks, "by_hand"):
        return []
    told = platform.webhooks.by_hand(accounts.account_for(row), watch.hook_address(row))
    return [(f"by-hand-{number}", label, text) for number, (label, text) in enumerate(told.items(), start=1)]


def connect_url(row: Connection, platform: Platform) -> str:
    """Where the hand-shake with the platform begins, empty when this connection's mode needs none."""
    modes = any(setting.name == "credential_mode" for setting in platform.settings)  # without a choice of modes there is only consent
    if platform.auth is None or (modes and row.settings.get("credential_mode") not in HAND_SHAKE_MODES):
        return ""
    try:
        return reverse("oauth_start", args=[platform.slug, row.pk])
    except NoReverseMatch:
        return f"/oauth/{platform.slug}/start/{row.pk}/"
