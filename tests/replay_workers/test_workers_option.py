"""`logcount replay --workers`: what is printed does not depend on it."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from commands import logcount, native, write_lines

from logcount.cli.workers import choose_workers, usable_cores
from logcount.sources.archive import ArchiveSource
from logcount.sources.archive.parts import PART_BYTES

SAMPLES = Path(__file__).parents[2] / "samples" / "archive"


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of one file that is cut into three, one that is packed, and one that is small."""
    folder = tmp_path_factory.mktemp("archive")
    long = "words " * 6000
    events: list[Any] = [
        native(n % 60, usage=(n, 2), apiId=f"a{n % 3}", padding=long) for n in range(3 * PART_BYTES // 36_000)
    ]
    events[400:400] = [b"no log line", native(1, status=500, usage=None), native(2, usage=None)]
    write_lines(folder / "a.jsonl", events)
    (folder / "b.gz").write_bytes(gzip.compress(b"\n".join(json.dumps(native(n)).encode() for n in range(50))))
    write_lines(folder / "c.jsonl", [native(7, usage=(1, 1)), b"nor this"])
    return folder


@pytest.mark.parametrize(
    "options",
    [["--output", "json", "--since", "2026-11-22T10:30Z"], ["--each"], ["--by", "API ID,hour"]],
    ids=" ".join,
)
def test_what_is_printed_does_not_depend_on_the_number_of_workers(archive: Path, options: list[str]) -> None:
    paths = [str(archive), str(SAMPLES)]
    alone, together = (logcount("replay", *paths, *options, "--workers", number, cwd=archive) for number in ("1", "3"))
    assert together == alone
    assert alone.status == 0
    assert alone.err.count("\n") <= 2


def test_standard_input_is_counted_in_its_place(archive: Path) -> None:
    stdin = json.dumps(native(9)).encode()
    alone, together = (
        logcount("replay", "c.jsonl", "-", "b.gz", "--each", "--workers", number, cwd=archive, stdin=stdin)
        for number in "12"
    )
    assert together == alone
    assert [line["source"] for line in alone.lines[:3]] == ["c.jsonl", "-", "b.gz"]


def test_a_source_that_cannot_be_read_ends_with_1_and_all_others_are_counted(tmp_path: Path) -> None:
    write_lines(tmp_path / "a.jsonl", [native(0)])
    (tmp_path / "b.jsonl").symlink_to("/proc/self/mem")
    write_lines(tmp_path / "c.jsonl", [native(0)])
    paths = ("a.jsonl", "b.jsonl", "c.jsonl")
    alone, together = (
        logcount("replay", *paths, "--output", "json", "--workers", number, cwd=tmp_path) for number in "12"
    )
    assert together == alone
    assert (alone.status, alone.document["events"]["counted"]) == (1, 2)


def test_a_number_below_one_is_refused(tmp_path: Path) -> None:
    assert logcount("replay", "x", "--workers", "0", cwd=tmp_path).status == 2


def test_a_small_archive_is_counted_by_one_process_and_a_large_one_by_one_a_core(tmp_path: Path) -> None:
    write_lines(tmp_path / "small", [native(0)])
    with (tmp_path / "large").open("wb") as file:
        file.truncate(64 * 1024 * 1024)  # of nothing: only its size is asked for
    assert choose_workers(None, ArchiveSource([str(tmp_path / "small")])) == 1
    assert choose_workers(None, ArchiveSource([str(tmp_path / "large")])) == min(usable_cores(), 8)
    assert choose_workers(None, ArchiveSource([str(tmp_path / "large"), "-"])) == 1
    assert choose_workers(5, ArchiveSource([str(tmp_path / "small")])) == 5
