"""A stand-in for commercetools: token service, one or more projects with people, carts, orders, payments, catalogue and messages.

Start it beside others with ``StandInServer([CommercetoolsStandIn()])``; ``server.url("commercetools")`` is R. Then

- the API address of a connection is ``R/api``, its auth address ``R/auth`` (``POST R/auth/oauth/token``, Basic, client credentials),
- the project is ``acme-demo`` (GBP/GB, EUR/DE; en-GB, de, fr, es), client ``demo-client`` / ``demo-commercetools-secret`` (specs.py),
- the consent fields of customers are emailOptIn, emailOptInAt, smsOptIn, smsOptInAt of the type ``marketing-consent`` (furnish.py),
- other projects and clients with fewer scopes: ``CommercetoolsStandIn([ProjectSpec(clients=(ClientSpec(scopes=("view_orders",)),))])``,
- everything it may do differently is in settings.py (``CommercetoolsStandIn(query_lag=2.0)`` or ``POST R/_control/settings``).

Control calls (``R/_control/…``): those of every stand-in (ledger, counts, faults) and ``act, acts, clock, settings, reset, fill, rewrite,
live, state, documents, expire_tokens, failures`` (control.py).
``POST R/_control/act {"do": "guest_order", "args": {"email": "a@example.com", "lines": ["TEE"]}}`` answers the resource as the API shows
it; in one process ``stand_in.act("guest_order", email=…, lines=[…])`` answers a ``Stored`` (``.id``, ``.version``, ``.doc()``).
``in_past_at`` (seconds or ISO 8601) lets an act have happened then, told to nobody.

Acts (``GET R/_control/acts`` says what each does): register, login, change_consent(customer, email=, sms=, at=, dated=), change_email,
change_customer, add_address, verify_email, set_group, delete_customer(erase=), update, touch · add_to_cart, start_checkout, place_order,
guest_order, order, order_with, delete_cart, discount_code · pay, ship, deliver, complete, return_items, receive_return, refund, cancel,
change_order, delete_order · create_product, edit_product, change_price, discount_price, publish, unpublish, delete_product,
standalone_price, set_stock, create_category, edit_category, stock. Customers are named by id or e-mail, orders by id or number,
products by id, key or SKU.

Push: ``POST R/_control/push {"transport": "pubsub" | "sns" | "eventgrid" | "eventbridge", "topic", "endpoint", "audience", "email",
"secret", "flaw"}`` is what an operator sets up at the cloud (wires.py: Wire, FLAWS); then a subscription over the API whose destination
has that topic: ``projects/{projectId}/topics/{topic}``, the topic ARN, ``aws.partner/commercetools.com/{project}/{subscription key}``,
the Event Grid uri. Google's keys are at ``R/cloud/google/v3/certs`` (JWK) and ``/v1/certs`` (PEM), SNS's certificate where each message
says. ``GET R/_control/push`` tells what was sent; ``PATCH`` changes wires (``{"flaw": "expired"}``); ``flush, rotate_keys, topic,
subscription`` (status by key) and the settings duplicate, reorder, lost, paused, forged, payload_bytes do the rest.

The ledger has what API clients wrote: ``customer.create``, ``customer.setCustomField``, ``order.import``, ``order.addDelivery``,
``customer.delete`` …: one effect an action, key = id of the resource, payload = the action with ``version``, ``changed``, ``clientId``.
"""

from integrations.standins.commercetools.specs import ClientSpec, ProjectSpec
from integrations.standins.commercetools.standin import CommercetoolsStandIn

__all__ = ["ClientSpec", "CommercetoolsStandIn", "ProjectSpec"]
