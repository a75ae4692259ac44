"""Columns of the exports of desks whose own modules are long enough: exceptions, connections, mappings and their runs, people."""

from __future__ import annotations

from typing import Any

from integrations.admin.exception_page import value_words
from integrations.admin.exports import Column
from integrations.engine.masking import masked_text
from integrations.models import SyncException
from integrations.models.kinds import KINDS, ORIGIN_LABELS


def _kind(row: SyncException, name: str) -> str:
    kind = KINDS.get(row.kind)
    if kind is None:
        return ""
    return ORIGIN_LABELS[kind.origin] if name == "origin" else str(getattr(kind, name))


def _title(row: SyncException, personal: bool) -> str:
    return row.title if personal else masked_text(row.title)


def _subject(row: SyncException, personal: bool) -> str:
    """A key or a word; of refusals it may be what the destination said."""
    return row.subject if personal or row.kind != "refused" else masked_text(row.subject)


def _person(row: Any, *names: str) -> str:
    """The user name of the first of these people that there is."""
    return next((found.get_username() for name in names if (found := getattr(row, name))), "")


def _roles(row: Any) -> str:
    return "superuser" if row.is_superuser else ", ".join(group.name for group in row.groups.all())


EXCEPTIONS = (
    Column("ID", "pk"), Column("Question", _title), Column("Subject", _subject), Column("Kind", "get_kind_display"),
    Column("Began at", lambda row, personal: _kind(row, "origin")), Column("Team", lambda row, personal: _kind(row, "team")),
    Column("Flow or connection", lambda row, personal: str(row.flow or row.connection or "")), Column("State", "get_state_display"),
    Column("Deliveries waiting", "waiting.count"), Column("Order value waiting", lambda row, personal: value_words(row.waiting)),
    Column("Times asked", "occurrences"), Column("Came back", "returned"),
    Column("First seen", "first_seen"), Column("Last seen", "last_seen"), Column("Snoozed until", "snoozed_until"),
    Column("Assignee", lambda row, personal: _person(row, "assignee")),
    Column("Settled by", lambda row, personal: _person(row, "resolved_by")), Column("Settled", "resolved_at"), Column("Note", "note"),
    Column("What to do", lambda row, personal: _kind(row, "remedy")),
)  # fmt: skip
CONNECTIONS = (
    Column("ID", "pk"), Column("Name", "name"), Column("Platform", "get_platform_display"), Column("Account", "external_id"),
    Column("Address", "base_url"), Column("State", "get_state_display"), Column("Why", "state_reason"),
    Column("Version pinned", "api_version"), Column("Version served", "version_served"), Column("Last message", "last_event_at"),
    Column("Last test call", "probed_at"), Column("Open exceptions", "open_exceptions"), Column("Added", "created_at"),
)  # fmt: skip
MAPPINGS = (
    Column("ID", "pk"), Column("Flow", lambda row, personal: str(row.flow)), Column("Version", "number"),
    Column("State", "get_state_display"), Column("Rules", "rule_count"), Column("Reason", "note"),
    Column("By", lambda row, personal: _person(row, "published_by", "author")), Column("Drafted", "created_at"),
    Column("Published", "published_at"),
)  # fmt: skip
IMPACT_RUNS = (
    Column("ID", "pk"), Column("Run", "get_purpose_display"), Column("Flow", lambda row, personal: str(row.flow)),
    Column("Version", "version.number"), Column("Compared with version", lambda row, personal: row.before.number if row.before else ""),
    Column("State", "get_state_display"), Column("Records looked at", "looked_at"), Column("The same", "same"),
    Column("Would change", "changed"), Column("Would newly be held", "fails"), Column("Would go out at last", "answered"),
    Column("Held before and after", "held"), Column("Not sent whatever the rules", "left"), Column("Set to go out again", "queued"),
    Column("Fault", lambda row, personal: row.error if personal else masked_text(row.error)),
    Column("Asked for by", lambda row, personal: _person(row, "requested_by")), Column("Asked for", "created_at"),
    Column("Ended", "finished_at"),
)  # fmt: skip
PEOPLE = (
    Column("ID", "pk"), Column("User name", "username"), Column("Name", "get_full_name"),
    Column("Roles", lambda row, personal: _roles(row)), Column("May sign in", "is_active"),
    Column("Last sign-in", "last_login"), Column("Added", "date_joined"),
)  # fmt: skip
