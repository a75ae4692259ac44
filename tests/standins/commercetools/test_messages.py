"""Messages by query: numbered, kept for a while, late and out of order if a test wants it."""

from tests.standins.commercetools.conftest import Caller

DAY = 86_400


def test_messages_can_come_late_and_out_of_order(caller: Caller) -> None:
    caller.control("POST", "/settings", {"message_lag": 600.0})
    made = {caller.act("register", email=f"p{number}@example.com")["id"] for number in range(12)}
    seen: list[str] = []
    for _ in range(12):
        caller.control("POST", "/clock", {"advance": 55})
        found = caller.query("/messages", 'type = "CustomerCreated"', sort=["createdAt asc", "id asc"], limit=500)
        fresh = [message for message in found if message["id"] not in seen]
        seen += [message["id"] for message in fresh]
    created = {message["id"]: message["createdAt"] for message in found}

    assert {message["resource"]["id"] for message in found} == made
    assert [created[key] for key in seen] != sorted(created.values())


def test_messages_are_dropped_when_the_project_no_longer_keeps_them(caller: Caller) -> None:
    caller.act("register", email="ada@example.com")
    caller.control("POST", "/clock", {"advance": 14 * DAY})
    caller.act("register", email="bob@example.com")
    caller.control("POST", "/clock", {"advance": 2 * DAY})
    caller.use()

    assert [message["customer"]["email"] for message in caller.query("/messages", 'type = "CustomerCreated"')] == ["bob@example.com"]


def test_the_project_decides_whether_and_how_long_messages_are_kept(caller: Caller) -> None:
    wanted = {"enabled": False, "deleteDaysAfterCreation": 5}
    version = caller.get("")["version"]
    changed = caller.post("", {"version": version, "actions": [{"action": "changeMessagesConfiguration", "messagesConfiguration": wanted}]})
    made = caller.act("register", email="ada@example.com")

    assert changed["messages"] == wanted
    assert caller.messages(made["id"]) == []


def test_numbers_rise_by_one_for_each_resource(caller: Caller, tee: str) -> None:
    one = caller.act("guest_order", email="a@example.com", lines=[tee])
    other = caller.act("guest_order", email="b@example.com", lines=[tee])
    for order in (one, other, one):
        caller.act("pay", order=order["id"])

    def numbers(key: str) -> list[int]:
        found = caller.query("/messages", f'resource(id="{key}")', sort="sequenceNumber asc", limit=500)
        return [message["sequenceNumber"] for message in found]

    assert numbers(one["id"]) == [1, 2, 3, 4]
    assert numbers(other["id"]) == [1, 2, 3]


def test_the_past_is_told_to_nobody(caller: Caller) -> None:
    made = caller.act("register", email="ada@example.com", in_past_at="2025-03-01T10:00:00Z")

    assert (made["createdAt"], caller.messages(made["id"])) == ("2025-03-01T10:00:00.000Z", [])
