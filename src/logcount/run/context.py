"""The context of a live count: the objects and state that its partitions share."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from logcount.ledger.driver import Driver
from logcount.ledger.log import log_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from logcount.ledger.batch import Draft
    from logcount.ledger.intake import Decision
    from logcount.model.events import LogEvent
    from logcount.model.points import Tally
    from logcount.ports import Counting, Hub, HubState, Sink, Store
    from logcount.run.troubles import Troubles


SLOW_SECONDS = 10.0
"""After how long the counting of a piece is told as a trouble."""


@dataclass(frozen=True, slots=True)
class SettleInterval:
    """When a partition's uncommitted events are recorded, whichever comes first."""

    seconds: float = 30.0
    events: int = 5000


@dataclass(frozen=True, slots=True)
class Decisions:
    """The operator's choices for a ledger, a hub and checkpoints that contradict each other."""

    other_hub: Decision = "stop"
    begin_at: Literal["stop", "ledger", "checkpoint"] = "stop"
    """Where to begin if a checkpoint has no record: at the end of the ledger, or after the checkpoint."""


class Room:
    """Limits the bytes of events being counted; a piece larger than the limit is admitted alone."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._taken = 0
        self._freed = asyncio.Event()

    async def enter(self, size: int) -> None:
        """Wait until there is room for `size` bytes, and take it."""
        while self._taken and self._taken + size > self._size:
            self._freed.clear()
            await self._freed.wait()
        self._taken += size

    def leave(self, size: int) -> None:
        """Give room back."""
        self._taken -= size
        self._freed.set()


@dataclass(slots=True)
class Context:
    """The components of a live count, and the state that all its partitions share."""

    hub: Hub
    store: Store
    sinks: Sequence[Sink]
    counting: Counting
    room: Room
    draft: Draft
    troubles: Troubles
    interval: SettleInterval = SettleInterval()
    decisions: Decisions = Decisions()
    repeats: int = 0
    """The number of events that were delivered again and dropped."""
    _hub_lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    _hub_seen: tuple[float, HubState] | None = None

    def log(self, partition: str) -> str:
        """Return the name of a partition's log."""
        return log_name(self.hub.name, partition)

    @property
    def driver(self) -> Driver:
        """A driver for the steps of the protocol."""
        return Driver(self.store, self.troubles)

    async def hub_state(self, after: float) -> HubState:
        """Return the hub's state at some moment after `after` (monotonic clock); callers share one request."""
        async with self._hub_lock:
            if self._hub_seen is None or self._hub_seen[0] < after:
                asked = time.monotonic()
                state = await self.driver.insist("event hub", self.hub.state)
                self._hub_seen = asked, state
            return self._hub_seen[1]

    async def count(self, partition: str, piece: Sequence[LogEvent], size: int) -> asyncio.Task[list[list[Tally]]]:
        """Start counting events of `size` bytes once there is room; the room is freed when they are counted."""
        await self.room.enter(size)
        task = asyncio.ensure_future(self.counting.count(partition, piece))
        what, why = f"counting of partition {partition}", f"has taken more than {SLOW_SECONDS:.0f} s"
        timer = asyncio.get_running_loop().call_later(SLOW_SECONDS, self.troubles.rise, what, why)

        def leave(counted: asyncio.Task[list[list[Tally]]]) -> None:
            timer.cancel()
            self.troubles.settle(what)
            self.room.leave(size)
            if not counted.cancelled():
                counted.exception()  # looked at, for the case that the link has ended and nobody else does

        task.add_done_callback(leave)
        return task
