"""Addresses of the REST API, version 1, and of its OpenAPI document."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path
from drf_spectacular.views import SpectacularAPIView
from rest_framework.routers import SimpleRouter

from integrations.api.checkpoints import CheckpointViewSet
from integrations.api.connections import ConnectionViewSet
from integrations.api.deliveries import DeliveryViewSet
from integrations.api.docs import docs
from integrations.api.exceptions import ExceptionViewSet
from integrations.api.flows import FlowViewSet
from integrations.api.missing import missing

router = SimpleRouter()
router.register("flows", FlowViewSet)
router.register("deliveries", DeliveryViewSet)
router.register("exceptions", ExceptionViewSet)
router.register("checkpoints", CheckpointViewSet)
router.register("connections", ConnectionViewSet)

urlpatterns: list[URLPattern | URLResolver] = [
    path("schema/", SpectacularAPIView.as_view(), name="api_schema"),
    path("docs/", docs, name="api_docs"),
    path("v1/", include(router.urls)),
    path("<path:rest>", missing),
]
