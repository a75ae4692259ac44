"""People: who may sign in and with which role. Libraries' own tables that nobody needs to see are taken off the console."""

from __future__ import annotations

from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import Group, User
from django.db import transaction
from django.db.models import ManyToManyField, QuerySet
from django.forms import ModelMultipleChoiceField
from django.http import HttpRequest
from django_q.models import Failure, OrmQ, Schedule, Success
from rest_framework.authtoken.models import Token, TokenProxy
from unfold.admin import ModelAdmin
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

import monitoring.alerts.pages
import monitoring.consent.pages
import monitoring.reconcile.pages
import monitoring.segments.desk  # noqa: F401 - the pages of segments
from integrations.admin.export_columns import PEOPLE
from integrations.admin.exports import Exports
from mapping.admin.history import ToldHistory
from mapping.changes import spoken

HIDDEN = (User, Group, EmailAddress, Authenticator, TokenProxy, Failure, OrmQ, Schedule, Success)
for model in HIDDEN:
    if admin.site.is_registered(model):
        admin.site.unregister(model)


@admin.register(User)
class PersonAdmin(Exports, ToldHistory, UserAdmin, ModelAdmin):
    """One person: name, role, whether they may sign in. Rights come from roles only, so nobody can lift themselves above theirs."""

    form = UserChangeForm
    add_form = UserCreationForm
    add_words = "person"
    change_password_form = AdminPasswordChangeForm
    list_display = ["username", "full_name", "roles", "second_factor", "is_active", "last_login"]
    list_after_template = "integrations/exports.html"
    export_columns = PEOPLE
    list_filter = ["groups", "is_active"]
    list_filter_submit = True
    search_fields = ["username", "first_name", "last_name", "email"]
    fieldsets = [
        (None, {"fields": ["username", "password"]}),
        ("Person", {"fields": ["first_name", "last_name", "email"]}),
        ("Role", {"fields": ["groups", "is_active"]}),
        ("Seen", {"fields": ["last_login", "date_joined"]}),
    ]
    add_fieldsets = [(None, {"classes": ["wide"], "fields": ["username", "password1", "password2", "first_name", "last_name", "groups"]})]
    readonly_fields = ["last_login", "date_joined"]
    actions = ["new_api_token", "end_second_factor"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        """People with their roles and second factors in two further queries."""
        return super().get_queryset(request).prefetch_related("groups", "authenticator_set")

    def formfield_for_manytomany(self, db_field: ManyToManyField, request: HttpRequest, **options: Any) -> ModelMultipleChoiceField | None:
        """The few roles as boxes to tick."""
        if db_field.name == "groups":
            options |= {"widget": UnfoldAdminCheckboxSelectMultipleWidget(), "label": "Roles", "help_text": "What they may see and do."}
        return super().formfield_for_manytomany(db_field, request, **options)

    def get_fieldsets(self, request: HttpRequest, obj: User | None = None) -> list[Any]:
        """The plain sets; Django's own would take rights off people who are no superusers only in part."""
        return list(self.fieldsets if obj else self.add_fieldsets)

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Superusers are changed by superusers only."""
        return super().has_change_permission(request, obj) and self._within(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Superusers are deleted by superusers only, and nobody deletes themselves."""
        return super().has_delete_permission(request, obj) and self._within(request, obj) and obj != request.user

    def construct_change_message(self, request: HttpRequest, form: Any, formsets: Any, add: bool = False) -> str:
        """What the log says: each value before and after, never a password."""
        return "Added" if add else spoken(form)

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        """Everybody made here may open the console."""
        obj.is_staff = True
        super().save_model(request, obj, form, change)

    @admin.display(description="Name")
    def full_name(self, person: User) -> str:
        """First and last name."""
        return person.get_full_name()

    @admin.display(description="Roles")
    def roles(self, person: User) -> str:
        """Names of the roles."""
        return "superuser" if person.is_superuser else ", ".join(group.name for group in person.groups.all()) or "none yet"

    @admin.display(description="Second factor", boolean=True)
    def second_factor(self, person: User) -> bool:
        """Whether signing in takes more than the password."""
        return any(row.type != Authenticator.Type.RECOVERY_CODES for row in person.authenticator_set.all())

    @admin.action(description="Make a new API token (ends the old one)", permissions=["change"])
    def new_api_token(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """Show the token once; it cannot be read again."""
        person = self._only_one(request, queryset)
        if person is None:
            return
        with transaction.atomic():
            Token.objects.filter(user=person).delete()
            token = Token.objects.create(user=person)
        self.log_change(request, person, "New API token")
        self.message_user(request, f"API token of {person.username}, shown only now: {token.key}", messages.SUCCESS)

    @admin.action(description="End the second factor (device lost)", permissions=["change"])
    def end_second_factor(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """The person signs in with the password alone and sets up a new device."""
        person = self._only_one(request, queryset)
        if person is None:
            return
        Authenticator.objects.filter(user=person).delete()
        self.log_change(request, person, "Second factor ended")
        self.message_user(request, f"{person.username} signs in with the password alone now.", messages.WARNING)

    def _only_one(self, request: HttpRequest, people: QuerySet[User]) -> User | None:
        """The chosen person; None after telling why when it is not exactly one whom this administrator may change."""
        chosen = list(people[:2])
        if len(chosen) != 1:
            self.message_user(request, "Choose exactly one person.", messages.ERROR)
            return None
        if not self._within(request, chosen[0]):
            self.message_user(request, "Superusers are changed by superusers only.", messages.ERROR)
            return None
        return chosen[0]

    def _within(self, request: HttpRequest, person: User | None) -> bool:
        return request.user.is_superuser or person is None or not person.is_superuser
