"""What counts in the workers of these tests: events whose bodies are orders end, kill, hang or fail their worker."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from logcount.errors import Misconfigured
from logcount.model.points import Tally

if TYPE_CHECKING:
    from pathlib import Path

    from logcount.model.events import LogEvent
    from logcount.workers.progress import Progress


def _fail() -> None:
    raise RecursionError("the text of a body")


def _exhaust() -> None:
    raise MemoryError


ORDERS: dict[bytes, Callable[[], object]] = {
    b"exit": lambda: os._exit(3),
    b"kill": lambda: os.kill(os.getpid(), signal.SIGKILL),
    b"fail": _fail,
    b"exhaust": _exhaust,
    b"hang": lambda: time.sleep(1000),
}


Count = Callable[[Sequence["LogEvent"]], list[list[Tally]]]


def make(progress: Progress) -> Count:
    """Return what does as the bodies order; an event that lets it live is counted with its number as its tokens."""

    def count(batch: Sequence[LogEvent]) -> list[list[Tally]]:
        tallied = []
        for place, event in enumerate(batch):
            progress.begin(place)
            tallied.append(_one(event))
        return tallied

    return count


def _one(event: LogEvent) -> list[Tally]:
    if event.data in ORDERS:
        ORDERS[event.data]()
    if event.data == b"slow":
        time.sleep(0.02)
    if event.problem is not None:
        return [Tally("rejected", 0, (), event.problem)]
    return [Tally("counted", 0, (), None, (event.position, 0, event.position, None, None))]


def make_calm(progress: Progress) -> Count:
    """Return what counts whatever the bodies order."""
    return lambda batch: [[Tally("counted", 0, (), None, (event.position, 0, 0, None, None))] for event in batch]


def refuse(progress: Progress) -> Count:
    """Say that these settings cannot be counted with."""
    raise Misconfigured("there is no such tokenizer")


def make_once(stamp: Path, progress: Progress) -> Count:
    """Return what counts, in the first worker only: a second one does not start."""
    stamp.touch(exist_ok=False)
    return make(progress)


def make_loading(stamp: Path, progress: Progress) -> Count:
    """Return what is killed while it loads something for its first event, until there is a stamp."""
    count = make(progress)

    def load_and_count(batch: Sequence[LogEvent]) -> list[list[Tally]]:
        progress.begin(0)
        with progress.loading():
            if not stamp.exists():
                os.kill(os.getpid(), signal.SIGKILL)
        return count(batch)

    return load_and_count
