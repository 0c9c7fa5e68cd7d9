"""The simulated hub: its events, what it has let go of, and its successors under the same name."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from logcount.errors import Unavailable
from logcount.ledger.record import time_text
from logcount.model.points import Tally
from logcount.ports import HubState, PartitionState

if TYPE_CHECKING:
    from datetime import datetime

    from simulation.world import World

SPACING = 24
"""Between two offsets; those of a hub's successor are the same again."""


@dataclass(frozen=True, slots=True)
class Event:
    """An event of a hub, and what it is to be counted as."""

    number: int
    enqueued: datetime
    offset: str
    data: bytes
    tallies: tuple[Tally, ...]


@dataclass(slots=True)
class PartitionEvents:
    """The events of one partition of one hub, by number; None where a number was given to none."""

    events: list[Event | None] = field(default_factory=list)
    first: int = 0
    """The first number that is retained."""

    @property
    def last(self) -> int:
        return len(self.events) - 1

    def at_offset(self, offset: str | None) -> int | None:
        """Return the number at which a link begins; None where the offset is beyond the last."""
        number = 0 if offset is None else int(offset) // SPACING
        return None if number > self.last and offset is not None else max(number, self.first)

    def last_event(self) -> Event | None:
        """Return the last event that is retained."""
        return next((event for event in reversed(self.events[self.first :]) if event is not None), None)


@dataclass(slots=True)
class Incarnation:
    """One life of a hub, from its creation to its deletion."""

    created: datetime
    partitions: dict[str, PartitionEvents]
    deleted: float | None = None


class Broker:
    """Holds the hub and all that it was before."""

    name = "eventhub:contoso/apim-logs"

    def __init__(self, world: World) -> None:
        self._world = world
        self.lives: dict[str, Incarnation] = {}
        """By the `created_at` that records name."""
        self.hub: Incarnation | None = None
        self.checkpoints: dict[str, tuple[int, str]] = {}
        """They outlive the hub."""
        self.tallies: dict[bytes, tuple[Tally, ...]] = {}
        self.make(tuple(str(number) for number in range(world.chances.partitions)))

    def make(self, partitions: tuple[str, ...], created: datetime | None = None) -> None:
        """Make the hub anew; where it is said when, it is another that took over its name."""
        world = self._world
        created = created or world.now() + timedelta(milliseconds=1)
        self.hub = Incarnation(created, {partition: PartitionEvents() for partition in partitions})
        self.lives[time_text(created)] = self.hub
        world.note("hub", f"created at {time_text(created)} with {', '.join(partitions)}")

    def delete(self) -> None:
        """Delete the hub; links to it end, sooner or later."""
        if self.hub is not None:
            self.hub.deleted = self._world.scheduler.now
            self.hub = None
            self._world.note("hub", "deleted")

    def add(self, partition: str) -> None:
        """Add a partition."""
        if self.hub is not None:
            self.hub.partitions[partition] = PartitionEvents()
            self._world.note("hub", f"partition {partition} added")

    def produce(self, partition: str, number: int) -> None:
        """Take events; at times a number is left out."""
        if self.hub is None:
            return
        log = self.hub.partitions[partition]
        for _ in range(number):
            while self._world.chance(self._world.chances.absent):
                log.events.append(None)
            log.events.append(self._event(partition, len(log.events), self.hub.created))
        self._world.note("hub", f"partition {partition} holds {log.first} to {log.last}")

    def expire(self, partition: str, number: int) -> None:
        """Let go of the first events."""
        if self.hub is not None:
            log = self.hub.partitions[partition]
            log.first = min(log.first + number, log.last + 1)
            self._world.note("hub", f"partition {partition} retains {log.first} to {log.last}")

    def _event(self, partition: str, number: int, created: datetime) -> Event:
        random = self._world.random
        skew = timedelta(milliseconds=random.choice((0, 0, 0, random.randrange(3000))))
        enqueued = max(self._world.now() - skew, created + timedelta(milliseconds=1))
        data = f"{time_text(created)} {partition}/{number}".encode() + b"." * random.choice((0, 0, 30))
        tallies = tuple(self._tally(enqueued) for _ in range(random.choice((1, 1, 1, 1, 2, 3, 0))))
        self.tallies[data] = tallies
        return Event(number, enqueued, str(number * SPACING), data, tallies)

    def _tally(self, enqueued: datetime) -> Tally:
        random = self._world.random
        minute = int(enqueued.timestamp()) // 60 - random.randrange(2)
        dimensions = (("API ID", random.choice("ab")),)
        word = random.choice(("counted",) * 5 + ("uncounted", "skipped", "rejected"))
        if word != "counted":
            return Tally(word, minute, () if word == "rejected" else dimensions, f"reason {random.choice('xy')}")
        prompt, completion = (random.getrandbits(60) for _ in range(2))  # so that no two mistakes cancel out
        known = None if random.random() < 0.1 else prompt
        return Tally(word, minute, dimensions, None, (known, completion, (known or 0) + completion, None, None), "t")


class HubCalls:
    """What the broker does when a process asks it; each is one operation's effect."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker

    def state(self) -> HubState:
        hub = self._hub()
        return HubState(hub.created, tuple(hub.partitions))

    def partition(self, partition: str) -> PartitionState:
        log = self._hub().partitions.get(partition)
        if log is None:
            raise Unavailable("the hub has no such partition")
        return PartitionState(log.first, log.last)

    def _hub(self) -> Incarnation:
        if self._broker.hub is None:
            raise Unavailable("the hub is being made")
        return self._broker.hub
