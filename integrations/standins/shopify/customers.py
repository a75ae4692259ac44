"""What happens to customers: born, changed, asked for consent, tagged, merged, deleted. Each act tells the subscribers."""

from collections.abc import Iterable, Mapping
from dataclasses import fields
from datetime import datetime
from decimal import Decimal
from typing import Any

from integrations.standins.shopify.ids import gid
from integrations.standins.shopify.money import rounded
from integrations.standins.shopify.people import Address, Consent, Customer, Metafield
from integrations.standins.shopify.shops import Shop

PLAIN_FIELDS = frozenset({"first_name", "last_name", "state", "locale", "note", "verified_email", "tax_exempt", "data_sale_opt_out"})
STATE_TOPICS = {"ENABLED": "customers/enable", "DISABLED": "customers/disable"}
ADDRESS_FIELDS = frozenset(field.name for field in fields(Address)) - {"id"}


class Rejected(ValueError):
    """The shop does not take this; the message is what it answers."""


def create_customer(
    shop: Shop,
    *,
    email: str | None = None,
    phone: str | None = None,
    address: Mapping[str, Any] | None = None,
    accepts_email: bool = False,
    accepts_sms: bool = False,
    tags: Iterable[str] = (),
    metafields: Iterable[Mapping[str, str]] = (),
    **plain: Any,
) -> Customer:
    """A new customer; raises Rejected when e-mail or phone belong to another."""
    with shop.lock:
        _check_plain(plain)
        now = shop.now()
        nothing = rounded(0, shop.spec.currency)
        customer = Customer(shop.new_id("Customer"), now, now, email=email, phone=phone, tags=sorted(set(tags)), spent=nothing, **plain)
        _claim(shop, customer, email, phone)
        if address is not None:
            customer.addresses.append(make_address(shop, address, customer))
        if accepts_email and email:
            customer.email_consent = Consent("SUBSCRIBED", "SINGLE_OPT_IN", now)
        if accepts_sms and phone:
            customer.sms_consent = Consent("SUBSCRIBED", "SINGLE_OPT_IN", now, "SHOPIFY")
        shop.customers.put(customer.id, customer)
        for wish in metafields:
            put_metafield(shop, customer.metafields, **wish)
        shop.touch(customer)
        shop.emit("customers/create", customer.id)
        if accepts_email and email:
            shop.emit("customers_email_marketing_consent/update", customer.id)
        if accepts_sms and phone:
            shop.emit("customers_marketing_consent/update", customer.id)
        return customer


def update_customer(shop: Shop, customer_id: int, **changes: Any) -> Customer:
    """Change plain fields, ``email``, ``phone``, ``address`` (the default one) or ``metafields``; raises Missing, Rejected."""
    with shop.lock:
        customer = shop.customers.own(customer_id)
        email, phone = changes.pop("email", customer.email), changes.pop("phone", customer.phone)
        address, metafields = changes.pop("address", None), changes.pop("metafields", ())
        _check_plain(changes)
        _claim(shop, customer, email, phone)
        customer.email, customer.phone = email, phone
        state = customer.state
        for name, value in changes.items():
            setattr(customer, name, value)
        if address is not None:
            customer.addresses[:1] = [make_address(shop, address, customer)]
        for wish in metafields:
            put_metafield(shop, customer.metafields, **wish)
        shop.touch(customer)
        if customer.state != state and customer.state in STATE_TOPICS:
            shop.emit(STATE_TOPICS[customer.state], customer.id)
        shop.emit("customers/update", customer.id)
        return customer


def set_email_consent(
    shop: Shop, customer_id: int, state: str, *, level: str | None = "SINGLE_OPT_IN", at: datetime | None = None
) -> Customer:
    """The customer's e-mail permission; the stored time moves only when the state changes. Raises Rejected without an e-mail."""
    with shop.lock:
        customer = shop.customers.own(customer_id)
        if customer.email is None:
            raise Rejected("An email address is required to set the email marketing consent state.")
        if customer.email_consent.state != state:
            customer.email_consent = Consent(state, level, (at or shop.now()).replace(microsecond=0))
            shop.touch(customer)
            shop.emit("customers_email_marketing_consent/update", customer.id)
            shop.emit("customers/update", customer.id)
        return customer


def set_sms_consent(
    shop: Shop,
    customer_id: int,
    state: str,
    *,
    level: str | None = "SINGLE_OPT_IN",
    at: datetime | None = None,
    collected_from: str = "SHOPIFY",
) -> Customer:
    """The customer's text message permission; raises Rejected without a phone number."""
    with shop.lock:
        customer = shop.customers.own(customer_id)
        if customer.phone is None:
            raise Rejected("A phone number is required to set the SMS consent state.")
        if customer.sms_consent.state != state:
            customer.sms_consent = Consent(state, level, (at or shop.now()).replace(microsecond=0), collected_from)
            shop.touch(customer)
            shop.emit("customers_marketing_consent/update", customer.id)
            shop.emit("customers/update", customer.id)
        return customer


def add_tags(shop: Shop, customer_id: int, tags: Iterable[str]) -> Customer:
    """Add tags; only those that are new make an event."""
    return _retag(shop, customer_id, tags, adding=True)


def remove_tags(shop: Shop, customer_id: int, tags: Iterable[str]) -> Customer:
    """Remove tags; only those that were there make an event."""
    return _retag(shop, customer_id, tags, adding=False)


