"""One link to a partition: judges, counts and records its events, in order, until it is closed.

Law: events that a link has not recorded when it ends are read again by the next one.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from logcount.errors import Halted, Misconfigured, Unsettled
from logcount.ledger.batch import UncommittedBatch, UncommittedEvent, settle
from logcount.ledger.intake import Arrival, Intake
from logcount.ledger.record import Hole, time_text

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from logcount.ledger.driver import Driver
    from logcount.ledger.head import Head
    from logcount.ledger.intake import StartPosition
    from logcount.model.events import LogEvent
    from logcount.model.points import Tally
    from logcount.run.context import Context

_LOGGER = logging.getLogger(__name__)

PIECE_BYTES = 4 * 1024 * 1024
"""The most bytes of events in one piece: a worker's pipe and memory hold several pieces."""


_Arrived = tuple[int, "datetime", str]
"""An event's sequence number, enqueued time and offset."""


@dataclass(slots=True)
class Missed:
    """The numbers that a partition requested again, across its links; a number skipped twice is missing."""

    hub: str = ""
    first: int = 0
    last: int = -1
    same_after: int | None = None
    """The record after which numbers alone decide, by the operator's choice: another hub created at the same time."""

    @property
    def any(self) -> bool:
        """Whether a number was skipped."""
        return self.last >= self.first

    def covers(self, hub: str, first: int, last: int) -> bool:
        """Return whether all these numbers were skipped before."""
        return self.hub == hub and self.first <= first and last <= self.last

    def ask(self, hub: str, first: int, last: int) -> None:
        """Store the skipped numbers."""
        self.hub, self.first, self.last = hub, first, last

    def meet(self, number: int) -> None:
        """Remove a number that arrived after all, and those after it."""
        if self.first <= number <= self.last:
            self.last = number - 1


