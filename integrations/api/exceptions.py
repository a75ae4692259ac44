"""Exceptions: open questions, settling them, and taking that back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import QuerySet
from django.utils import timezone
from django_filters import rest_framework as filters
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_field, extend_schema_view
from rest_framework import serializers, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from integrations.access import may_answer
from integrations.api.attributed import Attributed
from integrations.api.conflict import Conflict
from integrations.api.fields import Count, Note
from integrations.api.pagination import LastSeen
from integrations.api.permissions import MayChange
from integrations.engine import exceptions
from integrations.engine.desk_acts import CannotUndo, do, undo_last
from integrations.engine.snoozes import LONGEST, UNTIL_IT_CHANGES
from integrations.models import DeskAct, ExceptionComment, SyncException
from integrations.models.kinds import KINDS, ORIGIN_LABELS

WAITING_SHOWN = 100


def _slugs(attribute: str) -> Callable[[QuerySet, str, str], QuerySet]:
    """A filter by a column of the table of kinds."""

    def narrow(rows: QuerySet, name: str, value: str) -> QuerySet:
        return rows.filter(kind__in=[kind.slug for kind in KINDS.values() if getattr(kind, attribute) == value])

    return narrow


class ExceptionFilter(filters.FilterSet):
    """By state, kind, where it began, who settles it, and flow."""

    state = filters.ChoiceFilter(choices=SyncException.State.choices)
    kind = filters.ChoiceFilter(choices=[(kind.slug, kind.label) for kind in KINDS.values()])
    origin = filters.ChoiceFilter(choices=[(str(origin), label) for origin, label in ORIGIN_LABELS.items()], method="by_origin")
    team = filters.ChoiceFilter(choices=[(team, team) for team in sorted({kind.team for kind in KINDS.values()})], method="by_team")

    class Meta:
        model = SyncException
        fields = ["flow", "connection", "assignee"]

    by_origin = staticmethod(_slugs("origin"))
    by_team = staticmethod(_slugs("team"))


class ExceptionSerializer(serializers.ModelSerializer):
    """One open or settled question with its cause and remedy in plain words."""

    origin = serializers.SerializerMethodField()
    team = serializers.SerializerMethodField()

    class Meta:
        model = SyncException
        fields = [
            "id", "kind", "subject", "title", "state", "origin", "team", "flow", "connection", "occurrences", "first_seen", "last_seen",
            "assignee", "snoozed_until", "resolved_by", "resolved_at", "note",
        ]  # fmt: skip
        read_only_fields = fields

    def get_origin(self, exception: SyncException) -> str:
        """Where the failure began."""
        return str(KINDS[exception.kind].origin)

    def get_team(self, exception: SyncException) -> str:
        """Who settles it."""
        return KINDS[exception.kind].team


class CommentSerializer(serializers.ModelSerializer):
    """What somebody wrote."""

    class Meta:
        model = ExceptionComment
        fields = ["id", "author", "at", "text"]
        read_only_fields = ["id", "author", "at"]


class ExceptionDetailSerializer(ExceptionSerializer):
    """One question with everything around it; `waiting` lists the first 100 deliveries that wait."""

    cause = serializers.SerializerMethodField()
    remedy = serializers.SerializerMethodField()
    comments = CommentSerializer(many=True, read_only=True)
    waiting = serializers.SerializerMethodField()

    class Meta:
        model = SyncException
        fields = [*ExceptionSerializer.Meta.fields, "detail", "cause", "remedy", "comments", "waiting"]
        read_only_fields = fields

    def get_cause(self, exception: SyncException) -> str:
        """Why, in plain words."""
        return KINDS[exception.kind].cause

    def get_remedy(self, exception: SyncException) -> str:
        """What to do next."""
        return KINDS[exception.kind].remedy

    @extend_schema_field({"type": "array", "items": {"type": "integer"}})
    def get_waiting(self, exception: SyncException) -> list[int]:
        """Ids of deliveries."""
        return list(exception.holds.order_by("id").values_list("delivery", flat=True)[:WAITING_SHOWN])


class Assignee(serializers.Serializer):
    """Who takes the question; null gives it back."""

    user = serializers.PrimaryKeyRelatedField(queryset=get_user_model().objects.filter(is_active=True, is_staff=True), allow_null=True)


class Snooze(serializers.Serializer):
    """When the question comes back by itself, within a year; null: when one more record asks it."""

    until = serializers.DateTimeField(allow_null=True)

    def validate_until(self, until: datetime | None) -> datetime:
        """The moment; raises ValidationError for one that is over or too far away."""
        if until is None:
            return UNTIL_IT_CHANGES
        if not timedelta() < until - timezone.now() <= LONGEST:
            raise serializers.ValidationError("Choose a moment in the future, within a year.")
        return until


@extend_schema_view(
    list=extend_schema(description="Questions, the last seen first."),
    retrieve=extend_schema(description="One question with its cause, its remedy, comments and the first deliveries that wait."),
)
class ExceptionViewSet(Attributed, viewsets.ReadOnlyModelViewSet):
    """Exceptions: list, detail, release, ignore, assign, snooze, wake, comment; and taking the last of these acts back."""

    log_words = {
        "release": "Released", "ignore": "Ignored", "assign": "Assigned", "snooze": "Snoozed", "wake": "Woken", "comment": "Commented",
        "undo": "Took back the last act",
    }  # fmt: skip

    queryset = SyncException.objects.all()
    filterset_class = ExceptionFilter
    pagination_class = LastSeen

    def get_serializer_class(self) -> type[serializers.Serializer]:
        """The detail shows more."""
        return ExceptionDetailSerializer if self.action == "retrieve" else ExceptionSerializer

    @extend_schema(request=None, responses=Count)
    @action(detail=True, methods=["post"], permission_classes=[MayChange])
    def release(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Let everything go that waits for it; the answer counts the deliveries that became ready."""
        return Response({"count": do("retry", [self._mine(request).pk], request.user)[1]})

    @extend_schema(request=Note, responses=Count)
    @action(detail=True, methods=["post"], permission_classes=[MayChange])
    def ignore(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Decide that what waits only for it will not be sent; the answer counts the deliveries skipped."""
        exception = self._mine(request)
        return Response({"count": do("ignore", [exception.pk], request.user, _read(Note, request))[1]})

    @extend_schema(request=Assignee, responses=ExceptionSerializer)
    @action(detail=True, methods=["post"], permission_classes=[MayChange])
    def assign(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Give it to a person, or to nobody."""
        exception, person = self._mine(request), _read(Assignee, request)["user"]
        return self._done(exception, do("assign", [exception.pk], request.user, {"assignee": person.pk if person else None})[0])

    @extend_schema(request=Snooze, responses=ExceptionSerializer)
    @action(detail=True, methods=["post"], permission_classes=[MayChange])
    def snooze(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Put it away until a moment, or until it changes; it comes back sooner when it has doubled."""
        exception, until = self._mine(request), _read(Snooze, request)["until"]
        return self._done(exception, do("snooze", [exception.pk], request.user, {"until": until.isoformat()})[0])

    @extend_schema(request=None, responses=ExceptionSerializer)
    @action(detail=True, methods=["post"], permission_classes=[MayChange])
    def wake(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Show it among the open ones again."""
        exception = self._mine(request)
        return self._done(exception, do("wake", [exception.pk], request.user)[0])

    @extend_schema(request=None, responses=ExceptionSerializer)
    @action(detail=True, methods=["post"], permission_classes=[MayChange])
    def undo(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Take back the last thing that the caller did to it: an assignment, a snooze, or that it is ignored."""
        exception = self._mine(request)
        try:
            undo_last(request.user, exception.pk)
        except CannotUndo as reason:
            raise Conflict(str(reason)) from reason
        return self._done(exception)

    @extend_schema(request=CommentSerializer, responses={201: CommentSerializer, 400: OpenApiTypes.OBJECT})
    @action(detail=True, methods=["post"], permission_classes=[MayChange])
    def comment(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Write something beside it."""
        exception = self._mine(request)
        written = exceptions.comment(exception, request.user, _read(CommentSerializer, request)["text"])
        return Response(CommentSerializer(written).data, status=201)

    def _mine(self, request: Request) -> SyncException:
        """The exception; raises PermissionDenied when it belongs to a team whose questions this role does not settle."""
        exception = self.get_object()
        if not may_answer(request.user, exception):
            raise PermissionDenied("Your role settles only questions of its own team.")
        return exception

    def _done(self, exception: SyncException, acts: Sequence[DeskAct] = ()) -> Response:
        """The question as it is now; raises Conflict when it was in no state for the act."""
        if left := next((act for act in acts if act.state == DeskAct.State.LEFT), None):
            raise Conflict(left.why)
        exception.refresh_from_db()
        return Response(self.get_serializer(exception).data)


def _read(form: type[serializers.BaseSerializer], request: Request) -> dict[str, Any]:
    """What the caller sent; raises ValidationError."""
    asked = form(data=request.data)
    asked.is_valid(raise_exception=True)
    return asked.validated_data
