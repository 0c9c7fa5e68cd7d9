"""Mutants: small pieces of the protocol with one rule taken out, to be put in the place of what is right."""

from __future__ import annotations

import contextlib
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from simulation.stores import Objects

from logcount.errors import Halted, Unsettled
from logcount.ledger import batch, builder, cursor, log
from logcount.ledger.intake import StartPosition
from logcount.ledger.log import reaches, read_record, record_name
from logcount.ledger.record import decode_record
from logcount.ledger.steps import Create, Read, Replace, Send
from logcount.run.context import Context
from logcount.run.emission import Emission, End
from logcount.run.link import Link
from logcount.run.partition import Partition

if TYPE_CHECKING:
    from collections.abc import Callable

    from logcount.ledger.batch import UncommittedBatch
    from logcount.ledger.head import Head
    from logcount.ledger.record import Record

Steps = Any


def judge_without_repeats(self: Any, event: Any) -> str:
    if event.number == self._place.to:
        self._met = True
        return "repeat"
    return "next"


def judge_by_numbers(self: Any, event: Any) -> str:
    self._met = self._met or event.number == self._place.to
    return "repeat"


def judge_without_gaps(self: Any, event: Any) -> str:
    if event.number <= self.to:
        return str(self._judge_old(event))
    self.to = event.number
    self._clock = max(self._clock or event.enqueued, event.enqueued)
    return "next"


def append_that_trusts(*trusts: bool | None) -> Callable[..., Steps]:
    def append(log_: str, head: Head, record: Record) -> Steps:
        name = record_name(log_, record.n)
        while True:
            if (yield Create(name, record.data)) in trusts:
                return head.after(record)
            stored = yield Read(name)
            if stored is not None:
                return head.after(decode_record(stored.data))

    return append


def follow_in_order(order: str) -> Callable[..., Steps]:
    """Return an emission whose steps come in this order: of s(end), m(ark), c(ursor)."""

    def follow(log_: str, sink: str, at: Any, last: int) -> Steps:
        record = yield from read_record(log_, at.n + 1)
        marks, moved = [], at
        for step in order:
            if step == "s":
                marks = yield Send(record.items())
            elif step == "m" and marks:
                yield from cursor._write_marks(log_, sink, record, marks)
            elif step == "c":
                moved = yield from cursor._move(log_, sink, at, at.n + 1)
        return moved

    return follow


def move_anywhere(log_: str, sink: str, at: Any, n: int) -> Steps:
    name = cursor.cursor_name(log_, sink)
    while at.n != n:
        data = cursor._cursor(n)
        yield Create(name, data) if at.tag is None else Replace(name, data, at.tag)
        at = yield from cursor.read_cursor(log_, sink)
    return at


def write_own_marks(log_: str, sink: str, record: Record, marks: Any) -> Steps:
    name = cursor.marks_name(log_, record.n, sink)
    stored = yield Read(name)
    rows = [{"number": mark.item.number, "why": mark.why, "answer": mark.answer} for mark in marks]
    data = json.dumps({"v": 1, "record": record.id, "marks": rows}).encode()
    yield Create(name, data) if stored is None else Replace(name, data, stored.tag)


def write_without_tags(self: Any, name: str, data: bytes, tag: str | None) -> bool:
    held = self.held.get(name)
    return bool(_WRITE(self, name, data, held.tag if held and tag is not None else tag))


_WRITE = Objects.write


def take_over_that(*, drop: bool = True, rest: bool = True, other: bool = True) -> Callable[[Any, Head], None]:
    def take_over(self: Any, head: Head) -> None:
        if other and head.hub not in (self.hub, self._before):
            raise Unsettled("the ledger has gone on to another hub")
        if drop and self._continues(head):
            self.rows = [row for row in self.rows if row.number > head.to and rest]
            self.gaps = [batch._beyond(gap, head.to) for gap in self.gaps if gap.last > head.to]

    return take_over


