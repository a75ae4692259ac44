"""Django app: moving records between platforms."""

from django.apps import AppConfig


class IntegrationsConfig(AppConfig):
    """Connections, inbox, outbox and platforms."""

    name = "integrations"
    default_auto_field = "django.db.models.BigAutoField"
