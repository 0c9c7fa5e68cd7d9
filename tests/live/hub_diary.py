"""A reader that keeps a diary of what a source hands over, and of every way in which the source breaks its word."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from typing import TYPE_CHECKING

from logcount.errors import Unsettled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from logcount.model.events import LogEvent


class Diary:
    """A `ports.Reader`: begins where it is told to, and takes as long as it is told to."""

    def __init__(self, *, seconds: float = 0.0) -> None:
        self.offsets: dict[str, str | None] = {}
        """Where to begin, by partition; the first event that is retained where nothing is said."""
        self.seconds = seconds
        """How long a batch takes."""
        self.refusals = 0
        """How many of the next batches are refused."""
        self.stands_still = False
        """Whether the next batch is held until its partition is left."""
        self.events: dict[str, list[LogEvent]] = defaultdict(list)
        self.entries: dict[str, list[str]] = defaultdict(list)
        """What was called and what came of it, by partition."""
        self.broken: list[str] = []
        """How the source broke its word."""
        self._open: set[str] = set()
        self._inside: set[str] = set()

    async def start(self, partition: str) -> str | None:
        if partition in self._open:
            self.broken.append(f"{partition} was begun and not left")
        self._open.add(partition)
        self.entries[partition].append("start")
        return self.offsets.get(partition)

    async def take(self, partition: str, batch: Sequence[LogEvent]) -> None:
        if partition in self._inside:
            self.broken.append(f"{partition} was handed two batches at once")
        if partition not in self._open:
            self.broken.append(f"{partition} was handed a batch and not begun")
        self._inside.add(partition)
        try:
            if batch:  # an empty one says that the link lives
                await self._take(partition, batch)
        except asyncio.CancelledError:
            self.entries[partition].append("cancelled")
            raise
        finally:
            self._inside.discard(partition)

    async def leave(self, partition: str) -> None:
        if partition in self._inside:
            self.broken.append(f"{partition} was left with a batch in hand")
        if partition not in self._open:
            self.broken.append(f"{partition} was left and not begun")
        self._open.discard(partition)
        self.entries[partition].append("leave")

    def numbers(self, partition: str = "0") -> list[int]:
        """Return the sequence numbers that were taken, in their order."""
        return [event.position for event in self.events[partition]]

    @property
    def open(self) -> set[str]:
        """The partitions that are begun and not left."""
        return set(self._open)

    async def _take(self, partition: str, batch: Sequence[LogEvent]) -> None:
        self.entries[partition].append("take")
        if self.refusals:
            self.refusals -= 1
            raise Unsettled("the diary refuses")
        if self.stands_still:
            await asyncio.Event().wait()
        await asyncio.sleep(self.seconds)
        self.events[partition] += batch
        self.entries[partition].append("taken")
