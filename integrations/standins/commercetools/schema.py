"""Which fields queries may name, by type of resource; a field that is not here is a 400 in ``where`` and ``sort``."""

from collections.abc import Mapping
from typing import Any

TEXT, NUMBER, BOOL, TIME = "text", "number", "bool", "time"
# anything below may be named: localised texts, custom fields
LOCALISED, FREE = "localised", "free"
Fields = Mapping[str, Any]


def _of(kind: str, *names: str) -> dict[str, Any]:
    return dict.fromkeys(names, kind)


REFERENCE = _of(TEXT, "typeId", "id", "key")
AUTHOR = {**_of(TEXT, "clientId", "externalUserId", "anonymousId"), "isPlatformClient": BOOL, "customer": REFERENCE}
RESOURCE = {
    "id": TEXT, "version": NUMBER, "createdAt": TIME, "lastModifiedAt": TIME, "createdBy": AUTHOR, "lastModifiedBy": AUTHOR,
}  # fmt: skip
CUSTOM = {"custom": {"type": REFERENCE, "fields": FREE}}
MONEY = {**_of(TEXT, "type", "currencyCode"), **_of(NUMBER, "centAmount", "fractionDigits", "preciseAmount")}
TAXED = {"totalNet": MONEY, "totalGross": MONEY, "totalTax": MONEY, "taxPortions": {"rate": NUMBER, "amount": MONEY, "name": TEXT}}
ADDRESS = {
    **_of(
        TEXT, "id", "key", "country", "title", "salutation", "firstName", "lastName", "streetName", "streetNumber",
        "additionalStreetInfo", "postalCode", "city", "region", "state", "company", "department", "building", "apartment", "pOBox",
        "phone", "mobile", "email", "fax", "additionalAddressInfo", "externalId",
    ),
    **CUSTOM,
}  # fmt: skip
DISCOUNTED = {"value": MONEY, "discount": REFERENCE, "includedDiscounts": {"discount": REFERENCE, "discountedAmount": MONEY}}
PRICE = {
    **_of(TEXT, "id", "key", "country"), **_of(TIME, "validFrom", "validUntil"), "value": MONEY, "customerGroup": REFERENCE,
    "channel": REFERENCE, "discounted": DISCOUNTED, **CUSTOM,
}  # fmt: skip
VARIANT = {
    "id": NUMBER, **_of(TEXT, "sku", "key"), "prices": PRICE, "price": PRICE, "attributes": {"name": TEXT, "value": FREE},
    "images": {"url": TEXT, "label": TEXT},
    "availability": {"isOnStock": BOOL, "availableQuantity": NUMBER, "channels": FREE},
}  # fmt: skip
ITEM_STATE = {"quantity": NUMBER, "state": REFERENCE}
LINE = {
    **_of(TEXT, "id", "key", "productId", "productKey", "priceMode", "lineItemMode", "inventoryMode"), "name": LOCALISED,
    "productSlug": LOCALISED, "productType": REFERENCE, "variant": VARIANT, "price": PRICE, "quantity": NUMBER, "totalPrice": MONEY,
    "taxedPrice": TAXED, "taxRate": {"amount": NUMBER, "country": TEXT, "includedInPrice": BOOL, "name": TEXT}, "state": ITEM_STATE,
    "supplyChannel": REFERENCE, "distributionChannel": REFERENCE, "addedAt": TIME, "lastModifiedAt": TIME, **CUSTOM,
}  # fmt: skip
CUSTOM_LINE = {
    **_of(TEXT, "id", "key", "slug", "priceMode"), "name": LOCALISED, "money": MONEY, "quantity": NUMBER, "totalPrice": MONEY,
    "taxedPrice": TAXED, "state": ITEM_STATE, **CUSTOM,
}  # fmt: skip
PARCEL = {"id": TEXT, "key": TEXT, "createdAt": TIME, "trackingData": {**_of(TEXT, "trackingId", "carrier", "provider"), "isReturn": BOOL}}
SHIPPING = {
    **_of(TEXT, "shippingMethodName", "shippingMethodState"), "price": MONEY, "shippingMethod": REFERENCE, "taxedPrice": TAXED,
    "deliveries": {"id": TEXT, "key": TEXT, "createdAt": TIME, "items": {"id": TEXT, "quantity": NUMBER}, "parcels": PARCEL},
}  # fmt: skip
RETURN_ITEM = {
    **_of(TEXT, "id", "key", "type", "lineItemId", "customLineItemId", "comment", "shipmentState", "paymentState"),
    "quantity": NUMBER, "lastModifiedAt": TIME, "createdAt": TIME,
}  # fmt: skip
BASKET = {
    **RESOURCE, **CUSTOM,
    **_of(
        TEXT, "key", "customerId", "customerEmail", "anonymousId", "country", "locale", "origin", "inventoryMode", "taxMode",
        "shippingMode",
    ),
    "customerGroup": REFERENCE, "store": REFERENCE, "lineItems": LINE, "customLineItems": CUSTOM_LINE, "totalPrice": MONEY,
    "taxedPrice": TAXED, "taxedShippingPrice": TAXED, "discountOnTotalPrice": {"discountedAmount": MONEY},
    "billingAddress": ADDRESS, "shippingAddress": ADDRESS, "itemShippingAddresses": ADDRESS, "shippingInfo": SHIPPING,
    "discountCodes": {"discountCode": REFERENCE, "state": TEXT}, "paymentInfo": {"payments": REFERENCE},
}  # fmt: skip
ORDER = {
    **BASKET,
    **_of(TEXT, "orderNumber", "purchaseOrderNumber", "orderState", "shipmentState", "paymentState"),
    "completedAt": TIME, "cart": REFERENCE, "state": REFERENCE,
    "returnInfo": {"items": RETURN_ITEM, "returnTrackingId": TEXT, "returnDate": TIME},
    "syncInfo": {"channel": REFERENCE, "externalId": TEXT, "syncedAt": TIME},
}  # fmt: skip
CUSTOMER = {
    **RESOURCE, **CUSTOM,
    **_of(
        TEXT, "key", "customerNumber", "externalId", "email", "lowercaseEmail", "firstName", "lastName", "middleName", "title",
        "salutation", "dateOfBirth", "companyName", "vatId", "defaultShippingAddressId", "shippingAddressIds",
        "defaultBillingAddressId", "billingAddressIds", "locale", "authenticationMode",
    ),
    "isEmailVerified": BOOL, "addresses": ADDRESS, "customerGroup": REFERENCE,
    "customerGroupAssignments": {"customerGroup": REFERENCE}, "stores": REFERENCE,
}  # fmt: skip
PAYMENT = {
    **RESOURCE, **CUSTOM, **_of(TEXT, "key", "interfaceId", "anonymousId"), "customer": REFERENCE, "amountPlanned": MONEY,
    "paymentMethodInfo": {**_of(TEXT, "paymentInterface", "method"), "name": LOCALISED},
    "paymentStatus": {**_of(TEXT, "interfaceCode", "interfaceText"), "state": REFERENCE},
    "transactions": {**_of(TEXT, "id", "type", "state", "interactionId"), "timestamp": TIME, "amount": MONEY},
}  # fmt: skip
PROJECTION = {
    **RESOURCE, "key": TEXT, "productType": REFERENCE, **_of(LOCALISED, "name", "description", "slug", "metaTitle", "metaDescription"),
    "categories": REFERENCE, "masterVariant": VARIANT, "variants": VARIANT, "attributes": {"name": TEXT, "value": FREE},
    "taxCategory": REFERENCE, "state": REFERENCE, "published": BOOL, "hasStagedChanges": BOOL, "priceMode": TEXT,
}  # fmt: skip
PRODUCT = {
    **RESOURCE, **_of(TEXT, "key", "priceMode"), "productType": REFERENCE, "taxCategory": REFERENCE, "state": REFERENCE,
    "masterData": {"current": PROJECTION, "staged": PROJECTION, "published": BOOL, "hasStagedChanges": BOOL},
}  # fmt: skip
MESSAGE = {
    **RESOURCE, "sequenceNumber": NUMBER, "resource": REFERENCE, "resourceVersion": NUMBER, "type": TEXT,
    "resourceUserProvidedIdentifiers": FREE,
}  # fmt: skip
NAMED = {**RESOURCE, **CUSTOM, "key": TEXT, "name": LOCALISED, "description": LOCALISED}
SCHEMAS: dict[str, Fields] = {
    "customer": CUSTOMER,
    "order": ORDER,
    "cart": {**BASKET, "cartState": TEXT, "deleteDaysAfterLastModification": NUMBER},
    "payment": PAYMENT,
    "product": PRODUCT,
    "product-projection": PROJECTION,
    "message": MESSAGE,
    "category": {**NAMED, "slug": LOCALISED, "parent": REFERENCE, "ancestors": REFERENCE, "externalId": TEXT, "orderHint": TEXT},
    "channel": {**NAMED, "roles": TEXT},
    "store": {
        **NAMED, "languages": TEXT, "countries": {"code": TEXT}, "distributionChannels": REFERENCE, "supplyChannels": REFERENCE,
        "productSelections": {"productSelection": REFERENCE, "active": BOOL},
    },
    "type": {**NAMED, "resourceTypeIds": TEXT, "fieldDefinitions": {"name": TEXT, "required": BOOL}},
    "state": {**NAMED, "type": TEXT, "initial": BOOL, "builtIn": BOOL, "transitions": REFERENCE},
    "product-type": {**RESOURCE, "key": TEXT, "name": TEXT, "description": TEXT, "attributes": {"name": TEXT}},
    "customer-group": {**RESOURCE, **CUSTOM, "key": TEXT, "name": TEXT},
    "discount-code": {**NAMED, "code": TEXT, "isActive": BOOL},
    "inventory-entry": {
        **RESOURCE, **CUSTOM, "key": TEXT, "sku": TEXT, "supplyChannel": REFERENCE,
        **_of(NUMBER, "quantityOnStock", "availableQuantity", "restockableInDays"), "expectedDelivery": TIME,
    },
    "standalone-price": {**RESOURCE, **PRICE, "sku": TEXT, "active": BOOL},
    "subscription": {**RESOURCE, "key": TEXT, "status": TEXT},
}  # fmt: skip
