"""Deliveries: what has to be where, its state and attempts, and sending again. Personal data is masked for people who may not see it."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema, extend_schema_field, extend_schema_view
from rest_framework import serializers, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from integrations.access import replayable
from integrations.api.fields import Count, Ids
from integrations.api.pagination import LatestChange
from integrations.api.permissions import MayChange
from integrations.engine.masking import masked
from integrations.engine.outbox import Cause
from integrations.engine.replay import replay
from integrations.models import Attempt, Delivery

PERSONAL = "integrations.view_personal_data"


class DeliveryFilter(filters.FilterSet):
    """By flow, state, cause, exact key, and when it last changed."""

    state = filters.MultipleChoiceFilter(choices=Delivery.State.choices)
    cause = filters.ChoiceFilter(choices=[(str(cause), str(cause)) for cause in Cause])
    record_key = filters.CharFilter()
    updated_after = filters.IsoDateTimeFilter(field_name="updated_at", lookup_expr="gte")
    updated_before = filters.IsoDateTimeFilter(field_name="updated_at", lookup_expr="lt")

    class Meta:
        model = Delivery
        fields = ["flow"]


class DeliverySerializer(serializers.ModelSerializer):
    """One delivery in a list, without the record."""

    class Meta:
        model = Delivery
        fields = [
            "id", "flow", "record_key", "destination_key", "state", "cause", "version", "attempts", "occurred_at", "due_at", "delivered_at",
            "updated_at", "last_code", "last_message",
        ]  # fmt: skip
        read_only_fields = fields


class AttemptSerializer(serializers.ModelSerializer):
    """One try."""

    class Meta:
        model = Attempt
        fields = ["number", "at", "outcome", "code", "message", "ms", "request_id", "manual"]


class DeliveryDetailSerializer(DeliverySerializer):
    """One delivery with its record, what was last sent, what holds it and its last 50 attempts."""

    record = serializers.SerializerMethodField()
    sent_payload = serializers.SerializerMethodField()
    exceptions = serializers.SerializerMethodField()
    attempt_rows = serializers.SerializerMethodField()

    class Meta:
        model = Delivery
        fields = [
            *DeliverySerializer.Meta.fields, "mapping_version", "sent_at", "record", "sent_payload", "issues", "exceptions", "attempt_rows",
        ]  # fmt: skip
        read_only_fields = fields

    def get_record(self, delivery: Delivery) -> dict[str, Any]:
        """The record, masked unless the person may see personal data."""
        return self._shown(delivery.record)

    def get_sent_payload(self, delivery: Delivery) -> dict[str, Any] | None:
        """What was last sent, masked likewise; null after the time it is kept."""
        return self._shown(delivery.sent_payload)

    def get_exceptions(self, delivery: Delivery) -> list[int]:
        """Ids of the exceptions it waits for."""
        return list(delivery.holds.order_by("exception").values_list("exception", flat=True)[:100])

    @extend_schema_field(AttemptSerializer(many=True))
    def get_attempt_rows(self, delivery: Delivery) -> list[dict[str, Any]]:
        """The newest attempts first."""
        return AttemptSerializer(delivery.attempt_rows.order_by("-id")[:50], many=True).data

    def _shown(self, data: Any) -> Any:
        return data if self.context["request"].user.has_perm(PERSONAL) else masked(data)


@extend_schema_view(
    list=extend_schema(description="Deliveries without their records, the latest change first."),
    retrieve=extend_schema(description="One delivery with record, last payload, holds and newest attempts; personal data may be masked."),
)
class DeliveryViewSet(viewsets.ReadOnlyModelViewSet):
    """Deliveries: list, detail, replay one or up to 1,000."""

    queryset = Delivery.objects.all()
    filterset_class = DeliveryFilter
    pagination_class = LatestChange

    def get_queryset(self) -> QuerySet[Delivery]:
        """Lists do not read the JSON columns."""
        rows = super().get_queryset()
        return rows.defer("record", "sent_payload", "issues") if self.action == "list" else rows.select_related("flow")

    def get_serializer_class(self) -> type[serializers.Serializer]:
        """The detail shows more."""
        return DeliveryDetailSerializer if self.action == "retrieve" else DeliverySerializer

    @extend_schema(request=None, responses=Count)
    @action(detail=True, methods=["post"], permission_classes=[MayChange])
    def replay(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Send this record again although nothing changed; 0 when a worker has it in hand right now."""
        return self._replay(request, [self.get_object().pk])

    @extend_schema(operation_id="deliveries_replay_many", request=Ids, responses=Count, filters=False)
    @action(detail=False, methods=["post"], url_path="replay", url_name="replay-many", permission_classes=[MayChange])
    def replay_many(self, request: Request) -> Response:
        """Send up to 1,000 records again; ids that do not exist or are in a worker's hands are not counted."""
        asked = Ids(data=request.data)
        asked.is_valid(raise_exception=True)
        return self._replay(request, asked.validated_data["ids"])

    def _replay(self, request: Request, ids: list[int]) -> Response:
        rows = Delivery.objects.filter(pk__in=ids)
        mine = list(replayable(request.user, rows).values_list("pk", flat=True))
        if len(mine) < rows.count():
            raise PermissionDenied("Your role may send again only records of its own kind.")
        return Response({"count": replay(mine, request.user)})
