"""Customers: one address a store, wrapped creation, consent fields, leaving."""

from tests.standins.commercetools.conftest import Caller


def _made(caller: Caller, email: str = "ada@example.com", **fields: object) -> dict:
    return caller.post("/customers", {"email": email, "password": "demo", **fields})["customer"]


def test_creation_is_wrapped_and_a_read_is_not(caller: Caller) -> None:
    made = caller.post("/customers", {"email": "Ada@Example.com", "password": "demo", "firstName": "Ada"})

    assert set(made) == {"customer"}
    assert caller.get(f"/customers/{made['customer']['id']}") == made["customer"]
    assert made["customer"]["password"].startswith("****")


def test_an_address_is_one_customer_whatever_its_case_but_each_store_has_its_own(caller: Caller) -> None:
    _made(caller)
    _made(caller, stores=[{"typeId": "store", "key": "uk"}])

    assert caller.refusal("POST", "/customers", {"email": "ADA@example.com", "password": "x"}) == (400, "DuplicateField")
    assert caller.refusal(
        "POST", "/customers", {"email": "ADA@example.com", "password": "x", "stores": [{"key": "uk"}, {"key": "de"}]}
    ) == (400, "DuplicateField")
    assert len(caller.query("/customers", 'lowercaseEmail = "ada@example.com"')) == 2


def test_a_custom_type_replaces_every_field_and_a_custom_field_only_itself(caller: Caller) -> None:
    made = _made(caller, custom={"type": {"key": "marketing-consent"}, "fields": {"emailOptIn": True, "smsOptIn": True}})
    changed = caller.update("/customers", made, {"action": "setCustomField", "name": "smsOptIn", "value": False})
    wiped = caller.update("/customers", changed, {"action": "setCustomType", "type": {"key": "marketing-consent"}, "fields": {}})

    assert changed["custom"]["fields"] == {"emailOptIn": True, "smsOptIn": False}
    assert wiped["custom"]["fields"] == {}


def test_a_field_the_type_does_not_have_and_a_value_of_another_kind_are_refused(caller: Caller) -> None:
    made = _made(caller, custom={"type": {"key": "marketing-consent"}})
    bare = _made(caller, "bob@example.com")

    def refusal(customer: dict, name: str, value: object) -> tuple[int, str]:
        action = {"action": "setCustomField", "name": name, "value": value}
        return caller.refusal("POST", f"/customers/{customer['id']}", {"version": customer["version"], "actions": [action]})

    assert refusal(made, "pushOptIn", True) == (400, "InvalidField")
    assert refusal(made, "emailOptIn", "yes") == (400, "InvalidField")
    assert refusal(made, "emailOptInAt", "yesterday") == (400, "InvalidField")
    assert refusal(bare, "emailOptIn", True) == (400, "InvalidOperation")


def test_the_ledger_tells_what_was_written_and_by_whom(caller: Caller) -> None:
    made = _made(caller, custom={"type": {"key": "marketing-consent"}})
    caller.act("change_consent", customer="ada@example.com", sms=True)
    newest = caller.get(f"/customers/{made['id']}")
    changed = caller.update("/customers", newest, {"action": "setCustomField", "name": "emailOptIn", "value": False})

    (effect,) = caller.control("GET", "/ledger?kind=customer.setCustomField")
    assert effect["key"] == made["id"]
    assert effect["payload"] == {
        "action": "setCustomField", "name": "emailOptIn", "value": False, "version": changed["version"], "changed": True,
        "clientId": "demo-client",
    }  # fmt: skip


def test_a_stale_version_is_refused_and_says_which_one_is_current(caller: Caller) -> None:
    made = _made(caller)
    changed = caller.update("/customers", made, {"action": "setFirstName", "firstName": "Ada"})
    answer = caller.call("POST", f"/customers/{made['id']}", {"version": made["version"], "actions": []})

    assert answer.status_code == 409
    assert (answer.json()["errors"][0]["code"], answer.json()["errors"][0]["currentVersion"]) == (
        "ConcurrentModification",
        changed["version"],
    )


