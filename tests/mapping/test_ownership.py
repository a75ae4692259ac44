"""Which source decides a field: what others bring is left out, or only fills a gap."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from mapping.models import FieldOwner
from mapping.ownership import KIND, Owned, in_words, without_owned
from mapping.transform import Issue, Mapped, payload_hash

SHOP = 7
STRICT = Owned("firstname", SHOP, "Demo shop", fills=False)
FILLING = Owned("firstname", SHOP, "Demo shop", fills=True)
PAYLOAD = {"email": "ada@example.com", "firstname": "Ada"}


def mapped(payload: dict[str, Any], *issues: Issue) -> Mapped:
    return Mapped(payload, "" if issues else payload_hash(payload), issues)


@pytest.mark.parametrize(
    ("rule", "held", "own", "left"),
    [
        (STRICT, {}, None, True),
        (STRICT, {"firstname": "Ada"}, {"firstname": "Ada"}, True),
        (FILLING, {}, None, False),
        (FILLING, {"firstname": ""}, None, False),
        (FILLING, {"firstname": "Grace"}, None, True),
        (FILLING, {"firstname": "Adda"}, {"firstname": "Adda"}, False),  # it filled the gap itself and renews it
        (FILLING, {"firstname": "Grace"}, {"firstname": "Adda"}, True),  # the owner has spoken since
        (Owned("lastname", SHOP, "Demo shop", fills=False), {}, None, False),  # it brings none
    ],
)
def test_a_field_of_another_source_is_left_out_unless_it_may_fill_a_gap(rule, held, own, left):
    found = without_owned(mapped(PAYLOAD), [rule], held=held, own=own)
    kept = {"email": "ada@example.com"} if left else PAYLOAD
    told = (Issue(KIND, "firstname", "Demo shop decides this field.", "firstname"),) if left else ()
    assert found == Mapped(kept, payload_hash(kept), (), told)
    assert in_words(found.dropped) == ("Left to the source that decides them: firstname." if left else "")


def test_a_record_that_is_held_for_something_else_stays_held():
    issue = Issue("missing_field", "email", "E-mail is empty", "email")
    found = without_owned(mapped(PAYLOAD, issue), [STRICT], held={})
    assert (found.issues, found.payload_hash, found.payload) == ((issue,), "", {"email": "ada@example.com"})


@given(st.dictionaries(st.sampled_from("abcdef"), st.text(max_size=3)), st.sets(st.sampled_from("abcdef")), st.booleans())
def test_nothing_but_owned_fields_is_ever_left_out(payload, owned, fills):
    rules = [Owned(name, SHOP, "Demo shop", fills) for name in sorted(owned)]
    kept = without_owned(mapped(payload), rules, held={}).payload
    assert {name: value for name, value in payload.items() if name not in owned or fills or value == ""} == kept


@pytest.mark.django_db
def test_a_part_of_a_field_and_a_destination_that_owns_itself_are_refused(flow):
    with pytest.raises(ValidationError, match="as a whole"):
        FieldOwner(destination=flow.destination, target="channels.sms", owner=flow.source).clean()
    with pytest.raises(ValidationError, match="not the destination"):
        FieldOwner(destination=flow.destination, target="firstname", owner=flow.destination).clean()
