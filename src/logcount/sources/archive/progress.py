"""Progress: how far a reading in a thread has come, and whether it is to go on."""

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
"""How often a waiting loop looks about: a signal that comes as it lies down would else be seen with the next event."""

Item = TypeVar("Item")


class Progress:
    """How far a reading has come, and whether it is to go on; shared by the loop's thread and the reader's."""

    def __init__(self, progress: Callable[[int], None] | None = None) -> None:
        self._progress = progress
        self._stopped = Event()
        self.read_bytes = 0

    def check(self) -> None:
        """Raise `Stopped` if nobody waits any more."""
        if self._stopped.is_set():
            raise Stopped

    def report(self) -> None:
        """Tell how many bytes were read since the last report."""
        count, self.read_bytes = self.read_bytes, 0
        if self._progress and count:
            self._progress(count)

    async def next(self, items: Iterator[Item], reader: Executor) -> Item | None:
        """Make the next item in a thread; None at the end. When cancelled, wait until the thread has stopped."""
        step = asyncio.get_running_loop().run_in_executor(reader, _next_of, items)
        try:
            while not step.done():
                await asyncio.wait([step], timeout=_WAKE_SECONDS)
        except asyncio.CancelledError:
            self._stopped.set()
            while not step.done():
                with suppress(asyncio.CancelledError):
                    await asyncio.wait([step])
            step.exception()  # Stopped, most likely; looked at, so that nobody complains that it was not
            raise
        return step.result()


def _next_of(items: Iterator[Item]) -> Item | None:
    return next(items, None)


class WatchedInput:
    """A reading whose bytes are counted, and which ends when nobody waits any more."""

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
"""How much is read at a time behind the end of a section: seldom more than a line is asked for."""


class Section:
    """A file read from one byte before a section on; bytes of the section itself are counted."""

    def __init__(self, reading: OpenFile, start: int, end: int | None, progress: Progress) -> None:
        self._reading = WatchedInput(reading, progress)
        self._beyond = WatchedInput(reading, Progress())
        self._check = progress.check
        self._at = max(start - 1, 0)
        self._end = end
        reading.seek(self._at)
        progress.read_bytes -= start - self._at  # one byte is of the section before

    def read(self, size: int, /) -> bytes:
        """Return the next bytes, also behind the section's end."""
        self._check()
        if self._end is None:
            return self._reading.read(size)
        left = self._end - self._at
        data = self._reading.read(min(size, left)) if left > 0 else self._beyond.read(min(size, _BEYOND_BYTES))
        self._at += len(data)
        return data
