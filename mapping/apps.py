"""Django app: words and rules - what a thing is and how it is translated."""

from __future__ import annotations

from django.apps import AppConfig


class MappingConfig(AppConfig):
    """Records, mapping versions, crosswalks, identity and consent."""

    name = "mapping"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = "Mapping"
