"""The frame of the console's pages: one page per row, acts that only a permitted POST can run, lists that never count."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial, update_wrapper
from typing import Any

from django.contrib import messages
from django.contrib.admin import ShowFacets
from django.contrib.admin.exceptions import DisallowedModelAdminLookup
from django.contrib.admin.models import LogEntry
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied
from django.core.paginator import Page, Paginator
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.functional import cached_property
from django.utils.http import url_has_allowed_host_and_scheme
from unfold.admin import ModelAdmin
from unfold.views import ChangeList

MASK_PERMISSION = "integrations.view_personal_data"


class Refusal(Exception):
    """An act that cannot be done; its text is one plain sentence for the person who asked."""


@dataclass(frozen=True, slots=True)
class Act:
    """Something a person may do to one row: the last part of its address, and the permission that it takes."""

    name: str
    permission: str

    @property
    def method(self) -> str:
        """The function of the page that does it."""
        return f"act_{self.name.replace('-', '_')}"


class PeekPaginator(Paginator):
    """Pages without a count: a page asks for one row more than it shows to know whether there is a next."""

    template_name = "integrations/pagination.html"

    @cached_property
    def count(self) -> int:
        """More than any page; nothing is counted."""
        return 10**9

    def page(self, number: int | str) -> Page:
        """Rows of the page; `more` tells whether another page follows."""
        number = self.validate_number(number)
        first = (number - 1) * self.per_page
        rows = list(self.object_list[first : first + self.per_page + 1])
        page = self._get_page(rows[: self.per_page], number, self)
        self.more = len(rows) > self.per_page
        return page


class DeskChangeList(ChangeList):
    """A list whose rows are completed page by page, so that what is costly is asked for 50 rows and not for all."""

    def get_results(self, request: HttpRequest) -> None:
        """The page's rows, completed by the desk."""
        super().get_results(request)
        self.full_result_count = self.result_count  # nothing was counted, so no count is shown
        self.result_list = list(self.result_list)
        self.model_admin.complete(request, self.result_list)


