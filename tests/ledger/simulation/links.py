"""A process's links to the simulated hub: partitions are shared out, links are opened, break, and give events.

Within a link events come again, are left out (the next link of the process gives them), or expire before they come. A
link to a hub that was deleted gives what it holds for a while, and ends.
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from logcount.errors import Unavailable, Unsettled
from logcount.model.events import LogEvent
from simulation.hubs import HubCalls

if TYPE_CHECKING:
    from collections.abc import Sequence

    from logcount.ports import HubState, PartitionState, Reader
    from simulation.hubs import Broker, Event, Incarnation, PartitionEvents
    from simulation.oracle import Oracle
    from simulation.process import Process
    from simulation.world import World

IDLE_SECONDS = (1.0, 5.0)
PREFETCHED_SECONDS = 6.0
"""How long at most a link gives events of a hub that is deleted."""


class SimulatedHub:
    """The hub as one process sees it; satisfies `ports.Hub`."""

    def __init__(self, world: World, broker: Broker, oracle: Oracle, process: Process) -> None:
        self.name = broker.name
        self.changed = asyncio.Event()
        """Set when the partitions that fall to the process may be others, or the hub may be."""
        self._world = world
        self._broker = broker
        self._oracle = oracle
        self._process = process
        self._calls = HubCalls(broker)
        self._left_out: dict[str, tuple[Incarnation, _LeftOut]] = {}

    async def state(self) -> HubState:
        return await self._world.call(self._process, "hub", "state of the hub", self._calls.state)

    async def partition(self, partition: str) -> PartitionState:
        what = f"state of partition {partition}"
        return await self._world.call(self._process, "hub", what, lambda: self._calls.partition(partition))

    async def checkpointed(self, partition: str) -> tuple[int, str] | None:
        what = f"checkpoint of {partition}"
        found = self._broker.checkpoints
        return await self._world.call(self._process, "checkpoints", what, lambda: found.get(partition))

    async def checkpoint(self, partition: str, number: int, offset: str) -> None:
        def write() -> None:
            self._oracle.checkpointed(partition, number, offset)
            self._broker.checkpoints[partition] = number, offset

        await self._world.call(self._process, "checkpoints", f"checkpoint of {partition} at {number}", write)

    async def deliver(self, reader: Reader) -> None:
        began = await self.state()
        self._process.context.troubles.settle("event hub")
        links: dict[str, asyncio.Task[None]] = {}
        try:
            while True:
                self.changed.clear()
                if self._outdated(began):
                    raise Unavailable("the hub has other partitions, or was made again")
                for partition in sorted(set(began.partitions) & self._process.owned - links.keys()):
                    links[partition] = asyncio.create_task(self._read(partition, reader))
                    links[partition].add_done_callback(partial(self._let_go, links, partition))
                for partition in sorted(links.keys() - self._process.owned):
                    if not links[partition].cancelling() and self._world.chance(self._world.chances.cancelled):
                        links[partition].cancel()
                await self.changed.wait()
        finally:
            left = list(links.values())
            for task in left:
                if not task.cancelling():
                    task.cancel()
            await asyncio.gather(*left, return_exceptions=True)

    def _let_go(self, links: dict[str, asyncio.Task[None]], partition: str, _: object) -> None:
        del links[partition]
        self._process.context.troubles.forget(f"partition {partition}")  # as a real hub's, at every sharing out
        self.changed.set()

    def _outdated(self, began: HubState) -> bool:
        hub = self._broker.hub
        return hub is not None and (hub.created != began.created or tuple(hub.partitions) != began.partitions)

    async def _read(self, partition: str, reader: Reader) -> None:
        while partition in self._process.owned:
            try:
                offset = await reader.start(partition)
                self._process.see_that_nothing_halts()
                await self._follow(partition, offset, reader)
            except Unsettled as error:
                self._world.happened[f"read again: {re.sub('[0-9]+', 'N', str(error))}"] += 1
                self._world.note(self._process.word, f"partition {partition} is read again: {error}")
            finally:
                await reader.leave(partition)
                self._process.see_that_nothing_halts()
            await asyncio.sleep(self._world.random.uniform(0.01, 3.0))

    async def _follow(self, partition: str, offset: str | None, reader: Reader) -> None:
        await asyncio.sleep(self._world.random.choice((0.01, 0.1, 2.0)))
        hub = self._broker.hub
        log = hub.partitions.get(partition) if hub is not None else None
        begin = log.at_offset(offset) if log is not None else None
        if hub is None or log is None or begin is None:
            self._world.happened["link refused"] += 1
            return
        self._world.note(self._process.word, f"link to partition {partition} at {begin}")
        link = _Link(self._world, hub, log, begin, self._leave_out(partition, hub, log, begin))
        while partition in self._process.owned and not link.ends():
            batch = link.batch()
            if batch:
                self._world.note(self._process.word, f"partition {partition} gives {[one.position for one in batch]}")
            await reader.take(partition, batch)
            link.took(batch)
            if not batch:
                await asyncio.sleep(self._world.random.uniform(*IDLE_SECONDS))

    def _leave_out(self, partition: str, hub: Incarnation, log: PartitionEvents, begin: int) -> _LeftOut:
        """Draw numbers that this link does not give: none that was passed over by a link and has not come since."""
        if self._left_out.get(partition, (hub, None))[0] is not hub or partition not in self._left_out:
            self._left_out[partition] = hub, _LeftOut()
        left_out = self._left_out[partition][1]
        left_out.now = set()
        if self._world.chance(self._world.chances.hidden):
            first = begin + self._world.random.choice((0, 0, 1, 2, 3, 4))
            left_out.now = set(range(first, first + self._world.random.randrange(1, 4))) - left_out.passed
            self._world.note(self._process.word, f"the link leaves out {sorted(left_out.now)}")
        return left_out


@dataclass(slots=True)
class _LeftOut:
    """Numbers that the links of a process to a partition pass over."""

    now: set[int] = field(default_factory=set)
    """By the present link."""
    passed: set[int] = field(default_factory=set)
    """By some link, and not taken since."""

    def let_through(self, events: Sequence[Event | None]) -> list[Event]:
        """Return the events that the link gives."""
        given = [event for event in events if event is not None and event.number not in self.now]
        if given:
            self.passed |= {number for number in self.now if number < given[-1].number}
        return given


class _Link:
    def __init__(self, world: World, hub: Incarnation, log: PartitionEvents, begin: int, left_out: _LeftOut) -> None:
        self._world = world
        self._hub = hub
        self._log = log
        self._left_out = left_out
        self._next = max(begin - world.random.randrange(3), 0) if world.chance(world.chances.again) else begin

    def ends(self) -> bool:
        world, deleted = self._world, self._hub.deleted
        if deleted is not None and world.scheduler.now > deleted + world.random.uniform(0, PREFETCHED_SECONDS):
            return True
        if self._left_out.now and not world.mischief:
            return True  # else an event that is left out last would never be missed
        return world.chance(world.chances.broken)

    def took(self, batch: Sequence[LogEvent]) -> None:
        """See that what was left out has come."""
        self._left_out.passed.difference_update(event.position for event in batch)

    def batch(self) -> Sequence[LogEvent]:
        """Return the next events; at times some come again first."""
        world, log = self._world, self._log
        if world.chance(world.chances.again):
            self._next = max(self._next - world.random.randrange(1, 5), 0)
        begin = self._next = max(self._next, log.first)
        end = min(begin + world.random.choice(world.chances.batches), len(log.events))
        self._next = max(end, begin)
        given = self._left_out.let_through(log.events[begin:end])
        return [LogEvent(one.data, "hub", one.number, one.enqueued, offset=one.offset) for one in given]
