"""The cast: connections to the stand-ins, every flow between them with its default mapping, and one person per role."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.core.management import call_command

from integrations.engine.accounts import set_credential
from integrations.flows import FlowSpec, specs_between
from integrations.management.demo import stage
from integrations.models import Connection, Flow
from integrations.schedules import sync_schedules
from integrations.standins.commercetools.specs import DEMO_CLIENT_ID, DEMO_CLIENT_SECRET, DEMO_PROJECT
from integrations.standins.tiktok_shop.specs import DEMO_APP_KEY, DEMO_APP_SECRET, DEMO_SERVICE_ID
from mapping.defaults import load_all_defaults
from mapping.records import RecordType

ROLES = ("ecommerce", "marketing", "manager", "administrator")
SHOPIFY_VERSION = "2026-10"
# id of a segment at Ometria, where people ordered, within how many days, and what else
WATCHED = (
    ("2101", "any", 60, ()), ("2102", "any", 7, ("--drift", "2")), ("2103", "platform:tiktok_shop", 90, ("--drift", "5")),
    ("2104", "any", 60, ("--consent",)),
)  # fmt: skip
ABANDON_MINUTES = 0.1  # the demo does not wait half an hour for an abandoned checkout
MARKETS = ["GB:GBP:en-GB", "DE:EUR:de"]
CONSENT_FIELDS = {
    "email_consent_field": "emailOptIn", "email_consent_time_field": "emailOptInAt",
    "sms_consent_field": "smsOptIn", "sms_consent_time_field": "smsOptInAt", "consent_type_key": "marketing-consent",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Cast:
    """Who is on the stage."""

    shop: Connection
    account: Connection
    flows: dict[str, Flow]  # of the shop, by record type
    site: Connection
    tiktok: Connection | None = None  # the British shop; None where the stage has no TikTok Shop
    storefront: Connection | None = None  # the commercetools project; None where the stage has none

    @property
    def tiktoks(self) -> list[Connection]:
        """Every TikTok shop: the one that was seeded and those that its seller's grant opened."""
        return list(Connection.objects.filter(platform="tiktok_shop").order_by("pk"))

    def flow(self, source: Connection, record_type: str) -> Flow:
        """The flow of a source into the account; raises Flow.DoesNotExist."""
        return Flow.objects.select_related("source", "destination").get(source=source, destination=self.account, record_type=record_type)

    @property
    def consents(self) -> list[Flow]:
        """Every flow that tells one side what people said at another."""
        rows = Flow.objects.select_related("source", "destination").filter(record_type=RecordType.CONSENT)
        return list(rows.order_by("pk"))


def password(role: str) -> str:
    """The demo password of a role."""
    return f"demo-{role}-only"


def seed(*, shop_url: str, account_url: str, tiktok_url: str = "", storefront_url: str = "", webhook_base_url: str = "") -> Cast:
    """Write roles, schedules, people, connections, flows and default mappings; running it again brings addresses up to date."""
    call_command("sync_roles", verbosity=0, stdout=_Silence())
    sync_schedules()
    for role in ROLES:
        _person(role)
    hooks = {"webhook_base_url": webhook_base_url} if webhook_base_url else {}
    shop = _shop(shop_url, hooks)
    account = _account(account_url, hooks)
    site = _connection(
        "site", stage.SITE_KEY, name="Own site", base_url=stage.SITE_PAGE,
        settings={"abandon_minutes": ABANDON_MINUTES, "calls_per_visitor": 0},
    )  # fmt: skip
    flows = {flow.record_type: flow for flow in open_flows(shop, account)}
    open_flows(site, account)
    tiktok = _tiktok(tiktok_url, hooks) if tiktok_url else None
    if tiktok is not None:
        open_flows(tiktok, account, catalogue=shop)
    storefront = _storefront(storefront_url, hooks) if storefront_url else None
    if storefront is not None:
        set_credential(account, "webhook_key", stage.AUTOMATION_KEY)  # its automation calls us
        open_flows(storefront, account)
        for source, destination in ((account, shop), (account, storefront), (shop, storefront), (storefront, shop)):
            open_flows(source, destination)
    _watch_segments()
    return Cast(shop, account, flows, site, tiktok, storefront)


def _watch_segments() -> None:
    """Segments that somebody of marketing would watch, each with the rule that its filter at Ometria has."""
    for name, source, days, more in WATCHED:
        call_command("segments", "--watch", name, "--source", source, "--days", str(days), *more, verbosity=0, stdout=_Silence())


