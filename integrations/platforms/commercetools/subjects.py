"""What events are about, by type id, and how each kind of resource is read whole."""

from __future__ import annotations

from collections.abc import Mapping

from integrations.platforms.commercetools.catalogue import products_of_prices, whole_products
from integrations.platforms.commercetools.resources import CARTS, CUSTOMERS, ORDERS
from integrations.platforms.commercetools.topics import CART, CUSTOMER, ORDER, PAYMENT, PRICE, PRODUCT
from integrations.platforms.commercetools.whole import Whole, orders_of_payments, whole

WHOLE: Mapping[str, Whole] = {
    CUSTOMER: whole(CUSTOMERS),
    ORDER: whole(ORDERS),
    CART: whole(CARTS),
    PAYMENT: orders_of_payments,
    PRODUCT: whole_products,
    PRICE: products_of_prices,
}
