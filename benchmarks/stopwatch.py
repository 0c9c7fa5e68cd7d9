"""Times commands as whole processes, each on the cores that it is given: what the operating system says of them."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

ROOT = Path(__file__).parent.parent


@dataclass(frozen=True, slots=True)
class Ran:
    """A command that has ended well."""

    wall: float
    """Seconds by the clock."""
    processor: float
    """Seconds of processor time, user and system, of the process and of those that it started and waited for."""
    peak: float
    """Megabytes: the largest of these processes at its largest."""
    output: bytes


def cores() -> list[int]:
    """Return the cores that may be used, one at least."""
    return sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else [0]


@contextmanager
def on_cores(chosen: Collection[int] | None) -> Iterator[None]:
    """Start processes on these cores only, where the system can; None leaves them all."""
    if chosen is None or not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, chosen)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def run(command: Sequence[str], chosen: Collection[int] | None = None) -> Ran:
    """Run a command to its end, on these cores."""
    return run_beside([command], [chosen])[0]


def run_beside(commands: Sequence[Sequence[str]], chosen: Sequence[Collection[int] | None]) -> list[Ran]:
    """Run commands side by side, each on its cores, and return when the last has ended; each has its own time."""
    with tempfile.TemporaryDirectory() as folder:
        outputs, troubles = (
            [Path(folder) / f"{name}-{number}" for number in range(len(commands))] for name in ("out", "err")
        )
        began = time.perf_counter()
        children: dict[int, int] = {}
        for number, (command, its) in enumerate(zip(commands, chosen, strict=True)):
            with on_cores(its), outputs[number].open("wb") as out, troubles[number].open("wb") as err:
                # Reaped below, by what says what it used.
                children[subprocess.Popen(command, stdout=out, stderr=err).pid] = number
        ran: dict[int, Ran] = {}
        while children:
            pid, status, used = os.wait4(-1, 0)
            if pid not in children:
                sys.exit("another process that is needed has ended")
            number = children.pop(pid)
            if status:
                told = troubles[number].read_text(errors="replace")
                sys.exit(f"{' '.join(commands[number])}\n{told}ended with {os.waitstatus_to_exitcode(status)}")
            wall = time.perf_counter() - began
            ran[number] = Ran(wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, outputs[number].read_bytes())
    return [ran[number] for number in range(len(commands))]


def logcount(*arguments: str, settings: Path) -> list[str]:
    """Return the command line that a user would write."""
    return [sys.executable, "-m", "logcount", "--config", str(settings), *arguments]


def replay(
    paths: Sequence[Path], *, settings: Path, workers: int = 1, output: Sequence[str] = ("--output", "json")
) -> list[str]:
    """Return the command line of a replay, with `--workers` where this logcount has it."""
    scaled = ["--workers", str(workers)] if has_workers() else []
    return logcount("replay", *map(str, paths), *output, *scaled, settings=settings)


@cache
def has_workers() -> bool:
    """Say whether replay can use several processes."""
    told = subprocess.run([sys.executable, "-m", "logcount", "replay", "--help"], capture_output=True, check=True)
    return b"--workers" in told.stdout