class Desk(ModelAdmin):
    """A list and a page per row; nothing is added, changed or deleted but by acts."""

    acts: tuple[Act, ...] = ()
    detail_template = ""
    change_list_template = "integrations/list.html"
    paginator = PeekPaginator
    list_per_page = 50
    list_max_show_all = 0
    show_full_result_count = False
    show_facets = ShowFacets.NEVER  # each choice would be counted over the whole table
    list_disable_select_all = True
    list_filter_sheet = False
    list_fullwidth = True
    sortable_by = ()
    tabs: tuple[tuple[str, dict[str, str]], ...] = ()  # views of the list: label and filters; the first is what a bare address shows
    add_words = ""
    empty_words = ""  # shown by an empty list: what it means and what to do next

    class Media:
        js = ["switchyard/console.js", "switchyard/rules.js"]

    def complete(self, request: HttpRequest, rows: list[Any]) -> None:
        """Add to the rows of one page what its columns need; nothing unless overridden."""

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """Lists complete their own page."""
        return DeskChangeList

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Rows come from the engine."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Rows leave by retention only."""
        return False

    def get_urls(self) -> list[URLPattern]:
        """One address per act before Django's own."""
        opts = self.opts
        acts = [
            path(
                f"<int:object_id>/{act.name}/",
                self.wrapped(partial(self.run_act, act)),
                name=f"{opts.app_label}_{opts.model_name}_{act.name.replace('-', '_')}",
            )
            for act in self.acts
        ]
        return [*acts, *self.page_urls(), *super().get_urls()]

    def page_urls(self) -> list[URLPattern]:
        """Further pages of this desk; none unless overridden."""
        return []

    def wrapped(self, view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
        """The view behind the console's sign-in."""

        def inner(*args: Any, **kwargs: Any) -> HttpResponse:
            return self.admin_site.admin_view(view)(*args, **kwargs)

        inner.model_admin = self
        return update_wrapper(inner, view)

    def viewed(self, view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
        """A page of its own, `view(desk, request, …)`, behind the sign-in and for those who may see this list."""

        def shown(request: HttpRequest, **kwargs: Any) -> HttpResponse:
            if not self.has_view_permission(request):
                raise PermissionDenied
            return view(self, request, **kwargs)

        return self.wrapped(shown)

    def view_url(self, name: str, *args: object) -> str:
        """The address of one of this desk's pages."""
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_{name}", args=args)

    def allowed_acts(self, request: HttpRequest, row: Model | None = None) -> set[str]:
        """Names of the acts this person may do."""
        return {act.name for act in self.acts if self.may(request, act, row)}

    def may(self, request: HttpRequest, act: Act, row: Model | None = None) -> bool:
        """Whether this person may do this act."""
        return request.user.has_perm(act.permission)

    def row_or_404(self, request: HttpRequest, object_id: object) -> Any:
        """The row; raises Http404, and PermissionDenied for people who may not see it."""
        row = self.get_object(request, str(object_id))
        if row is None:
            raise Http404(f"There is no {self.opts.verbose_name} {object_id}.")
        if not self.has_view_permission(request, row):
            raise PermissionDenied
        return row

    def run_act(self, act: Act, request: HttpRequest, object_id: int) -> HttpResponse:
        """Do one act by POST and go back to the page; a refusal is told, not raised."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        row = self.row_or_404(request, object_id)
        if not self.may(request, act, row):
            raise PermissionDenied
        try:
            answer = getattr(self, act.method)(request, row)
        except Refusal as refusal:
            messages.error(request, str(refusal))
            answer = None
        if isinstance(answer, HttpResponse):
            return answer
        if answer:
            messages.success(request, answer)
        return HttpResponseRedirect(self.way_back(request, row))

    def way_back(self, request: HttpRequest, row: Model) -> str:
        """Where the person came from when it is one of our pages, else the row's page."""
        asked = request.POST.get("next", "")
        if asked and url_has_allowed_host_and_scheme(asked, allowed_hosts={request.get_host()}, require_https=request.is_secure()):
            return asked
        return self.view_url("change", row.pk)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The row's page."""
        row = self.row_or_404(request, object_id)
        return self.show(request, self.detail_template, row, **self.detail(request, row))

    def detail(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        """What the row's page shows beside the row."""
        return {}

    def show(self, request: HttpRequest, template: str, row: Model | None = None, **context: Any) -> TemplateResponse:
        """One page in the console's frame; the acts this person may not do are not on it."""
        frame = {
            **self.admin_site.each_context(request),
            "title": str(row) if row else self.opts.verbose_name_plural.capitalize(),
            "opts": self.opts,
            "original": row,
            "media": self.media,
            "acts": self.allowed_acts(request, row),
            "sees_personal_data": request.user.has_perm(MASK_PERMISSION),
            "back_url": self.view_url("changelist"),
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, template, {**frame, **context})

    def filtered(self, request: HttpRequest) -> QuerySet:
        """All rows that the list's filters in the address leave, not one page of them; raises Http404 for filters that make no sense."""
        try:
            return self.get_changelist_instance(request).queryset
        except (IncorrectLookupParameters, DisallowedModelAdminLookup) as fault:
            raise Http404("There is no such filter.") from fault

    def tell_bulk(self, request: HttpRequest, rows: QuerySet | Sequence[Model], text: str) -> None:
        """Write what was done to many rows into each one's log."""
        for row in rows:
            self.log_change(request, row, text)

    def log_of(self, row: Model) -> QuerySet[LogEntry]:
        """Who did what to this row, newest first."""
        entries = LogEntry.objects.filter(content_type=ContentType.objects.get_for_model(row), object_id=str(row.pk))
        return entries.select_related("user").order_by("-action_time")[:20]
