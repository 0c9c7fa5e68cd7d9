"""Files, folders, globs and standard input; each path names what is there, or says that it names nothing."""

from __future__ import annotations

import io
import os
import socket
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from log_archives import capture_file, captured, collect, read, told

from logcount.errors import Misconfigured, Unreadable
from logcount.sources.archive import ArchiveSource


def sources(*paths: Path | str) -> list[str]:
    return [event.source for event in ArchiveSource([str(path) for path in paths]).events()]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in (
        "b/2.log",
        "b/1.log",
        "b/10.log",
        "a.log",
        "b-c.log",
        ".hidden.log",
        ".git/x.log",
        "b/.y",
        "b/d/z.json",
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(f'{{"name":"{name}"}}\n')
    (tmp_path / "empty").mkdir()
    return tmp_path


def test_a_folder_gives_its_files_sorted_and_not_the_hidden_ones(folder: Path) -> None:
    names = ["a.log", "b/1.log", "b/10.log", "b/2.log", "b/d/z.json", "b-c.log"]

    assert sources(folder) == [f"{folder}/{name}" for name in names]


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("*.log", ["a.log", "b-c.log"]),
        ("b/?.log", ["b/1.log", "b/2.log"]),
        ("b/1[0-9].log", ["b/10.log"]),
        ("**/*.json", ["b/d/z.json"]),
        ("b/**", ["b/1.log", "b/10.log", "b/2.log", "b/d/z.json"]),
        ("b*", ["b/1.log", "b/10.log", "b/2.log", "b/d/z.json", "b-c.log"]),
        (".hidden*", [".hidden.log"]),
    ],
)
def test_a_glob_gives_what_it_matches_once_and_sorted(folder: Path, pattern: str, names: list[str]) -> None:
    assert sources(folder / pattern) == [f"{folder}/{name}" for name in names]


def test_a_name_with_the_characters_of_a_glob_is_a_name_first(folder: Path) -> None:
    (folder / "a[1].log").write_text("{}")

    assert sources(folder / "a[1].log") == [f"{folder}/a[1].log"]


async def test_an_empty_folder_has_no_events(folder: Path) -> None:
    collected = await collect(ArchiveSource([str(folder / "empty")]))

    assert (collected.events, collected.batches) == ([], [])


@pytest.mark.parametrize("path", ["missing.log", "missing*.log", "a.log/x", "", "a\0b"])
def test_a_path_that_names_nothing_is_refused_before_anything_is_read(folder: Path, path: str) -> None:
    with pytest.raises(Misconfigured, match=r"no such file or folder|nothing matches"):
        ArchiveSource([str(folder / "a.log"), f"{folder}/{path}" if path else ""])


def test_a_file_that_vanished_is_unreadable_and_named(folder: Path) -> None:
    source = ArchiveSource([str(folder / "a.log")])
    (folder / "a.log").unlink()

    with pytest.raises(Unreadable, match=r"a\.log: No such file"):
        list(source.events())


def test_a_broken_link_is_unreadable_and_named(folder: Path) -> None:
    (folder / "link").symlink_to("nowhere")

    with pytest.raises(Unreadable, match="link: No such file"):
        list(ArchiveSource([str(folder / "link")]).events())
    assert f"{folder}/link" not in sources(folder)


def test_a_file_that_cannot_be_read_is_unreadable_and_named() -> None:
    with pytest.raises(Unreadable, match="/proc/self/mem: Input/output error"):  # opens, and fails to read
        read("/proc/self/mem")


def test_what_is_no_file_is_left_alone_in_a_folder(folder: Path) -> None:
    os.mkfifo(folder / "pipe")
    with socket.socket(socket.AF_UNIX) as plug:
        plug.bind(str(folder / "socket"))

        assert len(sources(folder)) == 6


def test_links_in_circles_end(folder: Path) -> None:
    (folder / "b" / "circle").symlink_to(folder)

    assert len(sources(folder)) == 6


def test_a_file_reached_twice_gives_duplicates_the_second_time(folder: Path) -> None:
    (folder / "empty" / "link.log").symlink_to(folder / "a.log")
    (folder / "empty" / "hard.log").hardlink_to(folder / "a.log")
    paths = [folder / "a.log", folder / "*.log", folder / "empty"]

    events = list(ArchiveSource([str(path) for path in paths]).events())

    assert [(Path(event.source).name, event.duplicate) for event in events] == [
        ("a.log", False),
        ("a.log", True),
        ("b-c.log", False),
        ("hard.log", True),
        ("link.log", True),
    ]


