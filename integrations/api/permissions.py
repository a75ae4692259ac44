"""Who may do what through the API: Django's model permissions, reading included."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import Model
from rest_framework.permissions import BasePermission, DjangoModelPermissions

if TYPE_CHECKING:  # the framework's views import this module through the settings
    from rest_framework.request import Request
    from rest_framework.views import APIView


class ModelPermissions(DjangoModelPermissions):
    """Like Django's own admin: reading takes the view permission too."""

    perms_map = {
        **DjangoModelPermissions.perms_map,
        "GET": ["%(app_label)s.view_%(model_name)s"],
        "HEAD": ["%(app_label)s.view_%(model_name)s"],
        "OPTIONS": [],
    }


class MayChange(BasePermission):
    """For acts on a row (replay, release, pause …): the change permission of the view's model."""

    message = "Your role may not do this."

    def has_permission(self, request: Request, view: APIView) -> bool:
        """True for people with the change permission."""
        model: type[Model] = view.queryset.model
        return bool(request.user and request.user.has_perm(f"{model._meta.app_label}.change_{model._meta.model_name}"))