def test_versions_rise_by_one_to_three_and_stay_when_nothing_changes(caller: Caller) -> None:
    made, steps = _made(caller), set()
    for number in range(40):
        changed = caller.update("/customers", made, {"action": "setFirstName", "firstName": f"Ada {number}"})
        steps.add(changed["version"] - made["version"])
        made = changed
    again = caller.update("/customers", made, {"action": "setFirstName", "firstName": made["firstName"]})

    assert steps == {1, 2, 3}
    assert again == made


def test_actions_are_applied_together_or_not_at_all(caller: Caller) -> None:
    made = _made(caller)
    actions = [{"action": "setFirstName", "firstName": "Eve"}, {"action": "flyToTheMoon"}]

    assert caller.refusal("POST", f"/customers/{made['id']}", {"version": made["version"], "actions": actions}) == (400, "InvalidInput")
    assert caller.get(f"/customers/{made['id']}") == made


def test_deleting_wants_the_version_and_erasing_takes_the_messages_along(caller: Caller) -> None:
    made = _made(caller)

    assert caller.refusal("DELETE", f"/customers/{made['id']}") == (400, "RequiredField")
    assert caller.call("DELETE", f"/customers/{made['id']}", version=made["version"], dataErasure="true").json() == made
    assert caller.refusal("GET", f"/customers/{made['id']}") == (404, "ResourceNotFound")
    (message,) = caller.query("/messages", f'resource(id="{made["id"]}")')
    assert (message["type"], "email" in message) == ("CustomerDeleted", False)


def test_each_change_is_a_message_with_a_number_of_its_own(caller: Caller) -> None:
    made = _made(caller, custom={"type": {"key": "marketing-consent"}})
    made = caller.update("/customers", made, {"action": "changeEmail", "email": "ada.new@example.com"})
    made = caller.update("/customers", made, {"action": "setCustomField", "name": "emailOptIn", "value": True})
    caller.update("/customers", made, {"action": "setLocale", "locale": "de"})

    found = caller.query("/messages", f'resource(id="{made["id"]}")', sort="sequenceNumber asc")
    assert [(message["sequenceNumber"], message["type"]) for message in found] == [
        (1, "CustomerCreated"), (2, "CustomerEmailChanged"), (3, "CustomerCustomFieldAdded"),
    ]  # fmt: skip
    assert (found[1]["email"], found[1]["oldEmail"]) == ("ada.new@example.com", "ada@example.com")


def test_who_signs_up_brings_the_orders_of_the_guest_along(caller: Caller, tee: str) -> None:
    order = caller.act("guest_order", email="bob@example.com", lines=[tee], anonymous_id="visitor-1")
    customer = _made(caller, "bob@example.com", anonymousId="visitor-1")

    found = caller.get(f"/orders/{order['id']}")
    assert (found["customerId"], found["anonymousId"]) == (customer["id"], "visitor-1")
    assert caller.messages(order["id"]) == ["OrderCreated", "OrderCustomerSet"]


def test_signing_in_merges_the_guests_cart_into_the_customers(caller: Caller, tee: str) -> None:
    customer = _made(caller)
    own = caller.act("add_to_cart", customer=customer["id"], sku=tee)
    guest = caller.act("add_to_cart", anonymous_id="visitor-2", sku=tee, quantity=3)
    caller.act("add_to_cart", anonymous_id="visitor-2", sku="TEE-L")
    found = caller.post("/login", {"email": "ada@example.com", "password": "demo", "anonymousId": "visitor-2"})

    assert (found["customer"]["id"], found["cart"]["id"]) == (customer["id"], own["id"])
    assert [(line["variant"]["sku"], line["quantity"]) for line in found["cart"]["lineItems"]] == [("TEE", 3), ("TEE-L", 1)]
    assert caller.get(f"/carts/{guest['id']}")["cartState"] == "Merged"
    assert caller.refusal("POST", "/login", {"email": "ada@example.com", "password": "wrong"}) == (400, "InvalidCredentials")
