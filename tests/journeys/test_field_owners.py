"""A field that one source decides is left alone by the others, in what is sent, in the story and in the preview."""

from __future__ import annotations

import pytest

from integrations.engine.preview import preview_draft
from integrations.models import Attempt, Connection, Delivery
from mapping.models import FieldOwner
from mapping.versions import draft_from
from tests.conftest import RouteB

pytestmark = [pytest.mark.journey]


@pytest.mark.parametrize("others", ["leave", "fill"])
def test_what_another_source_decides_is_not_sent_and_everybody_can_read_why(route_b: RouteB, others: str) -> None:
    till = Connection.objects.create(platform="tiktok_shop", name="Till", external_id="till", base_url="http://127.0.0.1:9")
    FieldOwner.objects.create(destination=route_b.destination, target="firstname", owner=till, others=others)
    assert route_b.subscribe()
    route_b.act("create_customer", email="ada@example.com", first_name="Ada", last_name="Byron")
    route_b.run()

    (stored,) = route_b.state("contacts").values()
    delivery = Delivery.objects.get(flow=route_b.flow("customer"))
    told = Attempt.objects.filter(delivery=delivery).values_list("message", flat=True)
    tried = preview_draft(draft_from(delivery.flow_id), [delivery])[0].row
    left = others == "leave"
    assert (stored.get("firstname"), stored["lastname"]) == (None if left else "Ada", "Byron")
    assert any("Left to the source that decides them: firstname." in message for message in told) is left
    assert [issue.field for issue in tried.dropped if issue.kind == "owned"] == (["firstname"] if left else [])


def test_the_owner_itself_always_writes_its_field(route_b: RouteB) -> None:
    FieldOwner.objects.create(destination=route_b.destination, target="firstname", owner=route_b.source, others="leave")
    assert route_b.subscribe()
    route_b.act("create_customer", email="ada@example.com", first_name="Ada")
    route_b.run()
    assert [contact["firstname"] for contact in route_b.state("contacts").values()] == ["Ada"]
