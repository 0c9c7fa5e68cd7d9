"""A process: the production code, with a loop of its own in the world, from its start to its end or its death."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from logcount.errors import Halted, Unavailable, Unsettled
from logcount.ledger.builder import RecordBuilder
from logcount.ledger.header import Header, agree
from logcount.metrics.fold import PointMaker
from logcount.metrics.series import SeriesBudget
from logcount.model.points import MetricSet
from logcount.run.context import Context, Decisions, Room, SettleInterval
from logcount.run.service import Service
from logcount.run.troubles import Troubles
from simulation.links import SimulatedHub
from simulation.stores import SimulatedCounting, SimulatedSink, SimulatedStore
from simulation.virtual_time import simulated_loop
from simulation.world import SECRET

if TYPE_CHECKING:
    from simulation.hubs import Broker
    from simulation.oracle import Oracle
    from simulation.stores import Accepted, Objects
    from simulation.world import World

UNDECIDED = Decisions()
EXPECTED = (Unsettled, Halted, Unavailable)
"""Errors with which a task of the live count may end: they are told to whoever waits for it."""


class Process:
    """One process of the live count."""

    def __init__(
        self,
        word: str,
        shared: tuple[World, Broker, Objects, Oracle, list[Accepted]],
        owned: set[str],
        decisions: Decisions = UNDECIDED,
    ) -> None:
        world, broker, objects, oracle, sinks = shared
        self.word = word
        self.owned = owned
        """The partitions that fall to it."""
        self.loop = simulated_loop(world.scheduler, world.fail)
        self.hub = SimulatedHub(world, broker, oracle, self)
        self._world = world
        self._stop = asyncio.Event()
        points = PointMaker([MetricSet("logcount", ("API ID",))], SeriesBudget(world.chances.series))
        builder = RecordBuilder(points, writer=word, program="0", clock=world.now, largest=world.chances.largest)
        self.context = Context(
            hub=self.hub,
            store=SimulatedStore(world, objects, oracle, self),
            sinks=[SimulatedSink(world, sink, self) for sink in sinks],
            counting=SimulatedCounting(world, broker.tallies),
            room=Room(world.chances.room),
            draft=builder.draft,
            troubles=Troubles(world.now),
            interval=SettleInterval(world.chances.settle_seconds, world.chances.settle_events),
            decisions=decisions,
        )
        self.service = Service(self.context, namespace="logcount")
        self._main = self.loop.create_task(self._run())
        self._main.add_done_callback(self._end)
        world.note(word, f"starts, and has {sorted(owned)}")

    async def _run(self) -> None:
        await self.context.driver.perform(agree(Header(self.hub.name, "$default", "here")))
        await self.service.run(self._stop)

    def own(self, partitions: set[str]) -> None:
        """Give it other partitions."""
        if partitions != self.owned:
            self.owned = partitions
            self._world.note(self.word, f"has {sorted(partitions)}")
            self.hub.changed.set()

    def stop(self) -> None:
        """Ask it to end."""
        self._world.note(self.word, "is asked to stop")
        self._stop.set()

    def kill(self, when: str) -> None:
        """End it, without another step."""
        self._world.note(self.word, f"is killed {when}")
        self._bury()

    def see_that_nothing_halts(self) -> None:
        """See that no partition waits for the operator, where there is nothing to decide."""
        for partition, why in self.service.report()[2]["halted"].items():
            self._world.fail(f"{self.word} halts at partition {partition}: {why}")

    def _end(self, main: asyncio.Task[None]) -> None:
        if self._world.over:
            return
        error = None if main.cancelled() else main.exception()
        if error is not None or not self._stop.is_set():
            self._world.fail(f"{self.word} ended by itself: {error!r}")
        self._world.happened["stopped and settled"] += 1
        self._bury()

    def _bury(self) -> None:
        self.loop.ended = True
        self._world.happened["repeat dropped"] += self.context.repeats
        self.context.repeats = 0
        for error in self.loop.errors():
            if not isinstance(error, EXPECTED) and SECRET not in str(error):
                self._world.fail(f"{self.word}: a task ended with {error!r}")
