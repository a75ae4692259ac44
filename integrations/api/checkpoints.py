"""Backfills and other pulls: how far they are, starting, pausing, going on, ending."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema, extend_schema_field, extend_schema_view
from rest_framework import mixins, serializers, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from integrations.api.attributed import Attributed
from integrations.api.conflict import Conflict
from integrations.api.permissions import MayChange
from integrations.engine import pull
from integrations.models import Checkpoint, Connection


class CheckpointFilter(filters.FilterSet):
    """By connection, reader, purpose and state."""

    class Meta:
        model = Checkpoint
        fields = ["connection", "reader", "purpose", "state"]


class ProgressSerializer(serializers.Serializer):
    """How far a pull is; null where it cannot be known yet. `share` is of one."""

    read = serializers.IntegerField()
    total = serializers.IntegerField(allow_null=True)
    share = serializers.FloatField(allow_null=True)
    per_second = serializers.FloatField(allow_null=True)
    eta = serializers.DateTimeField(allow_null=True)


class CheckpointSerializer(serializers.ModelSerializer):
    """One pull."""

    progress = serializers.SerializerMethodField()

    class Meta:
        model = Checkpoint
        fields = [
            "id", "connection", "reader", "purpose", "state", "window_from", "window_to", "due_at", "progress", "record_count",
            "failed_count", "note", "error", "requested_by", "created_at", "started_at", "finished_at",
        ]  # fmt: skip
        read_only_fields = fields

    @extend_schema_field(ProgressSerializer)
    def get_progress(self, checkpoint: Checkpoint) -> dict[str, Any]:
        """Count, share, speed and expected end."""
        return ProgressSerializer(pull.progress(checkpoint)).data


class Started(serializers.Serializer):
    """The pulls that a backfill began, one per reader."""

    started = CheckpointSerializer(many=True)


class BackfillRequest(serializers.Serializer):
    """What to pull: readers of the source, from when, until when (null: now)."""

    connection = serializers.PrimaryKeyRelatedField(queryset=Connection.objects.all())
    readers = serializers.ListField(child=serializers.CharField(max_length=30), min_length=1, max_length=20)
    since = serializers.DateTimeField()
    until = serializers.DateTimeField(required=False, allow_null=True, default=None)


@extend_schema_view(
    list=extend_schema(description="Polls, backfills and repairs with their progress."),
    retrieve=extend_schema(description="One pull with its progress."),
)
class CheckpointViewSet(Attributed, mixins.CreateModelMixin, viewsets.ReadOnlyModelViewSet):
    """Pulls: list, detail, start a backfill, pause, resume, cancel."""

    log_words = {"pause": "Paused", "resume": "Resumed", "cancel": "Cancelled"}

    queryset = Checkpoint.objects.order_by("-id")
    serializer_class = CheckpointSerializer
    filterset_class = CheckpointFilter

    @extend_schema(request=BackfillRequest, responses={201: Started})
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Start a backfill; one pull per reader, all in the lane that lets live records go first."""
        asked = BackfillRequest(data=request.data)
        asked.is_valid(raise_exception=True)
        wish = asked.validated_data
        try:
            started = pull.start_backfill(wish["connection"], wish["readers"], since=wish["since"], until=wish["until"], by=request.user)
        except ValueError as fault:
            raise ValidationError({"non_field_errors": [f"{str(fault)[:1].upper()}{str(fault)[1:]}."]}) from fault
        return Response(Started({"started": started}).data, status=201)

    @extend_schema(request=None, responses=CheckpointSerializer)
    @action(detail=True, methods=["post"], permission_classes=[MayChange])
    def pause(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Stop after the page that is being read."""
        return self._move(request, pull.pause, Checkpoint.State.PAUSED)

    @extend_schema(request=None, responses=CheckpointSerializer)
    @action(detail=True, methods=["post"], permission_classes=[MayChange])
    def resume(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Go on where it stopped."""
        return self._move(request, pull.resume, Checkpoint.State.WAITING, Checkpoint.State.RUNNING)

    @extend_schema(request=None, responses=CheckpointSerializer)
    @action(detail=True, methods=["post"], permission_classes=[MayChange])
    def cancel(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """End it for good; what was read stays. A poll cannot be cancelled."""
        if self.get_object().purpose == Checkpoint.Purpose.POLL:
            raise Conflict("A poll lives as long as its connection; pause it instead.")
        return self._move(request, pull.cancel, Checkpoint.State.CANCELLED)

    def _move(self, request: Request, act: Callable[..., None], *wanted: str) -> Response:
        """Do it and answer with the pull; raises Conflict when its state does not allow it."""
        checkpoint = self.get_object()
        act(checkpoint, request.user)
        checkpoint.refresh_from_db()
        if checkpoint.state not in wanted:
            raise Conflict(f"This is not possible: the pull is {checkpoint.get_state_display().lower()}.")
        return Response(self.get_serializer(checkpoint).data)
