"""What counts in the workers of these tests: events whose bodies are orders end, kill, hang or fail their worker."""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING

from logcount.errors import Misconfigured
from logcount.model.points import Tally

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from logcount.model.events import LogEvent


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


def tally(batch: Sequence[LogEvent]) -> list[list[Tally]]:
    """Do what the bodies order; an event that lets it live is counted with its number as its tokens."""
    return [_one(event) for event in batch]


def _one(event: LogEvent) -> list[Tally]:
    if event.data in ORDERS:
        ORDERS[event.data]()
    if event.problem is not None:
        return [Tally("rejected", 0, (), event.problem)]
    return [Tally("counted", 0, (), None, (event.position, 0, event.position, None, None))]


def make() -> Callable[[Sequence[LogEvent]], list[list[Tally]]]:
    """Return what counts."""
    return tally


def make_calm() -> Callable[[Sequence[LogEvent]], list[list[Tally]]]:
    """Return what counts whatever the bodies order."""
    return lambda batch: [[Tally("counted", 0, (), None, (event.position, 0, 0, None, None))] for event in batch]


def refuse() -> Callable[[Sequence[LogEvent]], list[list[Tally]]]:
    """Say that these settings cannot be counted with."""
    raise Misconfigured("there is no such tokenizer")


def make_once(stamp: Path) -> Callable[[Sequence[LogEvent]], list[list[Tally]]]:
    """Return what counts, in the first worker only: a second one does not start."""
    stamp.touch(exist_ok=False)
    return tally
