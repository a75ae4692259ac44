"""Parsing samples and pulling pages."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from integrations.platforms.base import RawObject, Window
from integrations.platforms.errors import PlatformError, SlowDown, Unparsable
from mapping import codec

WINDOW = Window(since=datetime(2026, 1, 9, tzinfo=UTC), until=datetime(2026, 1, 10, tzinfo=UTC))
MOST_PAGES = 5


@pytest.mark.over("parser")
def test_every_listed_sample_parses_into_the_records_it_says(room):
    assert room.objects()
    for raw, expected in room.objects():
        records = list(room.platform.parse(room.account(), raw))
        assert Counter(str(record.record_type) for record in records) == Counter(expected), raw.shape


@pytest.mark.over("parser")
def test_parsed_records_have_a_key_and_an_aware_time_and_survive_storage(room):
    for raw, _ in room.objects():
        for record in room.platform.parse(room.account(), raw):
            assert record.key
            assert record.occurred_at.utcoffset() == timedelta(0)
            assert codec.loads(record.record_type, codec.dumps(record)) == record


@pytest.mark.over("parser")
def test_parsing_the_same_object_twice_gives_equal_records(room):
    for raw, _ in room.objects():
        assert room.platform.parse(room.account(), raw) == room.platform.parse(room.account(), raw)


@pytest.mark.over("parser")
@pytest.mark.parametrize("data", [{}, {"id": None}, {"id": []}], ids=repr)
def test_an_object_without_the_documented_shape_is_unparsable_and_nothing_else(room, data):
    for shape in {raw.shape for raw, _ in room.objects()}:
        with pytest.raises(Unparsable):
            room.platform.parse(room.account(), RawObject(shape, data))


@pytest.mark.over("parser")
def test_an_unknown_shape_is_unparsable(room):
    with pytest.raises(Unparsable):
        room.platform.parse(room.account(), RawObject("nobody:knows", {"id": 1}))


@pytest.mark.over("room")
def test_every_reader_has_a_sample_page(room):
    assert set(room.part("readers")) == set(room.platform.readers)


@pytest.mark.over("reader")
def test_a_pause_asked_for_is_passed_on_to_the_second(room, reader, call):
    answers = room.samples["throttled"]
    assert answers
    for answer in answers:
        client = call(room, answer)
        with pytest.raises(SlowDown) as raised:
            room.platform.readers[reader].pull(client, WINDOW, None)
        assert raised.value.seconds == pytest.approx(answer["seconds"])


@pytest.mark.over("pager")
def test_a_repeated_page_token_stops_the_pull(room, reader, call):
    client, pull = call(room, *room.part("readers")[reader]), room.platform.readers[reader].pull

    def read_all() -> None:
        cursor = None
        for _ in range(MOST_PAGES):
            cursor = pull(client, WINDOW, cursor).cursor
            assert cursor is not None

    with pytest.raises(PlatformError):
        read_all()
