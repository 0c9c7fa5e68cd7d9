"""The intake of one link to a partition: decides which of the broker's events are the next in the log.

Law: hub, partition and number identify an event. Number and enqueued time together distinguish a repeat from another
hub's event; a skipped number is requested again before it is called missing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

from logcount.errors import Halted

if TYPE_CHECKING:
    from datetime import datetime

    from logcount.ledger.head import Head

Decision = Literal["stop", "go on", "anew"]
"""What to do if the hub is not the ledger's: wait, treat it as the same hub, or begin at its first event."""


class Arrival(NamedTuple):
    """What identifies an event: its sequence number and its enqueued time."""

    number: int
    enqueued: datetime


@dataclass(frozen=True, slots=True)
class StartPosition:
    """Where a link to a partition begins: in which hub, and after which event."""

    hub: str
    to: int = -1
    enqueued: datetime | None = None
    clock: datetime | None = None
    offset: str | None = None
    """The broker's offset of event `to`, the first event to read; None: the first retained event."""
    numbers_only: bool = False
    """Whether the operator said to go on with another hub: then numbers alone identify a repeat."""


def start_after(head: Head, hub: str, created: datetime, decision: Decision = "stop") -> StartPosition:
    """Return where a link to a hub with this creation time begins, given the ledger's head.

    Raises:
        Halted: the hub is neither the ledger's nor one created later.

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
        "failover? `logcount run --other-hub go-on` treats it as the same, `--other-hub anew` begins at its first event"
    )


def start_at_checkpoint(head: Head, hub: str, number: int, offset: str) -> StartPosition:
    """Return the position of a checkpoint without a record, if the operator said to begin there."""
    return StartPosition(hub, number, None, head.clock, offset, numbers_only=True)


class Intake:
    """Judges the events of one link, in their order: next, repeat, after a gap, or from another hub."""

    def __init__(self, place: StartPosition) -> None:
        self._place = place
        self._met = place.to < 0 or place.numbers_only
        self.to = place.to
        self._clock = place.clock

    def judge(self, event: Arrival) -> Literal["next", "repeat", "gap", "stranger", "unmet"]:
        """Classify an event; only `next` moves the intake.

        `gap`: numbers before it were skipped. `stranger`: it cannot come from the log's hub. `unmet`: the first event
        should be the last recorded one, but is a later one.
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
        """Accept that the last recorded event has expired: the first event may be a later one."""
        self._met = True

    def skip(self, last: int) -> None:
        """Accept that all numbers up to `last` are missing."""
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
