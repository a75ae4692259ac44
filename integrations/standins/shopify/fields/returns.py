"""Refunds, fulfilments and movements of money; each comes as a pair of its order and itself."""

from typing import Any

from integrations.standins.shopify.fields.orders import part, part_bag
from integrations.standins.shopify.ids import gid
from integrations.standins.shopify.orders import Fulfillment, Order, Refund, Transaction
from integrations.standins.shopify.paging import page_of
from integrations.standins.shopify.products import LOCATION_ID
from integrations.standins.shopify.resolvers import FIELDS, Call, constant


def _id(kind: str) -> Any:
    return lambda pair, arguments, call: gid(kind, pair[1].id)


def _shipping(pair: tuple[Order, Refund], arguments: Any, call: Call) -> Any:
    order, made = pair
    row = {
        "id": gid("RefundShippingLine", made.shipping_line_id),
        "subtotalAmountSet": order.bag(made.shipping),
        "taxAmountSet": order.bag(made.shipping_tax),
    }
    return page_of([row] if made.shipping else [], arguments, call)


def _adjustments(pair: tuple[Order, Refund], arguments: Any, call: Call) -> Any:
    order, made = pair
    row = {
        "id": gid("OrderAdjustment", made.adjustment_id),
        "reason": "REFUND_DISCREPANCY",
        "amountSet": order.bag(made.discrepancy),
        "taxAmountSet": order.bag(order.zero),
    }
    return page_of([row] if made.discrepancy else [], arguments, call)


def _pairs(pair: tuple[Order, Any], rows: list[Any], arguments: Any, call: Call) -> Any:
    return page_of([(pair[0], row) for row in rows], arguments, call)


FIELDS["Refund"] = {
    "id": _id("Refund"),
    "legacyResourceId": part("id"),
    "createdAt": part("created_at"),
    "updatedAt": part("created_at"),
    "processedAt": part("created_at"),
    "note": part("note"),
    "order": lambda pair, arguments, call: pair[0],
    "totalRefundedSet": part_bag(lambda made: made.paid_back),
    "refundLineItems": lambda pair, arguments, call: _pairs(pair, pair[1].lines, arguments, call),
    "refundShippingLines": _shipping,
    "orderAdjustments": _adjustments,
    "transactions": lambda pair, arguments, call: _pairs(pair, pair[1].transactions, arguments, call),
    "return": constant(None),
}

FIELDS["RefundLineItem"] = {
    "id": _id("RefundLineItem"),
    "quantity": part("quantity"),
    "restockType": part("restock_type"),
    "restocked": lambda pair, arguments, call: pair[1].restock_type in ("RETURN", "CANCEL"),
    "subtotalSet": part_bag(lambda line: line.subtotal),
    "totalTaxSet": part_bag(lambda line: line.tax),
    "lineItem": lambda pair, arguments, call: (pair[0], pair[0].line(pair[1].line_id)),
}


def _parent(pair: tuple[Order, Transaction], arguments: Any, call: Call) -> Any:
    order, transaction = pair
    return next(((order, one) for one in order.transactions if one.id == transaction.parent_id), None)


FIELDS["OrderTransaction"] = {
    "id": _id("OrderTransaction"),
    "kind": part("kind"),
    "status": part("status"),
    "gateway": part("gateway"),
    "createdAt": part("processed_at"),
    "processedAt": part("processed_at"),
    "test": lambda pair, arguments, call: pair[0].test,
    "amountSet": part_bag(lambda transaction: transaction.amount),
    "parentTransaction": _parent,
    "order": lambda pair, arguments, call: pair[0],
}


def _tracking(pair: tuple[Order, Fulfillment], arguments: Any, call: Call) -> list[dict[str, Any]]:
    parcel = pair[1]
    return [{"company": parcel.company, "number": parcel.tracking, "url": parcel.url}] if parcel.tracking else []


def _shipped(pair: tuple[Order, Fulfillment], arguments: Any, call: Call) -> Any:
    order, parcel = pair
    rows = [
        {"id": gid("FulfillmentLineItem", number), "quantity": quantity, "lineItem": (order, order.line(line_id))}
        for number, line_id, quantity in parcel.lines
    ]
    return page_of(rows, arguments, call)


FIELDS["Fulfillment"] = {
    "id": _id("Fulfillment"),
    "legacyResourceId": part("id"),
    "name": part("name"),
    "status": part("status"),
    "displayStatus": part("display_status"),
    "createdAt": part("created_at"),
    "updatedAt": part("updated_at"),
    "deliveredAt": part("delivered_at"),
    "inTransitAt": constant(None),
    "estimatedDeliveryAt": constant(None),
    "totalQuantity": lambda pair, arguments, call: sum(quantity for _, _, quantity in pair[1].lines),
    "requiresShipping": constant(True),
    "order": lambda pair, arguments, call: pair[0],
    "location": lambda pair, arguments, call: {"id": gid("Location", LOCATION_ID), "name": "Main"},
    "trackingInfo": _tracking,
    "fulfillmentLineItems": _shipped,
}
