"""A clock that a test moves: waiting takes no time, moves it on, and lets the test look about and change the world."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from logcount.sinks.clock import Clock

if TYPE_CHECKING:
    from collections.abc import Callable

NOW = datetime(2026, 11, 22, 10, 5, 17, tzinfo=UTC)


class FastClock:
    """Hand in `clock`; `slept` holds the pauses, in seconds; `during` is called in each with its number, from 1."""

    def __init__(self, during: Callable[[int], None] = lambda number: None) -> None:
        self.time = NOW
        self.slept: list[float] = []
        self.during = during
        self.clock = Clock(now=self.now, sleep=self.sleep, chance=lambda: 0.5)

    def now(self) -> datetime:
        """Return the time."""
        return self.time

    async def sleep(self, seconds: float) -> None:
        """Pass that much time at once."""
        assert seconds > 0
        self.slept.append(seconds)
        self.during(len(self.slept))
        self.time += timedelta(seconds=seconds)
        await asyncio.sleep(0)
