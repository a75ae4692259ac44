"""The console's pages of consent: the list of people whom a platform holds wrongly, the page of one person, the audit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from integrations import words
from integrations.admin.desk import MASK_PERMISSION, Act, Desk, Refusal
from integrations.admin.exports import Column, Exports
from integrations.admin.filters import ConnectionFilter, dropdown, field_filter
from integrations.admin.find import asked_by
from integrations.engine.consent import CHANNELS
from integrations.engine.consent_rows import Handle
from integrations.models import Delivery
from mapping.models import ConsentStatement
from monitoring.consent import audit, repair
from monitoring.consent.person import HELD, STATES, cards, handles_of_delivery, handles_of_people, handles_of_record, handles_of_statement
from monitoring.models import ConsentAudit, StaleConsent

CHANGE, START = "monitoring.change_staleconsent", "monitoring.add_consentaudit"
State = StaleConsent.State
TONES = {"open": "warn", "asked": "info", "closed": "good"}
ALL = "all"
CHANNEL_OF = {"email": "email", "phone": "sms"}  # what was typed → the channel it is written to by


class StateFilter(
    dropdown(
        "state",
        "state",
        lambda request: [*State.choices, (ALL, "All")],
        lambda rows, value, request: rows if value == ALL else rows.filter(state=value),
    )  # fmt: skip
):
    """State of a line; those to be sent again unless told otherwise."""

    all_option = None

    def value(self) -> str:
        """The chosen state."""
        return super().value() or State.OPEN.value


@admin.register(StaleConsent)
class ConsentDesk(Exports, Desk):
    """People of whom a platform holds another consent than the one that stands."""

    acts = (Act("send", CHANGE),)
    detail_template = "monitoring/consent_person.html"
    list_before_template = "monitoring/consent_top.html"
    tabs = (("To be sent again", {"state": "open"}), ("Being sent again", {"state": "asked"}), ("Agrees again", {"state": "closed"}),
            ("All", {"state": ALL}))  # fmt: skip
    empty_icon = "how_to_reg"
    empty_words = "Every platform holds what people stated last, as far as the last look found. The day's look is told above."
    list_display = ["who_cell", "wanted_cell", "held_cell", "connection_cell", "state_cell", "found_cell"]
    list_filter = [StateFilter, ConnectionFilter, field_filter("channel", "channel", tuple(CHANNELS.items()))]
    list_filter_submit = True
    export_columns = (
        Column("ID", "pk"), Column("Address or number", lambda row, personal: row.who(personal=personal)),
        Column("Channel", lambda row, personal: CHANNELS.get(row.channel, row.channel)),
        Column("Stands", lambda row, personal: STATES[row.wanted][0]), Column("Held there", lambda row, personal: HELD[row.held]),
        Column("At", "connection.name"), Column("State", "get_state_display"), Column("Found", "found_at"), Column("Sent again", "sent_at"),
        Column("By", lambda row, personal: str(row.asked_by or "")), Column("Agrees since", "closed_at"),
    )  # fmt: skip

    class Media:
        css = {"all": ["switchyard/consent.css"]}

    def get_queryset(self, request: HttpRequest) -> QuerySet[StaleConsent]:
        """The newest first."""
        return super().get_queryset(request).select_related("connection", "asked_by").order_by("-found_at", "-pk")

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """None: many are sent by their filter, not by ticking pages."""
        return {}

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The list under the search box and the last audit."""
        top = {"title": "Consent", "personal": request.user.has_perm(MASK_PERMISSION), "query": request.GET.urlencode(), **audit_words()}
        top |= {"may_start": request.user.has_perm(START), "may_send": request.user.has_perm(CHANGE)}
        return super().changelist_view(request, {**top, **(extra_context or {})})

    def complete(self, request: HttpRequest, rows: list[StaleConsent]) -> None:
        """Who each row is about, as this person may see it."""
        personal = request.user.has_perm(MASK_PERMISSION)
        for row in rows:
            row.shown = row.who(personal=personal)

    @admin.display(description="Who")
    def who_cell(self, row: StaleConsent) -> SafeString:
        """Address or number, and the channel."""
        channel = CHANNELS.get(row.channel, row.channel)
        return format_html('<strong class="sy-wrap">{}</strong><small class="sy-under">{}</small>', row.shown, channel)

    @admin.display(description="What stands")
    def wanted_cell(self, row: StaleConsent) -> SafeString:
        """The state that stands."""
        return words.badge(*STATES[row.wanted])

    @admin.display(description="Held there")
    def held_cell(self, row: StaleConsent) -> str:
        """What the platform holds as last known."""
        return HELD[row.held]

    @admin.display(description="At")
    def connection_cell(self, row: StaleConsent) -> str:
        """The platform."""
        return row.connection.name

    @admin.display(description="State")
    def state_cell(self, row: StaleConsent) -> SafeString:
        """State in words, and by whom it was sent again."""
        by = f"by {row.asked_by.get_username()}" if row.asked_by else ""
        return format_html('{}<small class="sy-under">{}</small>', words.badge(row.get_state_display(), TONES[row.state]), by)

    @admin.display(description="Found")
    def found_cell(self, row: StaleConsent) -> str:
        """Age."""
        return words.when(row.found_at)

    # --- one person ---

    def allowed_acts(self, request: HttpRequest, row: StaleConsent | None = None) -> set[str]:
        """A line that agrees again has nothing to send."""
        allowed = super().allowed_acts(request, row)
        return allowed - {"send"} if row is not None and row.state != State.OPEN else allowed

    def detail(self, request: HttpRequest, row: StaleConsent) -> dict[str, Any]:
        """The person of this line."""
        said = ConsentStatement.objects.filter(contact_key=row.contact_key, channel=row.channel).first()
        wanted = handles_of_statement(said) if said else [(row.channel, row.contact_key)]
        return {**self._person(request, wanted), "log": self.log_of(row)}

    def act_send(self, request: HttpRequest, row: StaleConsent) -> str:
        """Send again what stands for this line."""
        if not repair.ask_again(StaleConsent.objects.filter(pk=row.pk), request.user):
            raise Refusal("It is being sent again already.")
        return "It is sent again. The line closes when the platform agrees."

    def page_urls(self) -> list[URLPattern]:
        """The person's page by what leads to it, searching, and the audit."""
        name = "monitoring_staleconsent"
        return [
            path("person/", self.viewed(search_page), name=f"{name}_search"),
            path("person/<int:statement>/", self.viewed(statement_page), name=f"{name}_person"),
            path("person/<int:statement>/send/", self.viewed(send_person), name=f"{name}_send_person"),
            path("of/<int:connection>/<path:key>/", self.viewed(record_page), name=f"{name}_of"),
            path("delivery/<int:delivery_id>/", self.viewed(delivery_page), name=f"{name}_delivery"),
            path("send-all/", self.viewed(send_all), name=f"{name}_send_all"),
            path("audit/", self.viewed(start_audit), name=f"{name}_audit"),
            path("live/", self.viewed(live), name=f"{name}_live"),
        ]

    def person(self, request: HttpRequest, wanted: Sequence[Handle], **more: Any) -> HttpResponse:
        """The page of whom these addresses and numbers belong to; kept by no cache."""
        context = {"log": [], **self._person(request, wanted), **more}
        return self.show(request, self.detail_template, None, **context)

    def _person(self, request: HttpRequest, wanted: Sequence[Handle]) -> dict[str, Any]:
        made = cards(wanted, personal=request.user.has_perm(MASK_PERMISSION))
        return {
            "cards": made, "title": made[0].who if made else "Nobody to show", "as_of": timezone.now(),
            "may_send": request.user.has_perm(CHANGE), "searched": "",
        }  # fmt: skip


