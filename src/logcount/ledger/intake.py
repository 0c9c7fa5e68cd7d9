"""The intake of one link to a partition: which of the broker's events are the next of the log.

Law: an event is one of this hub, this partition and its number. Number and arrival together tell a repeat from another
hub's event; a number that is left out is asked for again before it is called missing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

from logcount.errors import Halted

if TYPE_CHECKING:
    from datetime import datetime

    from logcount.ledger.head import Head

Decision = Literal["stop", "go on", "anew"]
"""What the operator says of a hub that is not the ledger's: wait, take it for the same, or begin at its first event."""


class Arrival(NamedTuple):
    """What identifies an event: its sequence number, and when the broker took it."""

    number: int
    enqueued: datetime


@dataclass(frozen=True, slots=True)
class StartPosition:
    """Where a link to a partition begins: which hub it is one to, and after which of its events."""

    hub: str
    to: int = -1
    enqueued: datetime | None = None
    clock: datetime | None = None
    offset: str | None = None
    """The broker's offset of event `to`, with which the link begins; None: with the first event retained."""
    numbers_only: bool = False
    """Whether the operator said to go on with another hub: then its numbers alone tell a repeat."""


def start_after(head: Head, hub: str, created: datetime, decision: Decision = "stop") -> StartPosition:
    """Return where a link to a hub that was created then is to begin, after this head.

    Raises:
        Halted: the hub is not the ledger's and not one that was created since.

    """
    if head.hub is None:
        return StartPosition(hub)
    if head.hub == hub:
        return StartPosition(hub, head.to, head.enqueued, head.clock, head.offset)
    if head.clock is None or created > head.clock or decision == "anew":
        return StartPosition(hub)
    if decision == "go on":
        return StartPosition(hub, head.to, None, head.clock, None, numbers_only=True)
    raise Halted(
        f"the hub was created at {hub}, the ledger is of one created at {head.hub} with events up to {head.clock}: a "
        "failover? `logcount run --other-hub go-on` takes it for the same, `--other-hub anew` begins at its first event"
    )


def start_at_checkpoint(head: Head, hub: str, number: int, offset: str) -> StartPosition:
    """Return a place at a checkpoint that has no record, where the operator said to begin there."""
    return StartPosition(hub, number, None, head.clock, offset, numbers_only=True)


class Intake:
    """Judges the events of one link, in their order: they are the next, a repeat, beyond a gap, or strangers."""

    def __init__(self, place: StartPosition) -> None:
        self._place = place
        self._met = place.to < 0 or place.numbers_only
        self.to = place.to
        self._clock = place.clock

    def judge(self, event: Arrival) -> Literal["next", "repeat", "gap", "stranger", "unmet"]:
        """Say what an event is; only `next` moves the intake.

        `gap`: numbers are left out before it. `stranger`: it cannot be of the hub that the log is of. `unmet`: the
        first event ought to be the log's own last, and is a later one.
        """
        if event.number <= self.to:
            return self._judge_old(event)
        if not self._met:
            return "unmet"
        if event.number > self.to + 1:
            return "gap"
        self.to = event.number
        if self._clock is None or event.enqueued > self._clock:
            self._clock = event.enqueued
        return "next"

    def meet(self) -> None:
        """Take it that the log's own last event has expired: what comes after it need not be preceded by it."""
        self._met = True

    def skip(self, last: int) -> None:
        """Take it that all up to `last` is missing."""
        self.to = last

    def _judge_old(self, event: Arrival) -> Literal["repeat", "stranger"]:
        place = self._place
        if not place.numbers_only and (self._clock is None or event.enqueued > self._clock):
            return "stranger"
        if event.number == place.to and not place.numbers_only:
            if event.enqueued != place.enqueued:
                return "stranger"
            self._met = True
        return "repeat"
