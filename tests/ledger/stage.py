"""A stage for scenes with a given course: a quiet world, in which a script does what the hub's source would do."""

from __future__ import annotations

import asyncio
import contextlib
from random import Random
from typing import TYPE_CHECKING, Any

from simulation.chances import quiet
from simulation.schedule import Schedule
from simulation.surroundings import surroundings
from simulation.world import World

from logcount.errors import Unsettled
from logcount.model.events import LogEvent
from logcount.run.context import Decisions

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterable, Iterator

    from simulation.process import Process

    from logcount.ledger.record import Record
    from logcount.run.partition import Partition

PEACE_SECONDS = 60.0


class Stage(Schedule):
    """A world that does nothing of itself."""

    def play(self, process: Process, script: Coroutine[Any, Any, Any]) -> Any:
        """Run a script in a process, to its end and until the dust has settled, and return what it returns."""
        task = process.loop.create_task(script)
        self.wait(PEACE_SECONDS)
        assert not self.world.failures, self.world.failures
        return task.result()

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.world.scheduler.run(self.world.scheduler.now + seconds, enough=lambda: False)

    def process(self, other_hub: Any = "stop", begin_at: Any = "stop") -> Process:
        """Start a process that reads nothing of itself."""
        return self.start("p", set(), Decisions(other_hub, begin_at))

    def events(self, numbers: Iterable[int], partition: str = "0") -> list[LogEvent]:
        """Return events of the present hub as a link gives them."""
        assert self.broker.hub is not None
        log = self.broker.hub.partitions[partition]
        found = [event for number in numbers if (event := log.events[number]) is not None]
        return [LogEvent(one.data, "hub", one.number, one.enqueued, offset=one.offset) for one in found]

    def records(self, partition: str = "0") -> list[Record]:
        """Return the records of a partition."""
        return self.oracle.chains[partition]


@contextlib.contextmanager
def stage(events: int, **changes: Any) -> Iterator[Stage]:
    """Set a stage with a hub of one partition and some events."""
    random = Random(0)
    world = World(random, quiet(random, **changes), traced=True)
    with surroundings(world):
        scene = Stage(world)
        for partition in scene._partitions():
            scene.broker.produce(partition, events)
        scene.wait(1.0)
        try:
            yield scene
        finally:
            scene.end()


async def link(partition: Partition, *batches: list[LogEvent]) -> str | None:
    """Read a partition through one link, and return why it is to be read again or stands still, if so."""
    await partition.start()
    try:
        for batch in batches:
            if partition.halted:
                break
            task = partition.take(batch)
            await _until_halted(partition, task)
    except Unsettled as error:
        return str(error)
    finally:
        await partition.leave()
    return partition.halted


async def _until_halted(partition: Partition, taking: Coroutine[Any, Any, None]) -> None:
    """Wait for a batch to be taken; a partition that stands still would keep it."""
    task = asyncio.get_running_loop().create_task(taking)
    while not task.done() and not partition.halted:
        await asyncio.sleep(0.01)
    if not task.done():
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return
    task.result()
