"""Measures the longest gap of the event loop of `logcount run` while megabytes are tokenized, beside idle loops.

    python benchmarks/loop_gap.py [--megabytes M] [--rounds N]

In the process of `logcount run`, which is otherwise as a user starts it, a callback is due every 5 ms; how late it
comes is the gap. In each round the hub is silent, then brings events that report usage, then as many that must be
tokenized. Beside it, in a process of its own, runs a loop that does nothing else: what it is late by is the machine's.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from installed_text import InstalledText
from live_stack import HUB, Stack, run_stack, wait_until
from traffic import Traffic

if TYPE_CHECKING:
    import subprocess

SETTINGS = Path(__file__).parent.parent / "samples" / "logcount.toml"
MODEL = "Qwen/Qwen3-8B"
DUE = 0.005
"""Seconds between two callbacks."""
SILENT = 6.0
"""Seconds of each silent phase."""
AIM = 0.050
PHASES = ("silent", "usage reported", "tokenized")


class Ticker:
    """Writes down, four times a second, how late the latest callback of a loop came."""

    def __init__(self, loop: asyncio.AbstractEventLoop, path: Path) -> None:
        self._loop = loop
        self._file = path.open("a", buffering=1)
        self._due = self._written = time.monotonic()
        self._latest = 0.0

    def tick(self) -> None:
        """Be a callback, and see to the next."""
        now = time.monotonic()
        self._latest = max(self._latest, now - self._due)
        if now - self._written > 0.25:
            self._file.write(f"{time.time()} {self._latest}\n")
            self._written, self._latest = time.monotonic(), 0.0
        self._due = time.monotonic() + DUE
        self._loop.call_later(DUE, self.tick)


def watch_loops(path: Path) -> None:
    """Give every loop that is made in this process a ticker."""

    class Watched(asyncio.DefaultEventLoopPolicy):
        def new_event_loop(self) -> asyncio.AbstractEventLoop:
            loop = super().new_event_loop()
            loop.call_soon(Ticker(loop, path).tick)
            return loop

    asyncio.set_event_loop_policy(Watched())


def be_watched(kind: str, path: Path) -> None:
    """Be `logcount run`, or a loop that does nothing."""
    watch_loops(path)
    if kind == "--idle":
        asyncio.run(asyncio.sleep(3600))
        return
    from logcount.cli import main as logcount  # noqa: PLC0415 - it must find the policy set

    logcount()


def latest(path: Path, since: float, until: float) -> float:
    """Return the longest gap between two moments."""
    rows = (map(float, line.split()) for line in path.read_text().splitlines())
    return max((gap for moment, gap in rows if since < moment <= until), default=0.0)


def events(text: InstalledText, size: int, *, reported: bool) -> list[bytes]:
    """Return events of about so many bytes in all, most of them with long documents."""
    traffic = Traffic(text, MODEL, reported=reported).documents()
    made: list[bytes] = []
    while sum(map(len, made)) < size:
        made.append(next(traffic).line)
    return made


def settled(stack: Stack) -> int:
    """Return how many events stand in the ledger."""
    return stack.totals()["events"]


def phase(stack: Stack, batch: list[bytes]) -> tuple[float, float]:
    """Publish a batch and wait until it is counted and settled; return when this began and ended."""
    began, before = time.time(), settled(stack)
    if not batch:
        time.sleep(SILENT)
    for start in range(0, len(batch), 4):
        stack.peer.publish(HUB, None, batch[start : start + 4])
    wait_until(lambda: settled(stack) >= before + len(batch), 600, "the batch in the ledger")
    time.sleep(0.5)  # the window that is under way is still to be written
    return began, time.time()


def measure(stack: Stack, rounds: int, size: int) -> None:
    """Run the phases in turn, and print a row for each."""
    ours, idle = stack.folder / "ours", stack.folder / "idle"
    text = InstalledText(seed=12)
    stack.settings = {"run__settle_seconds": 1}
    beside = stack.start(program=(__file__, "--idle", str(idle)))
    stack.start(program=(__file__, "--watched", str(ours), "--config", str(SETTINGS)))
    wait_until(lambda: "reading" in stack.logs(), 60, "a link")
    phase(stack, events(text, 2_000_000, reported=False))  # the worker loads the tokenizer
    gaps: dict[str, list[tuple[float, float]]] = {name: [] for name in PHASES}
    seconds: dict[str, list[float]] = {name: [] for name in PHASES}
    for _ in range(rounds):
        for name in PHASES:
            batch = [] if name == "silent" else events(text, size, reported=name != "tokenized")
            began, ended = phase(stack, batch)
            gaps[name].append((latest(ours, began, ended), latest(idle, began, ended)))
            seconds[name].append(ended - began)
    show(gaps, seconds)
    end(beside)


def end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()


def show(gaps: dict[str, list[tuple[float, float]]], seconds: dict[str, list[float]]) -> None:
    """Print the table."""
    print("\n| phase | s | longest gap, ms: run | median | idle loop beside | median |\n|---|---|---|---|---|---|")
    for name, pairs in gaps.items():
        ours, idle = ([pair[side] * 1000 for pair in pairs] for side in (0, 1))
        print(f"| {name} | {statistics.median(seconds[name]):.1f} | {max(ours):.0f} | {statistics.median(ours):.0f} | "
              f"{max(idle):.0f} | {statistics.median(idle):.0f} |")  # fmt: skip
    beyond = [ours - idle for ours, idle in gaps["tokenized"]]
    verdict = "met" if max(beyond) <= AIM else "missed"
    print(f"\nWhile tokenizing, at most {max(beyond) * 1000:.0f} ms beyond the idle loop in the same phase; "
          f"the aim is {AIM * 1000:.0f}: {verdict}.")  # fmt: skip


def main() -> None:
    if sys.argv[1:2] in (["--watched"], ["--idle"]):
        kind, path = sys.argv[1:3]
        del sys.argv[1:3]
        be_watched(kind, Path(path))
        return
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=float, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, run_stack(Path(folder), partitions=2) as stack:
        measure(stack, asked.rounds, int(asked.megabytes * 1e6))


if __name__ == "__main__":
    main()
