"""Orders on their shelf: found by the time they were placed, in order of first arrival."""

from integrations.standins.ometria.shelf import OrderEntry, OrderShelf


def shelf(**placed: float) -> OrderShelf:
    """Orders by key, placed at that second."""
    made = OrderShelf()
    for key, moment in placed.items():
        made.put(key, OrderEntry(b"{}", 0.0, 0.0, placed=moment))
    return made


def keys(orders: OrderShelf, first: float, after: float) -> list[str]:
    return [key for key, _ in orders.placed_between(first, after)]


def test_a_window_holds_its_first_moment_and_not_the_one_after_it() -> None:
    assert keys(shelf(c=3, a=1, b=2, d=4), 2, 4) == ["c", "b"]


def test_an_order_that_was_given_another_time_is_found_there_only() -> None:
    orders = shelf(a=1, b=2)
    orders.put("a", OrderEntry(b"{}", 0.0, 0.0, placed=9))
    assert (keys(orders, 0, 5), keys(orders, 5, 10), keys(orders, 0, 10)) == (["b"], ["a"], ["a", "b"])


def test_a_removed_order_is_in_no_window() -> None:
    orders = shelf(a=1, b=1)
    orders.remove("a")
    assert (keys(orders, 0, 5), orders.get("a"), len(orders)) == (["b"], None, 1)