def _shop(url: str, hooks: dict[str, str]) -> Connection:
    shop = _connection(
        "shopify",
        stage.SHOP_DOMAIN,
        name="Demo shop",
        base_url=url,
        api_version=SHOPIFY_VERSION,
        settings={
            "credential_mode": "client_credentials",
            "enrichment_seconds": 5,
            "client_id": stage.SHOP_CLIENT_ID,
            "abandon_minutes": ABANDON_MINUTES,
            **hooks,
        },
    )
    set_credential(shop, "client_secret", stage.SHOP_SECRET)
    return shop


def _account(url: str, hooks: dict[str, str]) -> Connection:
    account = _connection(
        "ometria",
        stage.ACCOUNT_NAME,
        name="Demo account",
        base_url=url,
        settings={
            "push_rate": stage.RATE,
            "read_rate": stage.RATE,
            "confirm_grace_seconds": 5,
            "reporting_currency": stage.CURRENCY,
            "segment_minutes": 1,
            **hooks,
        },
    )
    set_credential(account, "api_key", stage.ACCOUNT_KEY)
    return account


def _tiktok(url: str, hooks: dict[str, str]) -> Connection:
    """The British shop before its seller agreed: the app's key and secret, no token yet."""
    rates = {"read_rate": stage.TIKTOK_RATE, "write_rate": stage.TIKTOK_RATE}
    tiktok = _connection(
        "tiktok_shop", stage.BRITISH.id, name=stage.BRITISH.name, base_url=url,
        settings={"app_key": DEMO_APP_KEY, "service_id": DEMO_SERVICE_ID, "region": "GB", **rates, **hooks},
        state=Connection.State.NEEDS_AUTH, state_reason="The seller has not authorised the app yet.",
    )  # fmt: skip
    set_credential(tiktok, "app_secret", DEMO_APP_SECRET)
    return tiktok


def _storefront(url: str, hooks: dict[str, str]) -> Connection:
    """The project as somebody without a cloud connects it: its messages are read in a list."""
    storefront = _connection(
        "commercetools", DEMO_PROJECT, name="Demo storefront", base_url=f"{url}/api",
        settings={
            "client_id": DEMO_CLIENT_ID, "auth_url": f"{url}/auth", "markets": MARKETS, "checkout_minutes": 1, **CONSENT_FIELDS, **hooks,
        },
    )  # fmt: skip
    set_credential(storefront, "client_secret", DEMO_CLIENT_SECRET)
    return storefront


def known_cast() -> Cast:
    """The cast that was seeded before; raises Connection.DoesNotExist."""
    shop = Connection.objects.get(platform="shopify", external_id=stage.SHOP_DOMAIN)
    account = Connection.objects.get(platform="ometria", external_id=stage.ACCOUNT_NAME)
    flows = {flow.record_type: flow for flow in Flow.objects.filter(source=shop, destination=account)}
    site = Connection.objects.get(platform="site", external_id=stage.SITE_KEY)
    tiktok = Connection.objects.filter(platform="tiktok_shop", external_id=stage.BRITISH.id).first()
    storefront = Connection.objects.filter(platform="commercetools", external_id=DEMO_PROJECT).first()
    return Cast(shop, account, flows, site, tiktok, storefront)


def open_flows(source: Connection, account: Connection, *, catalogue: Connection | None = None) -> list[Flow]:
    """Every flow from one to the other with its default mapping; `catalogue` is where the order flow looks SKUs up."""
    flows = []
    for spec in specs_between(source.platform, account.platform):
        flow, _ = Flow.objects.get_or_create(
            source=source, destination=account, record_type=spec.record_type, defaults={"settings": _chosen(spec, catalogue)}
        )
        flows.append(flow)
    load_all_defaults(flows)
    return flows


def _chosen(spec: FlowSpec, catalogue: Connection | None) -> dict[str, object]:
    if spec.record_type != RecordType.ORDER or spec.source == "commercetools":
        return {}
    return {"sku_gate": "catalogue", **({"catalogue_connection": catalogue.pk} if catalogue else {})}


def _connection(platform: str, external_id: str, *, settings: dict[str, object], **fields: object) -> Connection:
    row, created = Connection.objects.get_or_create(platform=platform, external_id=external_id, defaults={**fields, "settings": settings})
    if not created:
        row.base_url, row.settings = fields["base_url"], {**row.settings, **settings}
        row.save()
    return row


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
