"""Containers are told by content, and whatever cannot be read is an event that says so."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
import zlib
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from log_archives import capture_file, captured, read, told

from logcount.sources.archive import Limits
from logcount.sources.archive.limits import KIB

if TYPE_CHECKING:
    from pathlib import Path

A, B, C = b'{"a":1}', b'{"b":"x"}', b'{"c":[1,{"d":2}]}'
WHOLE = [(1, A), (2, B), (3, C)]
NOISE = bytes(range(256)) * 40


def packed_zip() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("log.json", A * 1000)
    return file.getvalue()


def pretty(*events: bytes) -> list[bytes]:
    return [json.dumps(json.loads(event), indent=2).encode() for event in events]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "misleading.avro.gz.png"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", []),
        (b"\n\r\n  \n", []),
        (b"\n".join([A, B, C]), WHOLE),
        (b"\r\n\r\n".join([A, B, C, b""]), WHOLE),
        (b"\xef\xbb\xbf" + b"\n".join([A, B, C]), WHOLE),
        (b"\n".join([A, B, C]).decode().encode("utf-16"), WHOLE),
        (b"\xfe\xff" + b"\n".join([A, B, C]).decode().encode("utf-16-be"), WHOLE),
        (b"\n".join([A, B, C[:9]]), [(1, A), (2, B), (3, C[:9])]),
        (b"\n".join([A[:4], B, C]), [(1, A[:4]), (2, B), (3, C)]),
        (b"\n".join([A, b"\xff\xfe{", C]), [(1, A), (2, b"\xff\xfe{"), (3, C)]),
        (b"\n".join([A, b"x\0y", C]), [(1, A), (2, b"x\0y"), (3, C)]),
        (b"[" + b",".join([A, B, C]) + b"]", WHOLE),
        (b"[\n" + b",\n".join([A, B, C]) + b"\n]\n", WHOLE),
        (b"[]", []),
        (b'{"records":[]}', []),
        (b'{"records":[' + A + b"," + B + b"]}", [(1, b'{"records":[' + A + b"]}"), (2, b'{"records":[' + B + b"]}")]),
        (
            b'{ "records": [\n' + A + b",\n" + B + b"]\n}",
            [(1, b'{"records":[' + A + b"]}"), (2, b'{"records":[' + B + b"]}")],
        ),
        (b'{"records":[1,2]}\n{"records":[3]}', [(1, b'{"records":[1,2]}'), (2, b'{"records":[3]}')]),
        (pretty(C)[0], [(1, pretty(C)[0])]),
        (b"\n".join(pretty(A, B, C)), list(enumerate(pretty(A, B, C), 1))),
        (b"[" + A + b"," + B + b"\n", [(1, A), (2, B), (3, "JSON document ends before its end")]),
        (
            b"[\n" + A + b",\n" + B + b"\n" + C + b"]",
            [(1, A), (2, B), (3, "JSON document is broken, and its rest unread")],
        ),
        (b"request:1\nPOST / HTTP/1.1\r\n", [(1, b"request:1"), (2, b"POST / HTTP/1.1")]),
        (NOISE, [(1, "not a log: binary data")]),
        (packed_zip(), [(1, "not a log: binary data")]),
        (b"\x89PNG\r\n\x1a\n", [(1, "not a log: binary data")]),
        (b"PAR1", [(1, "not a log: binary data")]),
        (b"\xff\xfe\0\0" + A.decode().encode("utf-32-le"), [(1, "not a log: binary data")]),
        (A.decode().encode("utf-16-le"), [(1, "not a log: binary data")]),
        (b"\0" * 100_000, [(1, "not a log: binary data")]),
        (zlib.compress(A * 1000), [(1, "not a log: binary data")]),
    ],
)
def test_a_file_is_read_as_what_it_holds(file: Path, content: bytes, expected: object) -> None:
    file.write_bytes(content)
    assert told(read(file)) == expected

    file.write_bytes(gzip.compress(content, mtime=0))
    assert told(read(file)) == expected


def test_a_gzip_of_several_members_is_one_text(file: Path) -> None:
    file.write_bytes(
        gzip.compress(A + b"\n" + B[:3], mtime=0)
        + gzip.compress(B[3:], mtime=0)
        + b"\0" * 512
        + gzip.compress(b"\n" + C, mtime=0)
    )

    assert told(read(file)) == WHOLE


def test_a_torn_gzip_gives_its_whole_records_and_one_problem(file: Path) -> None:
    lines = [json.dumps({"n": n, "noise": str(hash((n, n)))}).encode() for n in range(20_000)]
    content = gzip.compress(b"\n".join(lines), mtime=0)
    file.write_bytes(content[: len(content) // 2])

    *whole, last = told(read(file))

    assert 5_000 < len(whole) < 15_000
    assert whole == list(enumerate(lines[: len(whole)], 1))
    assert last == (len(whole) + 1, "gzip ends before its end")


@pytest.mark.parametrize(
    ("content", "problems"),
    [
        (gzip.compress(A + b"\n", mtime=0)[:-1], ["gzip ends before its end"]),
        (gzip.compress(A + b"\n", mtime=0)[:-8] + b"\0" * 8, ["gzip is corrupt"]),
        (gzip.compress(A + b"\n", mtime=0) + b"nonsense", ["gzip is followed by something else"]),
        (gzip.compress(A + b"\n", mtime=0) + gzip.compress(B, mtime=0)[:2], ["gzip ends before its end"]),
    ],
)
def test_a_gzip_that_is_broken_behind_a_record_gives_the_record(
    file: Path, content: bytes, problems: list[str]
) -> None:
    file.write_bytes(content)

    assert told(read(file)) == [(1, A), *[(2, problem) for problem in problems]]


@pytest.mark.parametrize("content", [b"\x1f\x8b\x08", b"\x1f\x8b\x08nonsense that is no gzip", b"\x1f\x8b\x07"])
def test_a_gzip_that_is_none_is_one_problem(file: Path, content: bytes) -> None:
    file.write_bytes(content)

    assert [event.problem is not None for event in read(file)] == [True]


def test_a_gzip_within_a_gzip_is_no_log(file: Path) -> None:
    file.write_bytes(gzip.compress(gzip.compress(A), mtime=0))

    assert told(read(file)) == [(1, "not a log: binary data")]


def test_a_gzip_bomb_is_left_when_it_is_known_to_be_one(file: Path) -> None:
    limits = Limits(event_bytes=64 * KIB, inflated_bytes=1024 * KIB)
    file.write_bytes(gzip.compress(A + b"\n" + b" " * 20_000_000 + b"\n" + B, mtime=0))

    assert told(read(file, limits)) == [(1, A), (2, "gzip expands beyond bounds")]


def test_a_log_that_compresses_well_is_no_bomb(file: Path) -> None:
    limits = Limits(inflated_bytes=1024 * KIB)
    line = json.dumps({"responseBody": "lorem ipsum " * 1700, "n": 1}).encode()
    file.write_bytes(gzip.compress(b"\n".join([line] * 300), compresslevel=1))

    assert [event.data for event in read(file, limits)] == [line] * 300


@pytest.mark.parametrize(
    "content",
    [
        b'{"a":1}\n{"long":"' + b"x" * 100_000 + b'"}\r\n{"b":"x"}',
        b'[{"a":1},{"long":"' + b"x" * 100_000 + b'"},{"b":"x"}]',
        capture_file([captured(1, A), captured(2, b"x" * 100_000), captured(3, B)]),
    ],
)
def test_what_is_larger_than_an_event_may_be_is_skipped_and_named(file: Path, content: bytes) -> None:
    file.write_bytes(content)

    assert told(read(file, Limits(event_bytes=64 * KIB))) == [(1, A), (2, "larger than 64 KiB"), (3, B)]


def test_the_largest_event_is_20_mib_and_the_problem_says_so(file: Path) -> None:
    largest = b'"' + b"x" * (20 * 1024 * KIB - 2) + b'"'
    file.write_bytes(largest + b"\n" + largest + b"x\n" + A)

    assert told(read(file)) == [(1, largest), (2, "larger than 20 MiB"), (3, A)]


@given(
    content=st.binary(max_size=300), start=st.sampled_from([b"", b"{", b"[", b"Obj\x01", b"\x1f\x8b\x08", b"\xff\xfe"])
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_are_events_or_problems_and_never_an_error(file: Path, content: bytes, start: bytes) -> None:
    file.write_bytes(start + content)
    for event in read(file):
        assert event.problem is None or not event.data

    file.write_bytes(gzip.compress(start + content, mtime=0))
    read(file)


def test_a_diagnostic_archive_with_a_torn_last_line_is_lines(tmp_path: Path) -> None:
    folder = tmp_path / "insights-logs-gatewaylogs" / "resourceId=" / "y=2026" / "m=11" / "d=22" / "h=10" / "m=00"
    folder.mkdir(parents=True)
    record = b'{"time":"2026-11-22T10:03:17Z","category":"GatewayLogs","properties":{"method":"POST"}}'
    (folder / "PT1H.json").write_bytes(record + b"\r\n" + record + b"\r\n" + record[:40])

    events = read(tmp_path)

    assert told(events) == [(1, record), (2, record), (3, record[:40])]
    assert {event.enqueued for event in events} == {None}
