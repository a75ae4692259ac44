"""Django app: looking at what is late, wrong or different."""

from django.apps import AppConfig


class MonitoringConfig(AppConfig):
    """Samples and the pages that show them."""

    name = "monitoring"
    default_auto_field = "django.db.models.BigAutoField"
