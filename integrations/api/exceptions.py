"""Exceptions: open questions, and settling them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import QuerySet
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
from integrations.api.fields import Count, Note
from integrations.api.pagination import LastSeen
from integrations.api.permissions import MayChange
from integrations.engine import exceptions as desk
from integrations.models import ExceptionComment, SyncException
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
            "assignee", "resolved_by", "resolved_at", "note",
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


@extend_schema_view(
    list=extend_schema(description="Questions, the last seen first."),
    retrieve=extend_schema(description="One question with its cause, its remedy, comments and the first deliveries that wait."),
)
class ExceptionViewSet(Attributed, viewsets.ReadOnlyModelViewSet):
    """Exceptions: list, detail, release, ignore, assign, comment."""

    log_words = {"release": "Released", "ignore": "Ignored", "assign": "Assigned", "comment": "Commented"}

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
        return Response({"count": desk.release_exceptions([self._mine(request).pk], request.user)})

    @extend_schema(request=Note, responses=Count)
    @action(detail=True, methods=["post"], permission_classes=[MayChange])
    def ignore(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Decide that what waits only for it will not be sent; the answer counts the deliveries skipped."""
        exception = self._mine(request)
        asked = Note(data=request.data)
        asked.is_valid(raise_exception=True)
        return Response({"count": desk.ignore_exceptions([exception.pk], request.user, asked.validated_data["note"])})

    @extend_schema(request=Assignee, responses=ExceptionSerializer)
    @action(detail=True, methods=["post"], permission_classes=[MayChange])
    def assign(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Give it to a person, or to nobody."""
        exception = self._mine(request)
        asked = Assignee(data=request.data)
        asked.is_valid(raise_exception=True)
        desk.assign([exception.pk], asked.validated_data["user"], request.user)
        exception.refresh_from_db()
        return Response(self.get_serializer(exception).data)

    @extend_schema(request=CommentSerializer, responses={201: CommentSerializer, 400: OpenApiTypes.OBJECT})
    @action(detail=True, methods=["post"], permission_classes=[MayChange])
    def comment(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Write something beside it."""
        exception = self._mine(request)
        asked = CommentSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        written = desk.comment(exception, request.user, asked.validated_data["text"])
        return Response(CommentSerializer(written).data, status=201)

    def _mine(self, request: Request) -> SyncException:
        """The exception; raises PermissionDenied when it belongs to a team whose questions this role does not settle."""
        exception = self.get_object()
        if not may_answer(request.user, exception):
            raise PermissionDenied("Your role settles only questions of its own team.")
        return exception
