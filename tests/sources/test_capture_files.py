"""Event Hubs Capture: what is whole is given, what is torn or corrupt is one event each, and reading goes on."""

from __future__ import annotations

import copy
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from log_archives import CAPTURE_SCHEMA, SYNC, capture_file, captured, read, told

from logcount.sources.archive import Limits
from logcount.sources.archive.capture import read_time

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "capture"


def whole(*numbers: int) -> list[tuple[int, bytes]]:
    return [(number, b'{"n": %d}' % number) for number in numbers]


def small_blocks(*numbers: int, codec: str = "null") -> list[bytes]:
    """Return the header and one block a record, each with its sync marker."""
    content = capture_file([captured(number) for number in numbers], codec, block_bytes=1)
    return [part + SYNC for part in content.split(SYNC)[:-1]]


@pytest.mark.parametrize("codec", ["null", "deflate"])
def test_events_come_with_sequence_number_and_enqueued_time(file: Path, codec: str) -> None:
    file.write_bytes(capture_file([captured(number) for number in range(7, 5000)], codec))

    events = read(file)

    assert told(events) == whole(*range(7, 5000))
    assert {event.enqueued for event in events} == {datetime(2026, 11, 22, 10, 3, 17, tzinfo=UTC)}
    assert {event.source for event in events} == {str(file)}
    assert not any(event.duplicate for event in events)


@pytest.mark.parametrize("codec", ["null", "deflate"])
def test_a_file_of_a_header_only_has_no_events(file: Path, codec: str) -> None:
    file.write_bytes(capture_file([], codec))

    assert read(file) == []


def test_an_event_without_a_body_is_a_problem_of_its_own(file: Path) -> None:
    empty = captured(8)
    empty["Body"] = None
    file.write_bytes(capture_file([captured(7), empty, captured(9, b""), captured(10)]))

    assert told(read(file)) == [*whole(7), (8, "empty body"), (9, "empty body"), *whole(10)]


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("6/12/2020 6:32:36 PM", datetime(2020, 6, 12, 18, 32, 36, tzinfo=UTC)),
        ("6/12/2020 12:00:00 AM", datetime(2020, 6, 12, tzinfo=UTC)),
        ("6/12/2020 12:00:00 PM", datetime(2020, 6, 12, 12, tzinfo=UTC)),
        ("12/31/2020 18:32:36", datetime(2020, 12, 31, 18, 32, 36, tzinfo=UTC)),
        ("2020-06-12T18:32:36Z", datetime(2020, 6, 12, 18, 32, 36, tzinfo=UTC)),
        ("2020-06-12T18:32:36.1234567Z", datetime(2020, 6, 12, 18, 32, 36, 123456, tzinfo=UTC)),
        ("2020-06-12T20:32:36+02:00", datetime(2020, 6, 12, 18, 32, 36, tzinfo=UTC)),
        ("2020-06-12 18:32:36", datetime(2020, 6, 12, 18, 32, 36, tzinfo=UTC)),
        ("31/12/2020 6:32:36 PM", None),
        ("6/12/2020 13:32:36 PM", None),
        ("0001-01-01T00:00:00+05:00", None),
        ("yesterday", None),
        ("", None),
    ],
)
def test_enqueued_times_are_read_as_they_are_written(text: str, time: datetime | None) -> None:
    assert read_time(text) == time


def test_a_torn_file_gives_its_whole_blocks_and_one_problem(file: Path) -> None:
    content = b"".join(small_blocks(1, 2, 3))

    for cut in range(len(b"".join(small_blocks(1, 2))) + 1, len(content)):
        file.write_bytes(content[:cut])
        assert told(read(file)) == [*whole(1, 2), (3, "Avro block is torn")]


@pytest.mark.parametrize("codec", ["null", "deflate"])
def test_a_corrupt_block_in_the_middle_costs_that_block_only(file: Path, codec: str) -> None:
    header, first, second, third = small_blocks(1, 2, 3, codec=codec)
    corruptions = {
        "size too large": b"\x02\xfe\xff\x01" + second[2:],
        "size too small": b"\x02\x02" + second[2:],
        "size negative": b"\x02\x01" + second[2:],
        "size beyond bounds": b"\x02" + b"\xfe" * 8 + b"\x01" + second[2:],
        "size without end": b"\x02" + b"\xff" * 30 + second[2:],
        "count too large": b"\x7e" + second[1:],
        "count too small": b"\x00" + second[1:],
        "bytes missing": second[:-30] + SYNC,
        "bytes too many": second[:-16] + b"\0" * 9 + SYNC,
        "marker damaged": second[:-1] + b"\0",
    }
    for name, corrupt in corruptions.items():
        file.write_bytes(header + first + corrupt + third)

        events = told(read(file))

        good = [event for event in events if isinstance(event[1], bytes)]
        problems = [event for event in events if isinstance(event[1], str)]
        if name == "marker damaged":
            assert good == whole(1), name  # the next marker is behind the third
        elif name == "count too large":
            assert good == whole(1, 2, 3), name
        else:
            assert good == whole(1, 3), name
        assert len(problems) == 1, name
        assert str(problems[0][1]).startswith("Avro block is "), name


