"""Connections: their state and limits, never their secrets, and the test call."""

from __future__ import annotations

from typing import Any

from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from integrations.api.attributed import Attributed
from integrations.api.permissions import MayChange
from integrations.engine.accounts import probe_connection
from integrations.models import Connection


class ConnectionFilter(filters.FilterSet):
    """By platform and state."""

    class Meta:
        model = Connection
        fields = ["platform", "state"]


class ProbeSerializer(serializers.Serializer):
    """The answer of a test call: each problem in one sentence with its remedy."""

    ok = serializers.BooleanField()
    summary = serializers.CharField()
    problems = serializers.ListField(child=serializers.CharField())
    scopes = serializers.ListField(child=serializers.CharField())
    version_served = serializers.CharField()
    facts = serializers.DictField(child=serializers.CharField())


class ConnectionSerializer(serializers.ModelSerializer):
    """One connection; `credentials` are the kinds of secrets that are set."""

    credentials = serializers.SerializerMethodField()

    class Meta:
        model = Connection
        fields = [
            "id", "platform", "name", "external_id", "base_url", "state", "state_reason", "resume_at", "api_version", "version_served",
            "deprecation", "last_event_at", "probed_at", "credentials", "created_at",
        ]  # fmt: skip
        read_only_fields = fields

    def get_credentials(self, connection: Connection) -> list[str]:
        """Kinds only; a secret never leaves."""
        return sorted(credential.kind for credential in connection.keeper.credentials.all())


@extend_schema_view(
    list=extend_schema(description="Connections with their state and versions; of secrets only the kinds that are set."),
    retrieve=extend_schema(description="One connection; of secrets only the kinds that are set."),
)
class ConnectionViewSet(Attributed, viewsets.ReadOnlyModelViewSet):
    """Connections: list, detail, test."""

    log_words = {"test": "Test call"}

    _rows = Connection.objects.select_related("credentials_from").prefetch_related("credentials", "credentials_from__credentials")
    queryset = _rows.order_by("-id")
    serializer_class = ConnectionSerializer
    filterset_class = ConnectionFilter

    @extend_schema(request=None, responses=ProbeSerializer)
    @action(detail=True, methods=["post"], permission_classes=[MayChange])
    def test(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Make the connection's test call now."""
        return Response(ProbeSerializer(probe_connection(self.get_object())).data)
