"""Flows: what moves where, how fresh it is, on and off."""

from __future__ import annotations

from typing import Any

from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from integrations.api.attributed import Attributed
from integrations.api.fields import ConnectionName
from integrations.api.permissions import MayChange
from integrations.engine.wake import wake_flow
from integrations.models import Flow


class FlowFilter(filters.FilterSet):
    """By platform of either end, record type and switch."""

    source_platform = filters.CharFilter(field_name="source__platform")
    destination_platform = filters.CharFilter(field_name="destination__platform")

    class Meta:
        model = Flow
        fields = ["source", "destination", "record_type", "enabled"]


class FlowSerializer(serializers.ModelSerializer):
    """One flow."""

    source = ConnectionName(read_only=True)
    destination = ConnectionName(read_only=True)
    name = serializers.CharField(source="__str__", read_only=True)

    class Meta:
        model = Flow
        fields = ["id", "name", "source", "destination", "record_type", "enabled", "settings", "last_delivered_at", "created_at"]
        read_only_fields = fields


@extend_schema_view(
    list=extend_schema(description="Every flow with its ends and its switch."),
    retrieve=extend_schema(description="One flow."),
)
class FlowViewSet(Attributed, viewsets.ReadOnlyModelViewSet):
    """Flows: list, detail, enable, disable."""

    log_words = {"enable": "Switched on", "disable": "Switched off"}

    queryset = Flow.objects.select_related("source", "destination").order_by("-id")
    serializer_class = FlowSerializer
    filterset_class = FlowFilter

    @extend_schema(request=None, responses=FlowSerializer)
    @action(detail=True, methods=["post"], permission_classes=[MayChange])
    def enable(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Switch the flow on; what waits goes out at once."""
        return self._switch(on=True)

    @extend_schema(request=None, responses=FlowSerializer)
    @action(detail=True, methods=["post"], permission_classes=[MayChange])
    def disable(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Switch the flow off; its deliveries are kept."""
        return self._switch(on=False)

    def _switch(self, *, on: bool) -> Response:
        flow = self.get_object()
        if flow.enabled != on:
            flow.enabled = on
            flow.save(update_fields=["enabled"])
            if on:
                wake_flow(flow.pk)
        return Response(self.get_serializer(flow).data)