def test_equal_lines_in_a_file_are_no_duplicates(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("{}\n{}\n{}")

    assert not any(event.duplicate for event in read(tmp_path))


def test_a_capture_file_copied_under_another_root_gives_duplicates(tmp_path: Path) -> None:
    shape = "ns/hub/{}/2026/11/22/10/{}/00.avro"
    contents = {
        shape.format(0, "00"): [captured(1), captured(2)],
        shape.format(0, "05"): [captured(3), captured(5)],
        shape.format(1, "00"): [captured(1), captured(2)],
        shape.format(0, "10"): [captured(4), captured(5), captured(6)],
    }
    for root in ("a", "copy/of/a"):
        for name, records in contents.items():
            (tmp_path / root / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / root / name).write_bytes(capture_file(records))

    first = [event.duplicate for event in read(tmp_path / "a")]
    both = [event.duplicate for event in read(tmp_path)]

    repeat = [False, False, False, False, False, True, False, False, False]  # 5 was in the file before
    assert first == repeat
    assert both == repeat + [True] * 9


def test_a_hub_made_anew_under_its_old_name_gives_no_duplicates(tmp_path: Path) -> None:
    for day in ("20", "22"):
        file = tmp_path / f"ns/hub/0/2026/11/{day}/10/00/00.avro"
        file.parent.mkdir(parents=True)
        file.write_bytes(capture_file([captured(n, time=f"11/{day}/2026 9:59:{n:02} AM") for n in range(50)]))

    events = read(tmp_path)

    assert len(events) == 100
    assert not any(event.duplicate for event in events)


def test_the_path_tells_the_time_where_a_record_does_not(tmp_path: Path) -> None:
    file = tmp_path / "ns/hub/0/2026/11/20/10/05/00.avro"
    file.parent.mkdir(parents=True)
    file.write_bytes(capture_file([captured(1, time="?"), captured(2)]))

    assert [event.enqueued for event in read(tmp_path)] == [
        datetime(2026, 11, 20, 10, 5, tzinfo=UTC),
        datetime(2026, 11, 22, 10, 3, 17, tzinfo=UTC),
    ]


def test_a_path_may_be_given_from_the_middle_of_an_archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "ns/hub/0/2026/11/20/10/05/00.avro"
    file.parent.mkdir(parents=True)
    file.write_bytes(capture_file([captured(1)]))
    monkeypatch.chdir(file.parent)

    events = list(ArchiveSource(["00.avro", str(tmp_path)]).events())

    assert [(event.source, event.duplicate) for event in events] == [("00.avro", False), (str(file), True)]


async def test_progress_adds_up_to_the_size_of_all_files(folder: Path) -> None:
    counts: list[int] = []
    source = ArchiveSource([str(folder)], progress=counts.append, batch_events=2)

    await collect(source)

    assert source.total_bytes == sum(counts)
    assert len(counts) > 1


def test_the_size_of_standard_input_and_blobs_is_unknown(folder: Path) -> None:
    assert ArchiveSource([str(folder), "-"]).total_bytes is None
    assert ArchiveSource([str(folder), "https://a.blob.core.windows.net/logs"]).total_bytes is None


def test_standard_input_can_be_given_once() -> None:
    with pytest.raises(Misconfigured, match="only once"):
        ArchiveSource(["-", "-"])


READ_STDIN = """
import asyncio
from logcount.sources.archive import ArchiveSource

async def handle(batch):
    for event in batch:
        print(event.source, event.position, event.data.decode() or event.problem, flush=True)

async def main():
    async with asyncio.timeout({seconds}):
        await ArchiveSource(["-"], batch_events=1).deliver(handle)

asyncio.run(main())
"""


@pytest.mark.parametrize("packed", [b'{"a":1}\n\n[2]\n{"b"', b"[ 1, 2 ]", capture_file([captured(7)])])
def test_standard_input_is_read_as_any_file(packed: bytes, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(packed)
    expected = [
        f"- {position} {data if isinstance(data, str) else data.decode()}" for position, data in told(read(tmp_path))
    ]

    done = subprocess.run(
        [sys.executable, "-c", READ_STDIN.format(seconds=60)], input=packed, capture_output=True, check=True
    )

    assert done.stdout.decode().splitlines() == expected


def test_waiting_for_standard_input_can_be_cancelled() -> None:
    command = [sys.executable, "-c", READ_STDIN.format(seconds=1.5)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        assert process.wait(timeout=30) == 1  # although nobody closed standard input
        assert process.stderr is not None
        assert b"TimeoutError" in process.stderr.read()


def test_standard_input_may_be_replaced_by_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b'{"a":1}\n{"b":2}')))

    assert told(read("-")) == [(1, b'{"a":1}'), (2, b'{"b":2}')]
