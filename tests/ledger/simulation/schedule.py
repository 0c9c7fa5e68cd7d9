"""A schedule: some time of mischief in a world drawn from a seed, then peace, in which everything must come to rest."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

from logcount.ledger.record import time_text
from simulation.chances import Chances, draw
from simulation.hubs import Broker
from simulation.oracle import Oracle
from simulation.process import UNDECIDED, Process
from simulation.stores import Accepted, Objects
from simulation.surroundings import surroundings
from simulation.world import World

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable

    from logcount.run.context import Decisions

REST_SECONDS = 400.0
"""How long all may take to come to rest, once nothing fails any more: some of the longest waits between two tries."""


@dataclass(frozen=True, slots=True)
class Ran:
    """How a schedule went."""

    seed: int
    chances: Chances
    failures: list[str]
    happened: Counter[str]
    trace: list[str]
    rested: float
    """After how many seconds of peace all was at rest."""


def run(seed: int, focus: str | None = None, *, traced: bool = False) -> Ran:
    """Run the schedule of a seed."""
    random = Random(seed)
    world = World(random, draw(random, focus), traced=traced)
    with surroundings(world):
        schedule = Schedule(world)
        rested = schedule.run()
        schedule.end()
    return Ran(seed, world.chances, world.failures, world.happened, world.trace or [], rested)


class Schedule:
    """One world and its processes."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.broker = Broker(world)
        self.objects = Objects()
        self.sinks = [Accepted(name) for name in world.chances.sinks]
        self.oracle = Oracle(world, self.broker, self.objects, self.sinks)
        self.processes: list[Process] = []
        """All that ever were."""
        self._slots: list[Process] = []
        self._made = 0

    def run(self) -> float:
        """Make mischief, then peace; return how long it took to come to rest."""
        world = self.world
        for partition in self._partitions():
            self.broker.produce(partition, world.random.randrange(8))
            self.broker.expire(partition, world.random.choice((0, 0, 3)))
        for slot in range(world.chances.processes):
            self._slots.append(self.start(f"p{slot}", self._some()))
        self._act()
        world.scheduler.run(world.chances.seconds, enough=lambda: bool(world.failures))
        if not world.failures:
            self._make_peace()
        began = world.scheduler.now
        while not world.failures and (why := self._unrest()):
            if world.scheduler.now > began + REST_SECONDS:
                world.fail(f"all is not at rest after {REST_SECONDS} s: {why}")
            self._nudge(why, world.scheduler.now - began)
            world.scheduler.run(world.scheduler.now + 3.0, enough=lambda: bool(world.failures))
            self._replace_the_dead()
        if not world.failures:
            self.oracle.see_end()
        return world.scheduler.now - began

    def end(self) -> None:
        """End the world, and what is left of its processes."""
        self.world.over = True
        for process in self.processes:
            process.loop.ended = True
            self.world.happened["repeat dropped"] += process.context.repeats
        for process in self.processes:
            process.loop.reap()

    def start(self, slot: str, owned: set[str], decisions: Decisions = UNDECIDED) -> Process:
        """Start a process."""
        self._made += 1
        shared = self.world, self.broker, self.objects, self.oracle, self.sinks
        process = Process(f"{slot}.{self._made}", shared, owned, decisions)
        self.processes.append(process)
        return process

    def _nudge(self, why: list[str], waited: float) -> None:
        """Help, once, where rest is not promised without.

        A checkpoint that a late write has put back is written again at the next start. A record whose write took
        effect when its writer was dead, and others had begun, is seen with the next event.
        """
        happened = self.world.happened
        late = happened["took effect when there was peace"] and not self.world.pending
        if late and not happened["nudged: an event"]:
            happened["nudged: an event"] += 1
            for partition in self._partitions():
                self.broker.produce(partition, 1)
        if waited > 60 and all(one.startswith("the checkpoint") for one in why) and not happened["nudged: a restart"]:
            happened["nudged: a restart"] += 1
            for process in self._slots:
                process.stop()

    def _unrest(self) -> list[str]:
        """Return what is not recorded, emitted or checkpointed, or amiss."""
        why = ["a write is under way"] if self.world.pending else []
        for process in self._slots:
            ready, alive, document = process.service.report()
            if process.loop.ended or not ready or not alive:
                why.append(f"{process.word}: {document['troubles']} {document['halted']}")
        hub = self.broker.hub
        for partition, log in hub.partitions.items() if hub is not None else ():
            chain = self.oracle.chains[partition]
            event = log.last_event()
            last = chain[-1] if chain else None
            own = last if last is not None and hub is not None and last.hub == time_text(hub.created) else None
            if event is not None and (own is None or own.to < event.number):
                why.append(f"event {event.number} of partition {partition} is not recorded")
            why += [
                f"{sink.name} lacks records of partition {partition}"
                for sink in self.sinks
                if self.oracle.cursor(partition, sink.name) < len(chain) - 1
            ]
            if last is not None and self.broker.checkpoints.get(partition) != (last.to, last.offset):
                why.append(f"the checkpoint of partition {partition} is not at {last.to}")
        return why

    def _make_peace(self) -> None:
        world = self.world
        world.mischief = False
        world.away.clear()
        world.note("--", "peace")
        if self.broker.hub is None:
            self.broker.make(self._names())
        self._replace_the_dead()
        for number, partition in enumerate(self._partitions()):
            if world.chances.last_event:
                self.broker.produce(partition, 1)
            owner = self._slots[number % len(self._slots)]
            for process in self._slots:
                process.own(process.owned | {partition} if process is owner else process.owned - {partition})
        self._changed()

    def _replace_the_dead(self) -> None:
        for slot, process in enumerate(self._slots):
            if process.loop.ended:
                self._slots[slot] = self.start(f"p{slot}", process.owned)

    def _act(self) -> None:
        """Do something to the world, and again after a while."""
        world = self.world
        if not world.mischief:
            return
        actions = world.chances.actions
        (name,) = world.random.choices(list(actions), list(actions.values()))
        world.note("--", name)
        _ACTIONS[name](self)
        world.happened[name] += 1
        for slot, process in enumerate(self._slots):
            if process.loop.ended and world.chance(0.3):
                self._slots[slot] = self.start(f"p{slot}", self._some())
        world.later(world.random.choice((0.05, 0.5, 2.0, 4.0)), self._act)

    def _partitions(self) -> tuple[str, ...]:
        return tuple(self.broker.hub.partitions) if self.broker.hub is not None else ()

    def _names(self) -> tuple[str, ...]:
        return tuple(list(self.broker.lives.values())[-1].partitions)

    def _some(self) -> set[str]:
        return {partition for partition in self._names() if self.world.random.random() < 0.7}

    def _one(self) -> str | None:
        partitions = self._partitions()
        return self.world.random.choice(partitions) if partitions else None

    def _alive(self) -> Process | None:
        alive = [process for process in self._slots if not process.loop.ended]
        return self.world.random.choice(alive) if alive else None

    def _changed(self) -> None:
        for process in self._slots:
            if not process.loop.ended:
                process.hub.changed.set()

    def _produce(self) -> None:
        if (partition := self._one()) is not None:
            self.broker.produce(partition, self.world.random.choice((1, 1, 2, 5)))

    def _expire(self) -> None:
        if (partition := self._one()) is not None:
            self.broker.expire(partition, self.world.random.choice((1, 3, 10)))

    def _remake(self) -> None:
        if self.broker.hub is None:
            return
        names = self._names()
        self.broker.delete()

        def make() -> None:
            if self.broker.hub is None:
                self.broker.make(names)
                for partition in names:
                    self.broker.produce(partition, self.world.random.choice((0, 1, 4, 12)))
                self.world.later(self.world.random.choice((0.01, 1.0, 20.0)), self._changed)

        self.world.later(self.world.random.choice((0.005, 0.5, 6.0)), make)

    def _add(self) -> None:
        if len(self._partitions()) in {1, 2}:
            self.broker.add(str(len(self._partitions())))
            self.world.later(self.world.random.choice((0.01, 1.0, 20.0)), self._changed)

    def _rebalance(self) -> None:
        if (process := self._alive()) is not None:
            process.own(self._some())

    def _kill(self) -> None:
        if (process := self._alive()) is not None:
            process.kill("between two operations")

    def _stop(self) -> None:
        if (process := self._alive()) is not None:
            process.stop()

    def _outage(self, part: str) -> None:
        self.world.away[part] = self.world.scheduler.now + self.world.random.choice((0.5, 5.0, 40.0))


_ACTIONS: dict[str, Callable[[Schedule], None]] = {
    "produce": Schedule._produce,
    "expire": Schedule._expire,
    "remake": Schedule._remake,
    "add partition": Schedule._add,
    "rebalance": Schedule._rebalance,
    "kill": Schedule._kill,
    "stop": Schedule._stop,
    "store outage": lambda self: self._outage("store"),
    "sink outage": lambda self: self._outage(self.world.random.choice(self.world.chances.sinks)),
    "hub outage": lambda self: self._outage(self.world.random.choice(("hub", "checkpoints"))),
}
