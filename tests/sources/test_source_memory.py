"""Memory does not grow with the archive: each reading runs in a process of its own, which tells its peak."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from log_archives import capture_file, captured

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

READ = r"""
import asyncio, re, sys
from pathlib import Path
from logcount.sources.archive import ArchiveSource

count = 0

async def handle(batch):
    global count
    count += len(batch)

asyncio.run(ArchiveSource([sys.argv[1]]).deliver(handle))
# The peak of this program; getrusage would tell that of the process which started it, if it was larger.
print(count, re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())[1])
"""
SMALL, TEN_TIMES, MARGIN_KIB = 1000, 10000, 8 * 1024
EVENT = json.dumps({"responseBody": json.dumps({"text": 'words and "words" \n' * 900})}).encode()  # 20 KB
PIECE = EVENT + b"\n"


def peak_kib(path: Path, count: int) -> int:
    done = subprocess.run([sys.executable, "-c", READ, str(path)], capture_output=True, check=True, text=True)
    counted, peak = map(int, done.stdout.split())
    assert counted == count
    return peak


def lines(file: Path, count: int) -> None:
    with file.open("wb") as out:
        for _ in range(count):
            out.write(PIECE)


def packed_lines(file: Path, count: int) -> None:
    file.write_bytes(gzip.compress(PIECE * 100, 1) * (count // 100))


def document(file: Path, count: int) -> None:
    with file.open("wb") as out:
        out.write(b'{"records":[')
        for number in range(count):
            out.write((b"," if number else b"") + EVENT)
        out.write(b"]}")


def avro(file: Path, count: int) -> None:
    file.write_bytes(
        capture_file((captured(number, EVENT) for number in range(count)), "deflate", block_bytes=1_000_000)
    )


@pytest.mark.parametrize("write", [lines, packed_lines, document, avro])
def test_the_peak_is_the_same_for_ten_times_the_archive(tmp_path: Path, write: Callable[[Path, int], None]) -> None:
    write(tmp_path / "small", SMALL)
    write(tmp_path / "large", TEN_TIMES)

    small, large = peak_kib(tmp_path / "small", SMALL), peak_kib(tmp_path / "large", TEN_TIMES)

    assert large < small + MARGIN_KIB


def test_the_peak_is_the_same_for_ten_thousand_files(tmp_path: Path) -> None:
    for number in range(10_000):
        if number % 1000 == 0:
            (tmp_path / f"{number:05}").mkdir()
        (tmp_path / f"{number // 1000 * 1000:05}" / str(number)).write_bytes(PIECE)

    one, all_of_them = peak_kib(tmp_path / "00000" / "0", 1), peak_kib(tmp_path, 10_000)

    assert all_of_them < one + 3 * MARGIN_KIB  # two batches of 8 MiB are part of it: one handled, one being made


def test_the_peak_is_bounded_for_a_line_without_end(tmp_path: Path) -> None:
    with (tmp_path / "line").open("wb") as out:
        for _ in range(200):
            out.write(b"x" * 1024 * 1024)
    (tmp_path / "short").write_bytes(PIECE)

    one, endless = peak_kib(tmp_path / "short", 1), peak_kib(tmp_path / "line", 1)

    assert endless < one + 100 * 1024