def audit_words() -> dict[str, Any]:
    """The newest audit, and the last that came to its end."""
    newest = list(ConsentAudit.objects.order_by("-started_at")[:2])
    running = next((row for row in newest if row.state == ConsentAudit.State.RUNNING), None)
    return {"running": running, "last": next((row for row in newest if row.state == ConsentAudit.State.DONE), None)}


def search_page(desk: ConsentDesk, request: HttpRequest) -> HttpResponse:
    """Whom a typed address or number belongs to; what is typed travels in the body and never in an address."""
    if request.method != "POST":
        return HttpResponseRedirect(desk.view_url("changelist"))
    asked = asked_by(request)
    wanted = [(CHANNEL_OF[kind], value) for kind, value in asked.handles if kind in CHANNEL_OF]
    keys = [value for _, value in wanted]
    said = ConsentStatement.objects.filter(contact_key__in=keys).order_by("told", "pk").first() if keys else None
    if said is not None:
        return HttpResponseRedirect(desk.view_url("person", said.pk))
    return desk.person(request, wanted[:1], searched=asked.text)


def statement_page(desk: ConsentDesk, request: HttpRequest, statement: int) -> HttpResponse:
    """The person of one statement; raises Http404 when it is gone."""
    row = _statement(statement)
    return desk.person(request, handles_of_statement(row), log=desk.log_of(row))


