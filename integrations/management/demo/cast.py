"""The cast: connections to the stand-ins, every flow between them with its default mapping, and one person per role."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.core.management import call_command

from integrations.engine.accounts import set_credential
from integrations.flows import specs_between
from integrations.management.demo import stage
from integrations.models import Connection, Flow
from integrations.schedules import sync_schedules
from mapping.defaults import load_defaults
from mapping.records import RecordType

ROLES = ("ecommerce", "marketing", "manager", "administrator")
SHOPIFY_VERSION = "2026-10"
ABANDON_MINUTES = 0.1  # the demo does not wait half an hour for an abandoned checkout


@dataclass(frozen=True, slots=True)
class Cast:
    """Who is on the stage."""

    shop: Connection
    account: Connection
    flows: dict[str, Flow]  # by record type


def password(role: str) -> str:
    """The demo password of a role."""
    return f"demo-{role}-only"


def seed(*, shop_url: str, account_url: str, webhook_base_url: str = "") -> Cast:
    """Write roles, schedules, people, connections, flows and default mappings; running it again brings addresses up to date."""
    call_command("sync_roles", verbosity=0, stdout=_Silence())
    sync_schedules()
    for role in ROLES:
        _person(role)
    shop = _connection(
        "shopify",
        stage.SHOP_DOMAIN,
        name="Demo shop",
        base_url=shop_url,
        api_version=SHOPIFY_VERSION,
        settings={
            "credential_mode": "client_credentials",
            "enrichment_seconds": 5,
            "client_id": stage.SHOP_CLIENT_ID,
            "abandon_minutes": ABANDON_MINUTES,
            **({"webhook_base_url": webhook_base_url} if webhook_base_url else {}),
        },
    )
    set_credential(shop, "client_secret", stage.SHOP_SECRET)
    account = _connection(
        "ometria",
        stage.ACCOUNT_NAME,
        name="Demo account",
        base_url=account_url,
        settings={"push_rate": stage.RATE, "read_rate": stage.RATE, "confirm_grace_seconds": 5, "reporting_currency": stage.CURRENCY},
    )
    set_credential(account, "api_key", stage.ACCOUNT_KEY)
    return Cast(shop, account, {flow.record_type: flow for flow in _flows(shop, account)})


def known_cast() -> Cast:
    """The cast that was seeded before; raises Connection.DoesNotExist."""
    shop = Connection.objects.get(platform="shopify", external_id=stage.SHOP_DOMAIN)
    account = Connection.objects.get(platform="ometria", external_id=stage.ACCOUNT_NAME)
    return Cast(shop, account, {flow.record_type: flow for flow in Flow.objects.filter(source=shop, destination=account)})


def _connection(platform: str, external_id: str, *, settings: dict[str, object], **fields: object) -> Connection:
    row, created = Connection.objects.get_or_create(platform=platform, external_id=external_id, defaults={**fields, "settings": settings})
    if not created:
        row.base_url, row.settings = fields["base_url"], {**row.settings, **settings}
        row.save()
    return row


def _flows(shop: Connection, account: Connection) -> list[Flow]:
    flows = []
    for spec in specs_between(shop.platform, account.platform):
        chosen = {"sku_gate": "catalogue"} if spec.record_type == RecordType.ORDER else {}
        flow, _ = Flow.objects.get_or_create(source=shop, destination=account, record_type=spec.record_type, defaults={"settings": chosen})
        load_defaults(flow)
        flows.append(flow)
    return flows


def _person(role: str) -> None:
    user, created = get_user_model().objects.get_or_create(
        username=role, defaults={"email": f"{role}@example.com", "first_name": role.capitalize(), "is_staff": True}
    )
    if created:
        user.set_password(password(role))
        user.save()
    user.groups.set([Group.objects.get(name=role)])


class _Silence:
    """Takes what a command inside a command would print."""

    def write(self, text: str) -> int:
        """Nothing is kept."""
        return len(text)
