"""Event hubs in memory: partitions of events that are numbered, kept in order, and forgotten at the front.

Positions are as in the service: a sequence number counts events from 0, and an offset is where an event's bytes end in
the partition, so that the two are never equal and nobody can take one for the other.
"""

from __future__ import annotations

import zlib
from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from operator import attrgetter
from typing import TYPE_CHECKING

from eventhub_peer.encoding import annotations_of

if TYPE_CHECKING:
    from collections.abc import Collection

NEVER = -62_135_596_800_000
"""The first of January of the year 1 in milliseconds: the enqueued time of what was never enqueued."""

_by_sequence = attrgetter("sequence")
_by_offset = attrgetter("offset")
_by_enqueued = attrgetter("enqueued")


@dataclass(frozen=True, slots=True)
class Event:
    """One event as it is kept: its position, and the bytes that go over the wire, encoded once."""

    sequence: int
    offset: int
    enqueued: int
    """Milliseconds since 1970."""
    encoded: bytes


@dataclass(slots=True)
class Partition:
    """One partition: the events that it still holds, in order, and where its numbers stand."""

    id: str
    events: list[Event] = field(default_factory=list)
    begin: int = 0
    """The first sequence number that is retained, whether or not its event was dropped."""
    end: int = 0
    """The sequence number that the next event gets."""
    last_offset: int = -1
    last_enqueued: int = NEVER

    def append(self, payload: bytes, enqueued: int, key: str | None = None) -> None:
        """Add an event: its sections from the properties on, its enqueued time in milliseconds, its partition key."""
        offset = max(self.last_offset, 0) + len(payload) + 64  # never equal to a sequence number
        annotations = annotations_of(self.end, str(offset), enqueued, key)
        self.events.append(Event(self.end, offset, enqueued, annotations + payload))
        self.end += 1
        self.last_offset = offset
        self.last_enqueued = enqueued

    def expire(self, before: int) -> None:
        """Forget the events in front of a sequence number, as retention does."""
        self.begin = max(self.begin, min(before, self.end))
        del self.events[: self.index(self.begin)]

    def drop(self, sequences: Collection[int]) -> int:
        """Lose some events, so that their sequence numbers are missing; return how many were there."""
        before = len(self.events)
        self.events = [event for event in self.events if event.sequence not in sequences]
        return before - len(self.events)

    def index(self, sequence: int) -> int:
        """Return the place in `events` of the first event at or past a sequence number."""
        return bisect_left(self.events, sequence, key=_by_sequence)

    def at_offset(self, offset: int, *, inclusive: bool) -> int:
        """Return the sequence number to read from for an offset."""
        return self._sequence((bisect_left if inclusive else bisect_right)(self.events, offset, key=_by_offset))

    def at_time(self, enqueued: int, *, inclusive: bool) -> int:
        """Return the sequence number to read from for an enqueued time in milliseconds."""
        return self._sequence((bisect_left if inclusive else bisect_right)(self.events, enqueued, key=_by_enqueued))

    def _sequence(self, index: int) -> int:
        return self.events[index].sequence if index < len(self.events) else self.end


@dataclass(slots=True)
class Hub:
    """One event hub."""

    name: str
    created: int
    """Milliseconds since 1970."""
    partitions: list[Partition]
    groups: frozenset[str] | None = None
    """The consumer groups that exist, in lower case; None when any name will do."""
    _turn: int = 0

    def grow(self, count: int) -> None:
        """Add partitions."""
        self.partitions += [Partition(str(len(self.partitions) + more)) for more in range(count)]

    def partition(self, identity: str) -> Partition | None:
        """Return a partition, if it is there."""
        return next((one for one in self.partitions if one.id == identity), None)

    def by_key(self, key: str) -> Partition:
        """Return the partition that a key belongs to (by another hash than the service's)."""
        return self.partitions[zlib.crc32(key.encode()) % len(self.partitions)]

    def by_turn(self) -> Partition:
        """Return the partitions one after the other."""
        self._turn += 1
        return self.partitions[(self._turn - 1) % len(self.partitions)]