def settle_without_looking(log_: str, head: Head, held: UncommittedBatch, draft: Any) -> Steps:
    while held.rows:
        head = yield from log.append(log_, head, draft(head, held))
        held.take_over(head)
    return head


def place_as_the_same(head: Head, hub: str, *_: Any) -> StartPosition:
    if head.hub is None:
        return StartPosition(hub)
    return StartPosition(hub, head.to, head.enqueued, head.clock, head.offset, numbers_only=head.hub != hub)


async def find_place_at_checkpoint(self: Any) -> StartPosition:
    place: StartPosition = await _FIND_PLACE(self)
    checkpoint = await self._driver.insist("checkpoints", lambda: self._context.hub.checkpointed(self.name))
    if checkpoint is None:
        return place
    return replace(place, to=checkpoint[0], offset=checkpoint[1], enqueued=None, numbers_only=True)


_FIND_PLACE = Partition._find_place


async def confirm_nothing(self: Any) -> None:
    self._confirmed = True


async def confirm_what_was_known(self: Any) -> None:
    await self._context.hub_state(0.0)
    self._confirmed = True


def record_with(change: Callable[[Any, Any, Record], Record]) -> Callable[..., Record]:
    before = builder.RecordBuilder._record

    def record(self: Any, head: Head, held: UncommittedBatch, rows: Any) -> Record:
        return change(head, rows, before(self, head, held, rows))

    return record


def without_holes_before(head: Head, rows: Any, record: Record) -> Record:
    return replace(record, holes=tuple(hole for hole in record.holes if hole.hub == record.hub))


def by_its_own_clock(head: Head, rows: Any, record: Record) -> Record:
    return replace(record, clock=max(row.enqueued for row in rows))


def draft_of_all(self: Any, head: Head, held: UncommittedBatch) -> Record:
    record: Record = self._record(head, held, held.rows)
    return record


async def step_to_the_head(self: Any, head: Head) -> None:
    await _STEP(self, head)
    if head.offset is not None:
        self.end = End(head.n, head.to, head.offset)


_STEP = Emission.step


def reaches_in_this_hub(log_: str, head: Head, number: int) -> Steps:
    return head.to >= number
    yield


async def mind_gap_before_all(self: Any, arrival: Any) -> None:
    first, last = self._intake.to + 1, arrival.number - 1
    if self.head.n < 0 and first == 0:
        self._state_gap(first, last, "before")
    else:
        await _MIND_GAP(self, arrival)


_MIND_GAP = Link._mind_gap


async def take_events_only(self: Any, batch: Any) -> None:
    if batch:
        await _TAKE(self, batch)


_TAKE = Link.take


async def judge_all_or_none(self: Any, batch: Any, fresh: list[Any]) -> None:
    try:
        await _JUDGE(self, batch, fresh)
    except Unsettled:
        fresh.clear()
        raise


_JUDGE = Link._judge


async def hub_state_of_old(self: Any, after: float) -> Any:
    return await _HUB_STATE(self, after - 5.0)


_HUB_STATE = Context.hub_state


@contextlib.contextmanager
def forgetting_nothing(self: Any, what: str) -> Any:
    yield


async def mind_unmet_by_meeting(self: Any, arrival: Any) -> None:
    self._intake.meet()


async def find_place_with_an_old_checkpoint(self: Any) -> StartPosition:
    """Ask for the checkpoint after the walk, as if the ledger could not have gone on in between."""
    hub, asked = self._context.hub, []

    async def checkpointed(name: str) -> Any:
        asked.append(name)
        return None

    with patch.object(hub, "checkpointed", checkpointed):
        place = await _FIND_PLACE(self)
    checkpoint = await self._driver.insist("checkpoints", lambda: hub.checkpointed(self.name))
    if checkpoint is not None and not await self._driver.perform(
        reaches(self._context.log(self.name), self.head, checkpoint[0])
    ):
        raise Halted("the checkpoint is beyond the ledger")
    return place
