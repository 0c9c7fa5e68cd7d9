"""Tracks the progress of reading in a thread, and stops it."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from threading import Event
from typing import TYPE_CHECKING, TypeVar

from logcount.sources.archive.inputs import Stopped
from logcount.sources.archive.limits import KIB

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import Executor

    from logcount.sources.archive.files import OpenFile
    from logcount.sources.archive.inputs import OpenInput

_WAKE_SECONDS = 0.25
"""How often a waiting event loop wakes: a signal just before it sleeps is else handled only with the next event."""

Item = TypeVar("Item")


class Progress:
    """The progress of a reading, and whether it is stopped; shared by the event loop's thread and the reader's."""

    def __init__(self, progress: Callable[[int], None] | None = None) -> None:
        self._progress = progress
        self._stopped = Event()
        self.read_bytes = 0

    def check(self) -> None:
        """Raise `Stopped` if the reading was cancelled."""
        if self._stopped.is_set():
            raise Stopped

    def report(self) -> None:
        """Report how many bytes were read since the last report."""
        count, self.read_bytes = self.read_bytes, 0
        if self._progress and count:
            self._progress(count)

    async def next(self, items: Iterator[Item], reader: Executor) -> Item | None:
        """Return the next item, computed in a thread; None at the end. If cancelled, wait until the thread stops."""
        step = asyncio.get_running_loop().run_in_executor(reader, _next_of, items)
        try:
            while not step.done():
                await asyncio.wait([step], timeout=_WAKE_SECONDS)
        except asyncio.CancelledError:
            self._stopped.set()
            while not step.done():
                with suppress(asyncio.CancelledError):
                    await asyncio.wait([step])
            step.exception()  # retrieved, so that asyncio does not warn; most likely Stopped
            raise
        return step.result()


def _next_of(items: Iterator[Item]) -> Item | None:
    return next(items, None)


class WatchedInput:
    """An open input that counts the bytes read, and stops when the reading is cancelled."""

    def __init__(self, reading: OpenInput, progress: Progress) -> None:
        self._reading = reading
        self._progress = progress

    def read(self, size: int, /) -> bytes:
        """Return the next bytes."""
        self._progress.check()
        data = self._reading.read(size)
        self._progress.read_bytes += len(data)
        return data


_BEYOND_BYTES = 64 * KIB
"""Bytes read at a time after the end of a section: usually the rest of one line is needed."""


class Section:
    """A file read from one byte before a section; only the bytes of the section are counted."""

    def __init__(self, reading: OpenFile, start: int, end: int | None, progress: Progress) -> None:
        self._reading = WatchedInput(reading, progress)
        self._beyond = WatchedInput(reading, Progress())
        self._check = progress.check
        self._at = max(start - 1, 0)
        self._end = end
        reading.seek(self._at)
        progress.read_bytes -= start - self._at  # one byte is of the section before

    def read(self, size: int, /) -> bytes:
        """Return the next bytes, also after the section's end."""
        self._check()
        if self._end is None:
            return self._reading.read(size)
        left = self._end - self._at
        data = self._reading.read(min(size, left)) if left > 0 else self._beyond.read(min(size, _BEYOND_BYTES))
        self._at += len(data)
        return data