class Link:
    """Takes one partition's events while its link to the hub is open."""

    def __init__(self, partition: str, place: StartPosition, head: Head, missed: Missed, context: Context) -> None:
        self.head = head
        self.moved = asyncio.Event()
        """Set when the head has moved."""
        self.received = place.to
        """The last sequence number that is uncommitted or recorded."""
        self._partition = partition
        self._place = place
        self._missed = missed
        self._context = context
        self._driver: Driver = context.driver
        self._intake = Intake(place)
        self._batch = UncommittedBatch(head, place)
        self._pending: deque[tuple[list[_Arrived], asyncio.Task[list[list[Tally]]]]] = deque()
        """Events being counted, without their bodies, which are released as soon as they are counted."""
        self._lock = asyncio.Lock()
        self._confirmed = False
        self._oldest: float | None = None
        self._uncommitted = 0
        self._broken: Unsettled | Halted | None = None
        self._timer: asyncio.Task[None] | None = None
        if place.to > head.to:  # the operator said to begin at the checkpoint
            self._batch.gaps.append(Hole(place.hub, head.to + 1, place.to, "before"))

    async def take(self, batch: Sequence[LogEvent]) -> None:
        """Judge a batch, start counting its new events, and settle when due.

        Raises:
            Unsettled: the partition must be read again.
            Halted: it cannot continue until the operator decides.

        """
        async with self._lock:
            try:
                await self._take(batch)
            except (Unsettled, Halted):
                raise
            except Exception as error:
                self._broken = self._unexpected(error)
                raise self._broken from None

    async def _take(self, batch: Sequence[LogEvent]) -> None:
        self._see_whole()
        if not batch:
            if not self._uncommitted:  # all that was given again is recorded
                self._context.troubles.settle(f"partition {self._partition}")
            return
        if not self._confirmed:
            await self._confirm()
        if self._timer is None:
            self._timer = asyncio.create_task(self._settle_in_time())
        fresh: list[LogEvent] = []
        try:
            await self._judge(batch, fresh)
        except (Unsettled, Halted) as error:
            self._broken = error  # told once all before it is in the batch: else a batch with two gaps never ends
        for piece, size in _pieces(fresh):
            await self._count(piece, size)
            if self._uncommitted >= self._context.interval.events:
                await self._settle()
        self._see_whole()

    async def leave(self) -> None:
        """Settle what is uncommitted, and end."""
        if self._timer is not None:
            self._timer.cancel()
        async with self._lock:
            await self._settle_or_break()
            self._broken = self._broken or Unsettled("the link has ended")
            for _, task in self._pending:
                task.cancel()

    def _see_whole(self) -> None:
        if self._broken is not None:
            raise self._broken

    async def _confirm(self) -> None:
        """Check, at the link's first event, that it is open to the expected hub."""
        state = await self._context.hub_state(time.monotonic())
        if time_text(state.created) != self._place.hub:
            raise Unsettled("the hub was made again while the link was opened")
        self._confirmed = True

    async def _judge(self, batch: Sequence[LogEvent], fresh: list[LogEvent]) -> None:
        """Add the next events of the log to `fresh`."""
        for event in batch:
            if event.enqueued is None:
                raise Halted("the hub gives no enqueued time: it is not one that logcount can follow")
            arrival = Arrival(event.position, event.enqueued)
            if self._missed.any:
                self._missed.meet(arrival.number)
            while (verdict := self._intake.judge(arrival)) in _MINDED:
                await _MINDED[verdict](self, arrival)
            if verdict == "next":
                fresh.append(event)
            else:
                self._context.repeats += 1

    async def _mind_stranger(self, arrival: Arrival) -> None:
        state = await self._context.hub_state(time.monotonic())
        if time_text(state.created) != self._place.hub:
            raise Unsettled("the hub was made again")
        raise self._other_of_same_date(f"event {arrival.number} is not the one that was recorded under this number")

    async def _mind_unmet(self, arrival: Arrival) -> None:
        """Check whether the last recorded event did not come first because the hub has deleted it."""
        place = self._place
        if (await self._first()) > place.to:
            self._intake.meet()
        elif self._missed.covers(place.hub, place.to, place.to):
            raise self._other_of_same_date(
                f"the hub holds event {place.to}, the last that was recorded, and gives {arrival.number} in its place"
            )
        else:
            self._missed.ask(place.hub, place.to, place.to)
            raise Unsettled("the last recorded event did not come first: the partition is read again")

    def _other_of_same_date(self, why: str) -> Unsettled | Halted:
        """Return the error for a hub that has other events but the same creation time.

        It cannot be read from its start: its first events would have the same hub and numbers as recorded ones.
        """
        if self._context.decisions.other_hub == "go on":
            self._missed.same_after = self.head.n
            return Unsettled(f"{why}: the numbers alone decide from here on")
        return Halted(
            f"{why}, though the hub was created when it was: a failover? `logcount run --other-hub go-on` goes by the "
            "numbers alone"
        )

    async def _mind_gap(self, arrival: Arrival) -> None:
        first, last = self._intake.to + 1, arrival.number - 1
        retained = await self._first()
        if retained > first:
            reason = "before" if self.head.n < 0 and first == 0 else "expired"
            self._state_gap(first, min(last, retained - 1), reason)
        elif self._missed.covers(self._place.hub, first, last):
            self._state_gap(first, last, "absent")
        else:
            self._missed.ask(self._place.hub, first, last)
            raise Unsettled(f"events {first} to {last} did not come: the partition is read again")

    def _state_gap(self, first: int, last: int, reason: str) -> None:
        self._batch.gaps.append(Hole(self._place.hub, first, last, reason))  # type: ignore[arg-type]
        self._intake.skip(last)
        _LOGGER.warning("partition %s: events %d to %d are missing: %s", self._partition, first, last, reason)

    async def _first(self) -> int:
        state = await self._driver.insist("event hub", lambda: self._context.hub.partition(self._partition))
        return state.first

    async def _count(self, piece: list[LogEvent], size: int) -> None:
        # all have a time: `_judge` has checked it
        arrived = [(event.position, event.enqueued, event.offset or "") for event in piece if event.enqueued]
        self._pending.append((arrived, await self._context.count(self._partition, piece, size)))
        self._uncommitted += len(piece)
        self.received = piece[-1].position
        if self._oldest is None:
            self._oldest = time.monotonic()

    async def _settle_in_time(self) -> None:
        """Settle when the oldest uncommitted event has waited long enough."""
        while True:
            await asyncio.sleep(max(self._left_to_wait(), 0.01))
            async with self._lock:
                if self._oldest is None or self._left_to_wait() > 0 or self._broken is not None:
                    continue
                await self._settle_or_break()

    async def _settle_or_break(self) -> None:
        try:
            await self._settle()
        except (Unsettled, Halted) as error:
            self._broken = self._broken or error
        except Exception as error:
            self._broken = self._broken or self._unexpected(error)

    def _unexpected(self, error: Exception) -> Unsettled:
        """Report an error that was not foreseen; the partition is read again from where its log ends."""
        return Unsettled(self._context.troubles.report_unexpected(f"partition {self._partition}", error))

    def _left_to_wait(self) -> float:
        """Return how many seconds are left until the oldest uncommitted event is to be settled."""
        waited = 0.0 if self._oldest is None else time.monotonic() - self._oldest
        return self._context.interval.seconds - waited

    async def _settle(self) -> None:
        while self._pending:
            arrived, task = self._pending[0]
            try:
                tallied = await asyncio.shield(task)
            except Misconfigured as error:
                raise Halted(str(error)) from None
            self._pending.popleft()
            self._batch.rows += [
                UncommittedEvent(number, enqueued, offset, tallies)
                for (number, enqueued, offset), tallies in zip(arrived, tallied, strict=True)
            ]
        before, log = self.head.n, self._context.log(self._partition)
        self.head = await self._driver.perform(settle(log, self.head, self._batch, self._context.draft))
        self._oldest = None
        if self.head.n > before:
            fields = {
                "partition": self._partition,
                "record": self.head.n,
                "events": self._uncommitted,
                "to": self.head.to,
            }
            _LOGGER.info("settled", extra={"fields": fields})
        self._uncommitted = 0
        self._context.troubles.settle(f"partition {self._partition}")
        self.moved.set()


_MINDED = {"stranger": Link._mind_stranger, "unmet": Link._mind_unmet, "gap": Link._mind_gap}
"""Handlers for an event that is neither next nor a repeat; it is judged again afterwards."""


def _pieces(events: list[LogEvent]) -> list[tuple[list[LogEvent], int]]:
    """Cut a batch into pieces of at most `PIECE_BYTES`, or of one event; return them with their sizes."""
    whole = sum([len(event.data) for event in events])
    if whole <= PIECE_BYTES:
        return [(events, whole)] if events else []
    pieces: list[tuple[list[LogEvent], int]] = []
    begun = size = 0
    for place, event in enumerate(events):
        if size + len(event.data) > PIECE_BYTES and place > begun:
            pieces.append((events[begun:place], size))
            begun, size = place, 0
        size += len(event.data)
    return [*pieces, (events[begun:], size)]
