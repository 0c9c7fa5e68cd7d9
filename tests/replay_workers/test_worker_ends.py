"""A worker that ends, or cannot count, is told as what it is, and none outlives those who asked it."""

from __future__ import annotations

import asyncio
import gzip
import json
import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import psutil
import pytest
from commands import logcount, native, write_lines
from counting_badly import (
    Anything,
    be_killed,
    cannot_be_made,
    find_a_setting_wrong,
    leave,
    making,
    run_out_of_memory,
    say_something,
)
from tiny_tokenizer import build

from logcount.errors import Unavailable
from logcount.replay.ordering import PartWorkers
from logcount.sources.archive import MIB

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from logcount.workers.progress import Progress

    Make = Callable[[Progress], Callable[[object], None]]


@pytest.mark.parametrize(
    ("count", "told"),
    [
        (run_out_of_memory, "ran out of memory"),
        (leave, "ended with status 3"),
        (be_killed, "ended by signal 9"),
    ],
)
async def test_a_worker_that_ends_is_an_error_that_says_how(count: Callable[[object], None], told: str) -> None:
    async with PartWorkers(making(count), 1) as workers:
        for asked in [workers.ask(Anything()), workers.ask(Anything())]:
            with pytest.raises(Unavailable, match=told):
                await asked


@pytest.mark.parametrize("make", [cannot_be_made, making(find_a_setting_wrong), making(say_something)])
async def test_what_a_worker_cannot_count_is_left_to_who_asked(
    make: Callable[[Progress], Callable[[object], None]],
) -> None:
    async with PartWorkers(make, 2) as workers:
        assert await asyncio.gather(*(workers.ask(Anything()) for _ in range(5))) == [None] * 5


async def test_workers_are_started_when_there_is_something_to_count() -> None:
    before = psutil.Process().children()
    async with PartWorkers(making(say_something), 3) as workers:
        assert psutil.Process().children() == before
        await workers.ask(Anything())
        assert len(psutil.Process().children()) == len(before) + 1
    assert psutil.Process().children() == before


class Running:
    """A replay of which one worker counts a small file, and the other one that takes it a minute."""

    def __init__(self, folder: Path) -> None:
        write_lines(folder / "a.jsonl", [native(0), native(1)])
        _write_large(folder / "b.gz")
        command = [sys.executable, "-m", "logcount", "replay", "a.jsonl", "b.gz", "--workers", "2"]
        self.process = subprocess.Popen(
            [*command, "--output", "json"],
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        self.busy = self._busy()
        self._workers = psutil.Process(self.process.pid).children()

    def _busy(self) -> psutil.Process:
        """Wait until a worker reads the large file."""
        deadline = time.monotonic() + 180
        while time.monotonic() < deadline:
            for child in psutil.Process(self.process.pid).children():
                if any(file.path.endswith("b.gz") for file in child.open_files()):
                    return child
            time.sleep(0.05)
        raise TimeoutError("no worker came to read")

    def ended(self) -> tuple[int, bytes, bytes]:
        """Return the exit status and what was printed, when nothing of it runs any more."""
        out, err = self.process.communicate(timeout=180)
        _, alive = psutil.wait_procs(self._workers, timeout=180)
        assert alive == []
        return self.process.returncode, out, err


def _write_large(path: Path) -> None:
    """Write a file that is too large to be of one part with another, and holds two million events."""
    line = json.dumps(native(0)).encode() + b"\n"
    path.write_bytes(gzip.compress(line * (9 * MIB // len(line)), 0) + gzip.compress(line * 2000, 1) * 1000)


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    started = Running(tmp_path)
    yield started
    started.process.kill()
    started.process.communicate()


def test_an_interrupt_ends_the_workers_too(running: Running) -> None:
    os.killpg(running.process.pid, signal.SIGINT)  # as a terminal does
    status, _, err = running.ended()
    assert status == 130
    assert err.strip() == b"interrupted"


def test_a_worker_that_is_killed_ends_the_replay_after_what_was_counted(running: Running) -> None:
    running.busy.kill()
    status, out, err = running.ended()
    assert status == 1
    assert b"ended by signal 9" in err
    assert b"Traceback" not in err
    assert json.loads(out)["events"]["counted"] == 2


def test_workers_end_with_a_parent_that_is_killed(running: Running) -> None:
    running.process.kill()
    assert running.ended()[0] == -signal.SIGKILL


def test_a_pipe_is_read_once_and_in_its_place(tmp_path: Path) -> None:
    write_lines(tmp_path / "a.jsonl", [native(0)])
    command = f"{sys.executable} -m logcount replay a.jsonl <(cat a.jsonl a.jsonl) a.jsonl --each --workers 2"
    ran = subprocess.run(["bash", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert [json.loads(line)["position"] for line in ran.stdout.splitlines()] == [1, 1, 2]


def test_a_name_that_means_another_file_in_another_process_is_read_here(tmp_path: Path) -> None:
    write_lines(tmp_path / "a.jsonl", [native(0)])
    write_lines(tmp_path / "b.jsonl", [native(1), native(2)])
    command = f"{sys.executable} -m logcount replay a.jsonl /dev/stdin --each --workers 2 < b.jsonl"
    ran = subprocess.run(["bash", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert [json.loads(line)["id"] for line in ran.stdout.splitlines()] == ["r0", "r1", "r2"]


def test_a_tokenizer_that_cannot_be_loaded_is_told_as_by_one_process(tmp_path: Path) -> None:
    build(tmp_path / "tiny")
    (tmp_path / "tiny" / "tokenizer.json").write_text("{}")
    (tmp_path / "logcount.toml").write_text('[tokenizers]\n"*" = "./tiny"\n')
    write_lines(tmp_path / "a.jsonl", [native(0), native(1, usage=None)])
    alone, together = (
        logcount("replay", "a.jsonl", "--output", "json", "--workers", number, cwd=tmp_path) for number in "12"
    )
    assert alone.status == 2
    assert together == alone
