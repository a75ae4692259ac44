"""Targets of alerts: who is told, and what became of every message."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from integrations import words
from integrations.admin.desk import Act, Desk, Refusal
from integrations.admin.exports import Column, Exports
from integrations.admin.filters import field_filter
from integrations.models.secret import UnreadableSecret
from monitoring.alerts import messages, sending, signing
from monitoring.alerts.access import ADD, EDIT, REMOVE, ROTATE
from monitoring.alerts.pages.forms import TargetForm, words_of
from monitoring.alerts.pages.standing import ways
from monitoring.models import AlertMessage, AlertTarget, AlertTry

State, Kind = AlertTarget.State, AlertTarget.Kind
TONES = {"active": "good", "paused": "warn", "off": "bad"}
MESSAGE_TONES = {"sent": "good", "waiting": "info", "held": "quiet", "summed": "quiet", "failed": "bad", "cancelled": "quiet"}
MESSAGES, TRIES = 30, 200
OVERLAP = timedelta(hours=24)  # so long the secret before signs beside a new one


@admin.register(AlertTarget)
class TargetDesk(Exports, Desk):
    """Who is told of alerts."""

    acts = (
        Act("test", EDIT), Act("configure", EDIT), Act("pause", EDIT), Act("resume", EDIT), Act("again", EDIT),
        Act("rotate", ROTATE), Act("retire", ROTATE), Act("remove", REMOVE),
    )  # fmt: skip
    detail_template = "monitoring/alert_target.html"
    list_before_template = "monitoring/alerts_targets_top.html"
    add_words = "target"
    empty_icon = "notification_add"
    empty_words = "Nobody is told of anything yet. Add addresses of people, or a webhook of the system that wakes them."
    list_display = ["name_cell", "state_cell", "hears_cell", "last_cell"]
    list_filter = [field_filter("kind", "kind", Kind.choices), field_filter("state", "state", State.choices)]
    list_filter_submit = True
    export_columns = (
        Column("Target", "name"), Column("Kind", "get_kind_display"), Column("State", "get_state_display"),
        Column("Hears", lambda row, personal: " ".join(words_of(row))), Column("Last taken", "last_ok_at"),
        Column("Failing since", "failing_since"),
    )  # fmt: skip

    class Media:
        css = {"all": ["switchyard/alerts.css"]}
        js = ["switchyard/copy.js"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Managers and administrators add targets."""
        return request.user.has_perm(ADD)

    def get_queryset(self, request: HttpRequest) -> QuerySet[AlertTarget]:
        """By name."""
        return super().get_queryset(request).order_by("name")

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The list under the ways to the other pages of alerts."""
        top = {"title": "Alert targets", "mail_ready": settings.EMAIL_READY, **ways(request, "alerttarget_changelist")}
        return super().changelist_view(request, {**top, **(extra_context or {})})

    # --- cells ---

    @admin.display(description="Target")
    def name_cell(self, row: AlertTarget) -> SafeString:
        """Name over where it goes."""
        return format_html('<strong>{}</strong><small class="sy-under">{} · {}</small>', row.name, row.get_kind_display(), where(row))

    @admin.display(description="State")
    def state_cell(self, row: AlertTarget) -> SafeString:
        """State in words; failing ones say so."""
        if row.state == State.ACTIVE and row.failing_since:
            return words.badge(f"Failing for {words.span((timezone.now() - row.failing_since).total_seconds())}", "bad")
        return words.badge(row.get_state_display(), TONES[row.state])

    @admin.display(description="Hears")
    def hears_cell(self, row: AlertTarget) -> SafeString:
        """What and when in words."""
        return format_html('<span class="sy-wrap">{}</span>', " ".join(words_of(row)))

    @admin.display(description="Last taken")
    def last_cell(self, row: AlertTarget) -> str:
        """When a message last arrived."""
        return words.when(row.last_ok_at) if row.last_ok_at else "never"

    # --- one target ---

    def allowed_acts(self, request: HttpRequest, row: AlertTarget | None = None) -> set[str]:
        """What makes sense for it as it stands."""
        allowed = super().allowed_acts(request, row)
        if row is None:
            return allowed
        senseless = {"pause"} if row.state != State.ACTIVE else {"resume"}
        senseless |= {"rotate", "retire"} if row.kind == Kind.EMAIL else set() if _former(row) else {"retire"}
        return allowed - senseless

    def detail(self, request: HttpRequest, row: AlertTarget) -> dict[str, Any]:
        """Settings, and the delivery log."""
        return {
            "form": TargetForm(row.kind, target=row), "said": words_of(row), "where": where(row), "log": self.log_of(row),
            "badge": words.badge(row.get_state_display(), TONES[row.state]), "sendings": _sendings(row), "former": _former(row),
            "mail_ready": settings.EMAIL_READY, "mail": row.kind == Kind.EMAIL,
        }  # fmt: skip

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """First the kind, then its fields; the secret of a new webhook is shown once."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        kind = request.GET.get("kind", "")
        if kind not in Kind.values:
            return self.show(request, "monitoring/alert_target_choose.html", title="Add a target", mail_ready=settings.EMAIL_READY)
        form = TargetForm(kind, request.POST if request.method == "POST" else None)
        if request.method == "POST" and form.is_valid():
            row = form.store(request.user)
            self.log_addition(request, row, "Target added")
            if row.kind == Kind.WEBHOOK and not request.POST.get("secret", "").strip():
                return self.secret_shown(request, row)
            self.message_user(request, f"“{row.name}” was added. Send a test to see that it arrives.")
            return HttpResponseRedirect(self.view_url("change", row.pk))
        title = f"Add {'addresses' if kind == Kind.EMAIL else 'a webhook'}"
        return self.show(request, "monitoring/alert_target_add.html", title=title, form=form, kind=kind)

    def secret_shown(self, request: HttpRequest, row: AlertTarget) -> HttpResponse:
        """The one page that ever shows a secret, in answer to the call that made it; nothing on the way may keep it."""
        answer = self.show(request, "monitoring/alert_secret.html", row, title=f"Secret of “{row.name}”", secret=row.secret)
        answer["Cache-Control"] = "no-store"
        return answer

    # --- acts ---

    def act_configure(self, request: HttpRequest, row: AlertTarget) -> HttpResponse | str:
        """Store the form; a wrong one is shown again with what is wrong."""
        form = TargetForm(row.kind, request.POST, target=row)
        if not form.is_valid():
            stored = AlertTarget.objects.get(pk=row.pk)
            return self.show(request, self.detail_template, stored, **{**self.detail(request, stored), "form": form})
        changed = [str(form.fields[name].label or name) for name in form.changed_data]
        form.store()
        self.log_change(request, row, f"Changed: {', '.join(changed) or 'nothing'}. {' '.join(words_of(row))}"[:1000])
        return "Saved. It counts from the next alert on."

    def act_test(self, request: HttpRequest, row: AlertTarget) -> str:
        """Send a test and say at once what came of it."""
        outcome = sending.send_test(row, timezone.now())
        self.log_change(request, row, f"Test: {outcome.note}")
        if not outcome.ok:
            raise Refusal(f"The test did not arrive. {outcome.note}")
        return f"The test went out. {outcome.note}"

    def act_pause(self, request: HttpRequest, row: AlertTarget) -> str:
        """Tell it nothing; what waited is dropped."""
        AlertTarget.objects.filter(pk=row.pk).update(state=State.PAUSED, state_reason="")
        dropped = messages.drop(row)
        self.log_change(request, row, "Paused")
        return f"“{row.name}” is told nothing until it is resumed. {words.plural(dropped, 'message')} that waited will not be sent."

    def act_resume(self, request: HttpRequest, row: AlertTarget) -> str:
        """Tell it again, from the next change on."""
        AlertTarget.objects.filter(pk=row.pk).update(state=State.ACTIVE, state_reason="", failing_since=None)
        self.log_change(request, row, "Resumed")
        return f"“{row.name}” is told again from the next change on. What happened meanwhile is in the history."

    def act_again(self, request: HttpRequest, row: AlertTarget) -> str:
        """Try at once what waits for its next try or was given up in the last day."""
        if row.state != State.ACTIVE:
            raise Refusal("It is not active; resume it first.")
        number = sending.again(row, timezone.now())
        if not number:
            raise Refusal("Nothing waits, and nothing was given up in the last day.")
        self.log_change(request, row, f"{words.plural(number, 'message')} sent again")
        return f"{words.plural(number, 'message')} will be tried within a minute, with the same id as before."

    def act_rotate(self, request: HttpRequest, row: AlertTarget) -> HttpResponse:
        """Make a new secret; the old one signs beside it for a day."""
        fresh, now = signing.new_secret(), timezone.now()
        stored = AlertTarget.objects.get(pk=row.pk)
        stored.former_secret, stored.former_until = _readable(stored), now + OVERLAP
        stored.secret, stored.secret_set_at = fresh, now
        stored.save(update_fields=["secret", "secret_set_at", "former_secret", "former_until"])
        self.log_change(request, row, "New secret made; the old one signs beside it for a day")
        return self.secret_shown(request, stored)

    def act_retire(self, request: HttpRequest, row: AlertTarget) -> str:
        """End the time of the old secret now."""
        AlertTarget.objects.filter(pk=row.pk).update(former_until=None)
        stored = AlertTarget.objects.get(pk=row.pk)
        stored.former_secret = ""
        stored.save(update_fields=["former_secret"])
        self.log_change(request, row, "Old secret retired")
        return "Only the new secret signs from now on."

    def act_remove(self, request: HttpRequest, row: AlertTarget) -> HttpResponse:
        """Delete it with its delivery log."""
        self.log_deletions(request, AlertTarget.objects.filter(pk=row.pk))
        name = row.name
        AlertTarget.objects.filter(pk=row.pk).delete()
        self.message_user(request, f"“{name}” and its delivery log are gone.")
        return HttpResponseRedirect(self.view_url("changelist"))


def _readable(row: AlertTarget) -> str:
    """The secret, empty when no key reads it any more: then there is nothing to change over from."""
    try:
        return row.secret
    except UnreadableSecret:
        return ""


def where(row: AlertTarget) -> str:
    """Where messages go, in words."""
    if row.kind == Kind.WEBHOOK:
        return row.url
    return ", ".join(row.addresses)


def _former(row: AlertTarget) -> Any:
    """Until when the old secret signs too, None when it does not."""
    return row.former_until if row.former_until is not None and row.former_until > timezone.now() else None


def _sendings(row: AlertTarget) -> list[dict[str, Any]]:
    """The latest messages with their tries; two queries."""
    rows = list(AlertMessage.objects.filter(target=row.pk).order_by("-pk").defer("text", "html")[:MESSAGES])
    tries: dict[int, list[AlertTry]] = {}
    for one in AlertTry.objects.filter(message__in=[message.pk for message in rows]).order_by("-pk")[:TRIES]:
        tries.setdefault(one.message_id, []).append(one)
    return [{"row": message, "tone": MESSAGE_TONES[message.state], "tries": tries.get(message.pk, [])} for message in rows]