def record_page(desk: ConsentDesk, request: HttpRequest, connection: int, key: str) -> HttpResponse:
    """The person whom a connection knows by this key."""
    return desk.person(request, handles_of_people([(connection, key)]) or handles_of_record(connection, key))


def delivery_page(desk: ConsentDesk, request: HttpRequest, delivery_id: int) -> HttpResponse:
    """The person of a delivery of a customer or a consent; raises Http404 for one that is not there."""
    row = Delivery.objects.select_related("flow").defer("sent_payload").filter(pk=delivery_id).first()
    if row is None:
        raise Http404("There is no such delivery.")
    return desk.person(request, handles_of_delivery(row))


def send_person(desk: ConsentDesk, request: HttpRequest, statement: int) -> HttpResponse:
    """Bring what stands for this address or number to every side that does not hold it; written down with who asked."""
    _allow(request, CHANGE)
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    row = _statement(statement)
    repair.ask_again(StaleConsent.objects.filter(contact_key=row.contact_key, channel=row.channel), request.user)
    changed = repair.send_now((row.channel, row.contact_key))
    desk.log_change(request, row, repair.NOTE)
    if changed:
        messages.success(request, "It is sent again. This page shows when the platforms agree.")
    else:
        messages.warning(request, "Nothing was there to send: no flow brings this person's consent to a platform that lacks it.")
    return HttpResponseRedirect(desk.view_url("person", row.pk))


def send_all(desk: ConsentDesk, request: HttpRequest) -> HttpResponse:
    """Send again all that the filters in the address leave."""
    _allow(request, CHANGE)
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    rows = desk.filtered(request).values("pk")
    asked = repair.ask_again(StaleConsent.objects.filter(pk__in=rows.order_by()), request.user)
    people = words.plural(asked, "line is", "lines are")
    tell = messages.success if asked else messages.warning
    tell(request, f"{people} sent again; each closes when its platform agrees." if asked else "Nothing here waits to be sent again.")
    return HttpResponseRedirect(f"{desk.view_url('changelist')}?{request.GET.urlencode()}")


def start_audit(desk: ConsentDesk, request: HttpRequest) -> HttpResponse:
    """Look at everybody now."""
    _allow(request, START)
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    begun = audit.start(request.user.get_username())
    if begun is None:
        messages.warning(request, "A look is under way already.")
    else:
        messages.success(request, "The look began. Its progress stands on this page.")
    return HttpResponseRedirect(desk.view_url("changelist"))


def live(desk: ConsentDesk, request: HttpRequest) -> HttpResponse:
    """The audit's part of the page."""
    return desk.show(request, "monitoring/consent_audit.html", None, may_start=request.user.has_perm(START), **audit_words())


def _statement(pk: int) -> ConsentStatement:
    row = ConsentStatement.objects.filter(pk=pk).first()
    if row is None:
        raise Http404("That statement is not there any more.")
    return row


def _allow(request: HttpRequest, permission: str) -> None:
    if not request.user.has_perm(permission):
        raise PermissionDenied