@given(data=st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_flipped_byte_leaves_every_other_block_counted(file: Path, data: st.DataObject) -> None:
    blocks = small_blocks(1, 2, 3, 4, codec=data.draw(st.sampled_from(["null", "deflate"])))
    header = len(blocks[0])
    content = bytearray(b"".join(blocks))
    at = data.draw(st.integers(header, len(content) - 1))
    content[at] ^= data.draw(st.integers(1, 255))
    file.write_bytes(content)

    given = [event for event in read(file) if event.problem is None]

    assert len(given) >= 2  # a damaged marker takes its neighbour with it


@given(data=st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_flipped_byte_in_the_header_is_never_an_error(file: Path, data: st.DataObject) -> None:
    content = bytearray(b"".join(small_blocks(1, 2)))
    at = data.draw(st.integers(0, len(small_blocks(1)[0]) - 1))
    content[at] ^= data.draw(st.integers(1, 255))
    file.write_bytes(content)

    read(file)


@pytest.mark.parametrize("codec", ["snappy", "zstandard", "no such"])
def test_an_unsupported_codec_is_one_problem(file: Path, codec: str) -> None:
    content = capture_file([captured(1)], "deflate").replace(b"\x0edeflate", bytes([2 * len(codec)]) + codec.encode())
    file.write_bytes(content)

    shown = "" if " " in codec else f" {codec}"
    assert told(read(file)) == [(1, f"unsupported codec{shown}")]


def test_a_block_that_expands_beyond_bounds_is_skipped(file: Path) -> None:
    content = capture_file([captured(1), captured(2, b"x" * 500_000), captured(3)], "deflate", block_bytes=1)
    file.write_bytes(content)

    events = told(read(file, Limits(avro_block_bytes=65_536)))

    assert events == [*whole(1), (2, "Avro block is larger than 64 KiB"), *whole(3)]


def test_a_block_beyond_bounds_is_skipped(file: Path) -> None:
    content = capture_file([captured(1), captured(2, b"x" * 500_000), captured(3)], block_bytes=1)
    file.write_bytes(content)

    events = told(read(file, Limits(avro_block_bytes=65_536)))

    assert events == [*whole(1), (2, "Avro block is larger than 64 KiB"), *whole(3)]


def schema_with(body: Any, *others: Any) -> dict[str, Any]:
    return {"type": "record", "name": "R", "fields": [*others, {"name": "Body", "type": body}]}


@pytest.mark.parametrize("body", ["string", "bytes", ["null", "string"], ["bytes", "string"], {"type": "string"}])
def test_any_schema_with_a_body_of_bytes_or_text_is_read(file: Path, body: Any) -> None:
    text = body == "string" or "string" in body or isinstance(body, dict)
    value = "hi €" if text else b"hi"
    enum = {"name": "E", "type": {"type": "enum", "name": "E", "symbols": ["A", "B"]}}
    time = {"name": "EnqueuedTimeUtc", "type": "string"}
    record = {"Body": value, "E": "B", "EnqueuedTimeUtc": "2026-11-22T10:00:00Z"}
    file.write_bytes(capture_file([record, record], schema=schema_with(body, enum, time)))

    events = read(file)

    data = value.encode() if isinstance(value, str) else value
    assert told(events) == [(1, data), (2, data)]
    assert events[0].enqueued == datetime(2026, 11, 22, 10, tzinfo=UTC)
    assert not any(event.duplicate for event in events)


RECURSIVE = schema_with("bytes", {"name": "Next", "type": "R"})
ENDLESS = schema_with("bytes", {"name": "Nothing", "type": {"type": "array", "items": "null"}})


@pytest.mark.parametrize(
    ("schema", "problem"),
    [
        ('{"type":"record","name":"R","fields":[{"name":"Other","type":"bytes"}]}', "not Event Hubs Capture: no Body"),
        (
            '{"type":"record","name":"R","fields":[{"name":"Body","type":"long"}]}',
            "not Event Hubs Capture: no Body",
        ),
        (
            '{"type":"record","name":"R","fields":[{"name":"Body","type":"null"}]}',
            "not Event Hubs Capture: no Body",
        ),
        ('"bytes"', "unsupported Avro schema"),
        (str(RECURSIVE).replace("'", '"'), "unsupported Avro schema"),
        (str(ENDLESS).replace("'", '"'), "unsupported Avro schema"),
        ("[" * 100_000, "Avro header is broken"),
        ("nonsense", "Avro header is broken"),
        ("", "Avro header is broken"),
    ],
)
def test_any_other_schema_is_one_problem(file: Path, schema: str, problem: str) -> None:
    def packed(text: bytes) -> bytes:
        size, head = len(text) << 1, b""
        while size > 127:
            head, size = head + bytes([size & 127 | 128]), size >> 7
        return head + bytes([size]) + text

    header = b"Obj\x01\x02" + packed(b"avro.schema") + packed(schema.encode()) + b"\0" + SYNC
    file.write_bytes(header + b"\x02\x04\x02x" + SYNC)

    assert told(read(file)) == [(1, problem)]


@pytest.mark.parametrize("cut", [4, 5, 30, 400])
def test_a_torn_header_is_one_problem(file: Path, cut: int) -> None:
    file.write_bytes(capture_file([captured(1)])[:cut])

    assert told(read(file)) == [(1, "Avro header is broken")]


def test_a_schema_may_have_its_own_field_order_and_types(file: Path) -> None:
    schema = copy.deepcopy(CAPTURE_SCHEMA)
    schema["fields"].reverse()
    schema["fields"][-1]["type"] = ["null", {"type": "long", "logicalType": "timestamp-millis"}]
    record = captured(3)
    file.write_bytes(capture_file([record, {**record, "SequenceNumber": None}], schema=schema))

    assert [event.position for event in read(file)] == [3, 4]
