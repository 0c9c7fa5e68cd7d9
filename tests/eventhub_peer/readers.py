"""A receiver's link: sends a partition's events from one position on, as fast as credit, socket and faults allow."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from eventhub_peer.encoding import metrics_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from eventhub_peer.faults import Pace
    from eventhub_peer.hubs import Partition
    from eventhub_peer.links import Link

_BURST = 128
"""How many events one link sends in one turn."""
_SAVED_SECONDS = 0.05
"""How much of a rate that was not used may be made up for."""


@dataclass(slots=True)
class Sendings:
    """What was sent over one link."""

    hub: str
    partition: str
    group: str
    client: str
    owner_level: int | None
    events: int = 0
    lowest: int | None = None
    highest: int | None = None
    attached: bool = True

    def add(self, sequence: int) -> None:
        """Count one event."""
        self.events += 1
        self.lowest = sequence if self.lowest is None else min(self.lowest, sequence)
        self.highest = sequence if self.highest is None else max(self.highest, sequence)


class Metronome:
    """Says how many events may go now, and when to ask again."""

    def __init__(self) -> None:
        self._due: float | None = None
        self._since: float | None = None

    def allowance(self, pace: Pace, room: int, now: float) -> tuple[int, float]:
        """Return how many of some events may go, and, where that is none, in how many seconds to ask again."""
        if pace.delay:
            if self._due is None:
                self._due = now + pace.delay
            if now < self._due:
                return 0, self._due - now
            self._due = None
        if pace.rate is None:
            self._since = None
            return min(room, _BURST), 0.0
        step = 1 / pace.rate
        saved = max(1, int(pace.rate * _SAVED_SECONDS)) * step
        since = now - step if self._since is None else max(self._since, now - saved)
        count = min(room, int((now - since) / step + 1e-6), _BURST)
        self._since = since + count * step
        return count, step


class Reader:
    """A receiver's link to a partition."""

    def __init__(
        self,
        link: Link,
        partition: Partition,
        start: int,
        sendings: Sendings,
        pace: Callable[[], Pace],
        on_closed: Callable[[Reader], None],
    ) -> None:
        self.link = link
        self.partition = partition
        self.sendings = sendings
        self._next = start
        self._pace = pace
        self._on_closed = on_closed
        self._metronome = Metronome()
        self._waiting = False

    def pump(self) -> bool:
        """Send a burst (see `links.Node`)."""
        events = self.partition.events
        index = self.partition.index(self._next)
        room = min(self.link.credit, len(events) - index)
        if room <= 0 or not self.sendings.attached or self._waiting:
            return False
        allowed, again = self._metronome.allowance(self._pace(), room, time.monotonic())
        if not allowed:
            self._wait(again)
            return False
        prefix = self._metrics()
        for event in events[index : index + allowed]:
            self.link.send(prefix + event.encoded)
            self.sendings.add(event.sequence)
            self._next = event.sequence + 1
        return room > allowed

    def poke(self) -> None:
        """Send soon, if there is something."""
        self._waiting = False
        self.link.connection.ready(self)

    def rewind(self, events: int) -> None:
        """Go back by so many sequence numbers, in the middle of the link."""
        self._next = max(self.partition.begin, self._next - events)
        self.poke()

    def received(self, message: bytes, message_format: int) -> None:
        """Take nothing: messages go the other way."""

    def closed(self) -> None:
        """End (see `links.Node`)."""
        if self.sendings.attached:
            self.sendings.attached = False
            self._on_closed(self)

    def _wait(self, seconds: float) -> None:
        self._waiting = True
        self.link.connection.later(seconds, self.poke)

    def _metrics(self) -> bytes:
        if not self.link.wish.metrics:
            return b""
        last = self.partition
        return metrics_of(last.end - 1, str(last.last_offset), last.last_enqueued, time.time_ns() // 1_000_000)
