"""How the outside world is set up: projects and the API clients that may call them. All keys are demo keys."""

from dataclasses import dataclass, field

DEMO_PROJECT = "acme-demo"
DEMO_CLIENT_ID = "demo-client"
DEMO_CLIENT_SECRET = "demo-commercetools-secret"
FRONTEND = "shop-frontend"
# what an API client may be given, without the project key (note on scopes, 1.3)
SCOPES = (
    "manage_project", "view_project_settings", "manage_project_settings", "view_customers", "manage_customers", "view_customer_groups",
    "manage_customer_groups", "view_orders", "manage_orders", "view_payments", "manage_payments", "view_products",
    "view_published_products", "manage_products", "view_categories", "manage_categories", "view_standalone_prices",
    "manage_standalone_prices", "view_product_selections", "manage_product_selections", "view_stores", "manage_stores", "view_states",
    "manage_states", "view_types", "manage_types", "view_discount_codes", "manage_discount_codes", "view_messages",
    "manage_subscriptions", "view_key_value_documents", "manage_key_value_documents",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ClientSpec:
    """One API client; scopes without the project key, or with a store key behind ("view_orders:uk")."""

    client_id: str = DEMO_CLIENT_ID
    client_secret: str = DEMO_CLIENT_SECRET
    scopes: tuple[str, ...] = ("manage_project",)
    # None = what the settings say
    token_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class ProjectSpec:
    """One project; the first currency, country and language are what people mean when they say nothing."""

    key: str = DEMO_PROJECT
    name: str = "Acme Demo"
    countries: tuple[str, ...] = ("GB", "DE")
    currencies: tuple[str, ...] = ("GBP", "EUR")
    languages: tuple[str, ...] = ("en-GB", "de", "fr", "es")
    clients: tuple[ClientSpec, ...] = field(default_factory=lambda: (ClientSpec(),))
