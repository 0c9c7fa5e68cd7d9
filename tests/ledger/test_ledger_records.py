"""Records: what is written is what is read, its id is its content's, and nothing can be changed unnoticed."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from hashlib import sha256

import pytest
from drafts import chain
from hypothesis import given, settings
from hypothesis import strategies as st

from logcount.errors import Halted
from logcount.ledger.record import Hole, Reasoned, Record, Span, decode_record, read_time, time_text
from logcount.model.points import Point

since, until = datetime(1, 1, 1), datetime(9999, 12, 31)  # noqa: DTZ001 - hypothesis adds the zone
times = st.datetimes(since, until, timezones=st.just(UTC))
minutes = times.map(lambda time: time.replace(second=0, microsecond=0))
numbers = st.integers(0, 2**63)
words = st.text(max_size=20)
points = st.builds(
    Point,
    namespace=words,
    metric=words,
    minute=minutes,
    dimensions=st.dictionaries(words, words, max_size=3).map(lambda found: tuple(sorted(found.items()))),
    sum=numbers,
    count=numbers,
    min=numbers,
    max=numbers,
    set=st.integers(0, 3),
)
reasons = st.lists(
    st.builds(Reasoned, words, numbers, st.lists(st.builds(Span, numbers, numbers), max_size=2).map(tuple)),
    max_size=2,
).map(tuple)
records = st.builds(
    Record,
    n=numbers,
    prev=st.none() | words,
    hub=words,
    first=numbers,
    to=numbers,
    enqueued=times,
    clock=times,
    offset=words,
    events=numbers,
    holes=st.lists(
        st.builds(Hole, words, numbers, numbers, st.sampled_from(("before", "expired", "absent"))), max_size=2
    ).map(tuple),
    points=st.lists(points, max_size=3).map(tuple),
    uncounted=reasons,
    rejected=reasons,
    skipped=reasons,
    counted_with=st.dictionaries(words, words, max_size=2),
    writer=words,
    written=times,
)
steady = settings(max_examples=100, derandomize=True, database=None, deadline=None)


@steady
@given(records)
def test_what_is_written_is_what_is_read(record: Record) -> None:
    read = decode_record(record.data)
    assert read == record
    assert (read.data, read.id) == (record.data, record.id)


@steady
@given(records)
def test_the_id_is_the_sha256_of_the_rest_as_sorted_json_without_spaces(record: Record) -> None:
    rest = json.loads(record.data)
    assert rest.pop("id") == record.id
    encoded = json.dumps(rest, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    assert sha256(encoded).hexdigest() == record.id


@steady
@given(records, st.data())
def test_no_field_can_be_changed_unnoticed(record: Record, data: st.DataObject) -> None:
    document = json.loads(record.data)
    field = data.draw(st.sampled_from(sorted(document)))
    document[field] = "another" if document[field] != "another" else "a third"
    with pytest.raises(Halted):
        decode_record(json.dumps(document).encode())


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"null", b"{}", b'{"id":1}', b'{"id":"x","v":2}', b"\xff"])
def test_what_is_no_record_halts(data: bytes) -> None:
    with pytest.raises(Halted):
        decode_record(data)


def test_a_record_cut_anywhere_halts() -> None:
    (record,) = chain([2])
    for length in range(0, len(record.data), 7):
        with pytest.raises(Halted):
            decode_record(record.data[:length])


def test_a_record_of_a_later_format_says_so() -> None:
    document = {**json.loads(chain([1])[0].data), "v": 2}
    with pytest.raises(Halted, match="format 2"):
        decode_record(json.dumps(document).encode())


def test_items_have_the_records_id_and_the_points_numbers() -> None:
    (record,) = chain([3])
    assert [(item.record, item.number, item.point) for item in record.items()] == [
        (record.id, number, point) for number, point in enumerate(record.points)
    ]


@steady
@given(st.lists(times, min_size=2, max_size=6))
def test_times_sort_as_their_texts_do(some: list[datetime]) -> None:
    assert [read_time(text) for text in sorted(map(time_text, some))] == sorted(some)


@pytest.mark.parametrize("text", ["", "2026-11-22", "2026-11-22T10:00:00Z", "2026-11-22T10:00:00.000000+00:00"])
def test_other_texts_are_no_times(text: str) -> None:
    with pytest.raises(ValueError, match="time data"):
        read_time(text)


def test_a_minute_of_an_early_year_is_read_as_version_0_1_wrote_it() -> None:
    document = json.loads(chain([1])[0].data)
    document.pop("id")
    document["points"][0]["minute"] = "1-01-01T00:00Z"
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    whole = json.dumps(document | {"id": sha256(text).hexdigest()}).encode()
    assert decode_record(whole).points[0].minute == datetime(1, 1, 1, tzinfo=UTC)