def merge_customers(shop: Shop, kept_id: int, gone_id: int) -> Customer:
    """Fold one customer into another: its orders move, its blanks are filled, it disappears. Raises Missing."""
    with shop.lock:
        kept, gone = shop.customers.own(kept_id), shop.customers.own(gone_id)
        for order_id in shop.customer_orders.pop(gone_id, []):
            order = shop.orders.own(order_id)
            order.customer_id = kept_id
            shop.customer_orders.setdefault(kept_id, []).append(order_id)
            shop.touch(order)
            shop.emit("orders/updated", order_id)
        kept.orders_count += gone.orders_count
        kept.spent += gone.spent
        kept.last_order_id = max(filter(None, (kept.last_order_id, gone.last_order_id)), default=None)
        kept.tags = sorted({*kept.tags, *gone.tags})
        kept.addresses.extend(gone.addresses)
        for name in ("first_name", "last_name", "email", "phone"):
            setattr(kept, name, getattr(kept, name) or getattr(gone, name))
        shop.customers.remove(gone_id)
        _forget_handles(shop, gone_id)
        _claim(shop, kept, kept.email, kept.phone)
        shop.touch(kept)
        shop.emit("customers/merge", kept_id, {
            "admin_graphql_api_customer_kept_id": gid("Customer", kept_id),
            "admin_graphql_api_customer_deleted_id": gid("Customer", gone_id),
            "admin_graphql_api_job_id": gid("Job", shop.new_id("Job")),
            "status": "completed",
            "errors": [],
        })  # fmt: skip
        shop.emit("customers/update", kept_id)
        return kept


def delete_customer(shop: Shop, customer_id: int) -> None:
    """Delete a customer without orders; raises Rejected when there are some, Missing when there is no such customer."""
    with shop.lock:
        if shop.customers.own(customer_id).orders_count:
            raise Rejected("Customer can't be deleted because they have associated orders.")
        shop.customers.remove(customer_id)
        _forget_handles(shop, customer_id)
        body = {"id": customer_id, "tax_exemptions": [], "admin_graphql_api_id": gid("Customer", customer_id)}
        shop.emit("customers/delete", customer_id, body)


def note_spending(shop: Shop, customer_id: int | None, amount: Decimal) -> None:
    """Money that a customer paid, or got back when negative."""
    if customer_id is None or shop.customers.get(customer_id) is None:
        return
    customer = shop.customers.own(customer_id)
    customer.spent += amount
    shop.touch(customer)
    shop.emit("customers/purchasing_summary", customer_id)
    shop.emit("customers/update", customer_id)


def put_metafield(shop: Shop, owned: list[Metafield], *, namespace: str, key: str, type: str, value: str) -> Metafield:  # noqa: A002 - the API's word
    """Create or overwrite an extra field among an owner's."""
    for metafield in owned:
        if (metafield.namespace, metafield.key) == (namespace, key):
            metafield.type, metafield.value, metafield.updated_at = type, value, shop.now()
            return metafield
    metafield = Metafield(shop.new_id("Metafield"), namespace, key, type, value, shop.now())
    owned.append(metafield)
    return metafield


def make_address(shop: Shop, wish: Mapping[str, Any], customer: Customer | None = None) -> Address:
    """An address from its fields; names come from the customer when not given. Raises Rejected for an unknown field."""
    unknown = wish.keys() - ADDRESS_FIELDS
    if unknown:
        raise Rejected(f"An address has no {sorted(unknown)}.")
    names = {"first_name": customer.first_name, "last_name": customer.last_name} if customer is not None else {}
    return Address(**{"id": shop.new_id("MailingAddress"), **names, **wish})


def _check_plain(plain: Mapping[str, Any]) -> None:
    unknown = plain.keys() - PLAIN_FIELDS
    if unknown:
        raise Rejected(f"A customer has no {sorted(unknown)}.")


def _claim(shop: Shop, customer: Customer, email: str | None, phone: str | None) -> None:
    """Make e-mail and phone this customer's; raises Rejected when another has them."""
    wanted = [value for value in (email and email.lower(), phone) if value]
    for label, value in (("Email", email and email.lower()), ("Phone", phone)):
        if value and shop.handles.get(value, customer.id) != customer.id:
            raise Rejected(f"{label} has already been taken")
    _forget_handles(shop, customer.id, customer)
    shop.handles.update(dict.fromkeys(wanted, customer.id))


def _forget_handles(shop: Shop, customer_id: int, customer: Customer | None = None) -> None:
    if customer is None:
        for value in [value for value, owner in shop.handles.items() if owner == customer_id]:
            del shop.handles[value]
        return
    for value in (customer.email and customer.email.lower(), customer.phone):
        if value and shop.handles.get(value) == customer_id:
            del shop.handles[value]


def _retag(shop: Shop, customer_id: int, tags: Iterable[str], *, adding: bool) -> Customer:
    with shop.lock:
        customer = shop.customers.own(customer_id)
        before = set(customer.tags)
        after = before | set(tags) if adding else before - set(tags)
        if after == before:
            return customer
        customer.tags = sorted(after)
        shop.touch(customer)
        topic = "customer.tags_added" if adding else "customer.tags_removed"
        changed = sorted(after ^ before)
        body = {"customerId": gid("Customer", customer_id), "tags": changed, "occurredAt": shop.now().isoformat()[:19] + "Z"}
        shop.emit(topic, customer_id, body)
        shop.emit("customers/update", customer_id)
        return customer
