"""`manage.py sync_roles`: give every role exactly the permissions of the table in the settings."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth.models import Group, Permission
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction


class Command(BaseCommand):
    """Create the groups and set their permissions; running it again changes nothing."""

    help = "Create the roles (ecommerce, marketing, manager, administrator) and set their permissions."

    def handle(self, *args: Any, **options: Any) -> None:
        """Raises CommandError when the table names a permission that does not exist."""
        rows = Permission.objects.values_list("pk", "codename", "content_type__app_label")
        known = {f"{app}.{codename}": pk for pk, codename, app in rows}
        missing = sorted({name for names in settings.ROLES.values() for name in names} - known.keys())
        if missing:
            raise CommandError(f"No such permissions: {', '.join(missing)}. Run `manage.py migrate` first.")
        with transaction.atomic():
            for role, names in settings.ROLES.items():
                group, _ = Group.objects.get_or_create(name=role)
                group.permissions.set([known[name] for name in names])
        if options["verbosity"]:
            self.stdout.write(f"{len(settings.ROLES)} roles are up to date.")
