"""An archive that is cut into parts gives the same events as one that is not, wherever the cuts fall."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from log_archives import capture_file, captured

from logcount.sources.archive import ArchiveSource, Limits, read_apart
from logcount.sources.archive.files import find_files
from logcount.sources.archive.lines import lines_between, split_lines
from logcount.sources.archive.parts import cut_into_parts

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from logcount.model.events import LogEvent
    from logcount.sources.archive.parts import Part

texts = st.lists(st.sampled_from([b"\n", b"\r\n", b" ", b"{}", b'{"a":1}', b"x" * 9]), max_size=40).map(b"".join)


def chunked(text: bytes, start: int, size: int) -> Iterator[bytes]:
    return (text[at : at + size] for at in range(max(start - 1, 0), len(text), size))


def flat(text: bytes, spans: list[tuple[int, int | None]], chunk: int, limit: int) -> list[bytes | None]:
    found: list[bytes | None] = []
    for start, end in spans:
        for lines in split_lines(lines_between(chunked(text, start, chunk), start, end), limit):
            found += lines
    return found


@given(texts, st.integers(1, 12), st.integers(1, 12), st.sampled_from([4, 8, 1000]))
@example(b"\n\n{}\n", 1, 1, 1000)
@example(b"x" * 9 + b"\n" + b"{}", 4, 3, 1000)
def test_every_line_is_of_one_span_whatever_the_spans_and_the_chunks(
    text: bytes, span: int, chunk: int, limit: int
) -> None:
    starts = list(range(0, max(len(text), 1), span))
    spans = list(zip(starts, [*starts[1:], None], strict=True))
    expected = [
        None if len(line) > limit else line.removesuffix(b"\r")
        for line in text.split(b"\n")
        if line.strip() or len(line) > limit
    ]
    assert flat(text, [(0, None)], chunk, limit) == expected
    assert flat(text, spans, chunk, limit) == expected


@pytest.mark.parametrize("part_bytes", [1, 7, 64, 999, 10**9])
def test_a_file_of_lines_gives_the_same_events_however_it_is_cut(tmp_path: Path, part_bytes: int) -> None:
    lines = [json.dumps({"n": number, "text": "x" * (number * 7 % 90)}).encode() for number in range(60)]
    lines[3:3] = [b"", b"  \t", b"y" * 300, b"torn {"]
    (tmp_path / "a").write_bytes(b"\xef\xbb\xbf" + b"\r\n".join(lines))
    (tmp_path / "b").write_bytes(b"{}\n")
    limits = Limits(event_bytes=250)

    events = list(ArchiveSource([str(tmp_path)], limits=limits, part_bytes=part_bytes).events())

    assert [event.position for event in events] == [*range(1, 63), 1]
    assert [event.problem for event in events if event.problem] == ["larger than 250 bytes"]
    assert events[0].data == lines[0]
    assert events == list(ArchiveSource([str(tmp_path)], limits=limits).events())


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(gzip.compress(b'{"a":1}\n' * 50), id="gzip"),
        pytest.param(json.dumps([{"a": 1}] * 50, indent=1).encode(), id="document"),
        pytest.param(('{"a":1}\n' * 50).encode("utf-16"), id="utf-16"),
        pytest.param(capture_file(captured(number) for number in range(50)), id="avro"),
        pytest.param(bytes(range(256)) * 4, id="binary"),
        pytest.param(b'{"a":\n' * 50, id="open"),
    ],
)
def test_what_can_only_be_read_from_its_start_is_one_part(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a").write_bytes(content)
    (part,) = cut_into_parts(find_files(str(tmp_path)), 20)
    assert (part.start, part.end, part.lines) == (0, None, False)


def test_small_files_are_one_part_and_large_ones_several(tmp_path: Path) -> None:
    for name, count in {"a": 1, "b": 2, "c": 40, "d": 1, "e": 0, "f": 3}.items():
        (tmp_path / name).write_bytes(b'{"a":1}\n' * count)
    parts = list(cut_into_parts(find_files(str(tmp_path)), 100))
    assert [("".join(one.source[-1] for one in part.inputs), part.start, part.end) for part in parts] == [
        ("ab", 0, None),
        ("c", 0, 100),
        ("c", 100, 200),
        ("c", 200, None),
        ("d", 0, None),
        ("e", 0, None),  # its size says nothing: files of /proc have none either
        ("f", 0, None),
    ]


def apart(parts: list[Part]) -> Iterator[tuple[Part, list[LogEvent], int]]:
    """Read each part by itself, as a worker does."""
    for part in parts:
        reader = read_apart()
        yield part, [event for batch in reader.batches(part) for event in batch], reader.trace.records


def test_parts_that_are_read_apart_tell_how_many_records_they_had(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b'{"a":1}\n\n' * 100)
    found, records = [], 0
    for part, events, its in apart(list(cut_into_parts(find_files(str(tmp_path)), 64))):
        assert part.continues is (records > 0)
        found += [replace_position(event, records) for event in events]
        records += its
    assert records == 100
    assert found == list(ArchiveSource([str(tmp_path)]).events())


def replace_position(event: LogEvent, records: int) -> LogEvent:
    return type(event)(event.data, event.source, event.position + records, event.enqueued, event.problem)


def test_a_part_whose_file_vanished_is_unreadable_and_named(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b'{"a":1}\n' * 100)
    parts = list(cut_into_parts(find_files(str(tmp_path)), 64))
    (tmp_path / "a").unlink()
    reader = read_apart()
    assert list(reader.batches(parts[1])) == []
    assert reader.trace.failures == (f"{tmp_path}/a: No such file or directory",)
    assert reader.skips(parts[2])


def test_a_file_that_grew_is_read_to_its_end(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b'{"a":1}\n' * 100)
    source = ArchiveSource([str(tmp_path)], part_bytes=64)
    with (tmp_path / "a").open("ab") as file:
        file.write(b'{"a":1}\n' * 50)
    assert len(list(source.events())) == 150


async def test_progress_adds_up_to_the_size_of_a_file_that_is_cut(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b'{"a":1}\n' * 1000)
    counts: list[int] = []

    async def handle(batch: object) -> None:
        assert batch

    await ArchiveSource([str(tmp_path)], progress=counts.append, part_bytes=500).deliver(handle)
    assert sum(counts) == 8000
    assert len(counts) > 10
