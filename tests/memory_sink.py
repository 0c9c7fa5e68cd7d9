"""A sink in memory: a real one, whose service can be away, lose its answers, and refuse items.

`fault` is asked before every attempt what befalls it:

- `away`: nothing is taken;
- `lost`: all is taken, and the answer is lost, so that it is sent again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from logcount.model.points import Mark
from logcount.sinks.clock import Clock

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import timedelta

    from logcount.model.points import Item, Point

Fault = Literal["away", "lost"]

PAUSE_SECONDS = 1.0


class MemorySink:
    """Keeps points in lists: at least once, as every sink does; a repeat has the same record and number."""

    name = "memory"

    def __init__(
        self,
        fault: Callable[[], Fault | None] = lambda: None,
        refusal: Callable[[Item], str | None] = lambda item: None,
        oldest: timedelta | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.fault = fault
        self.refusal = refusal
        self.held: list[Item] = []
        """What was taken, in order, repeats included."""
        self.told: list[Point] = []
        self._oldest = oldest
        self._clock = clock or Clock()
        self._troubles: dict[object, str] = {}

    @property
    def trouble(self) -> str | None:
        return next(iter(self._troubles.values()), None)

    async def send(self, items: Sequence[Item]) -> list[Mark]:
        sending = object()
        try:
            while items:
                fault = self.fault()
                marks = [] if fault == "away" else self._take(items)
                if fault is None:
                    return marks
                self._troubles[sending] = "no answer from memory"
                await self._clock.sleep(PAUSE_SECONDS)
            return []
        finally:
            self._troubles.pop(sending, None)

    async def tell(self, points: Sequence[Point]) -> None:
        if self.fault() != "away":
            self.told += points

    async def close(self) -> None:
        """Nothing to let go of."""

    def _take(self, items: Sequence[Item]) -> list[Mark]:
        marks = []
        for item in items:
            age = self._clock.now() - item.point.minute
            refused = self.refusal(item)
            if self._oldest is not None and age > self._oldest:
                marks.append(Mark(item, "late", f"{age.total_seconds() / 3600:.1f} h old when it was to be sent"))
            elif refused is not None:
                marks.append(Mark(item, "refused", refused))
            else:
                self.held.append(item)
        return marks
