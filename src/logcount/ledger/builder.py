"""The record builder: makes the next record of a log, of limited size, from uncommitted rows folded into points."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, TypedDict

from logcount.errors import Halted
from logcount.ledger.record import LARGEST, Hole, Reasoned, Record, Span, decode_record
from logcount.model.points import minute_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime

    from logcount.ledger.batch import UncommittedBatch, UncommittedEvent
    from logcount.ledger.head import Head
    from logcount.metrics.fold import PointMaker
    from logcount.model.points import Tally


class RecordBuilder:
    """Drafts records; a draft is never changed."""

    def __init__(
        self,
        points: PointMaker,
        *,
        writer: str,
        program: str,
        clock: Callable[[], datetime],
        largest: int = LARGEST,
    ) -> None:
        self._points = points
        self._writer = writer
        self._program = program
        self._clock = clock
        self._largest = largest

    def draft(self, head: Head, batch: UncommittedBatch) -> Record:
        """Return the next record, from all uncommitted rows, or from the first half, quarter … if all are too many.

        An event of which the points alone are too many is folded within itself. Without rows it is a tick: a record of
        what is overdue, which leaves the log where it was.
        """
        rows = batch.rows
        record = self._record(head, batch, rows)
        while len(record.data) > self._largest and len(rows) > 1:
            rows = rows[: len(rows) // 2]
            record = self._record(head, batch, rows)
        if len(record.data) > self._largest and rows:
            record = self._record(head, batch, [self._folded(rows[0])])
        return _readable(record)

    def _folded(self, row: UncommittedEvent) -> UncommittedEvent:
        room = self._largest // 2
        return row._replace(tallies=self._points.fold_event(row.tallies, minute_of(row.enqueued), room))

    def _record(self, head: Head, batch: UncommittedBatch, rows: Sequence[UncommittedEvent]) -> Record:
        now = self._clock()
        numbered = [*batch.overdue, *((row.number, tally) for row in rows for tally in row.tallies)]
        tallies = [tally for _, tally in numbered]
        return Record(
            n=head.n + 1,
            prev=head.id,
            **_span_of(head, batch, rows),
            events=len(rows),
            points=tuple(self._points.fold(tallies, now)),
            uncounted=_by_reason(numbered, "uncounted"),
            rejected=_by_reason(numbered, "rejected"),
            skipped=_by_reason(numbered, "skipped"),
            counted_with={
                "logcount": self._program,
                "tokenizers": sorted({tally.tokenizer for tally in tallies if tally.tokenizer}),
            },
            writer=self._writer,
            written=now,
        )


def _readable(record: Record) -> Record:
    """Return a record that reads back as what it is: what is created once can never be mended.

    Raises:
        Halted: it does not.

    """
    if decode_record(record.data).data != record.data:
        raise Halted("a record would not be read back as it is written")
    return record


class _RecordSpan(TypedDict):
    """The events that a record covers, and the state of the log after it."""

    hub: str
    first: int
    to: int
    enqueued: datetime
    clock: datetime
    offset: str
    holes: tuple[Hole, ...]


def _span_of(head: Head, batch: UncommittedBatch, rows: Sequence[UncommittedEvent]) -> _RecordSpan:
    if not rows:
        return _no_span(head)
    first, last = batch.first(head), rows[-1]
    clock = max(row.enqueued for row in rows)
    continues = first > 0 and head.clock is not None
    return _RecordSpan(
        hub=batch.hub,
        first=first,
        to=last.number,
        enqueued=last.enqueued,
        clock=max(clock, head.clock) if continues and head.clock else clock,
        offset=last.offset,
        holes=tuple(_joined([*head.holes, *(gap for gap in batch.gaps if gap.last < last.number)])),
    )


def _no_span(head: Head) -> _RecordSpan:
    """Return the span of a tick: empty, after the last recorded event."""
    if head.hub is None or head.enqueued is None or head.clock is None or head.offset is None:
        raise ValueError("in an empty log nothing can be overdue")
    return _RecordSpan(
        hub=head.hub,
        first=head.to + 1,
        to=head.to,
        enqueued=head.enqueued,
        clock=head.clock,
        offset=head.offset,
        holes=head.holes,
    )


def _by_reason(numbered: Iterable[tuple[int, Tally]], word: str) -> tuple[Reasoned, ...]:
    numbers: dict[str, list[int]] = defaultdict(list)
    for number, tally in numbered:
        if tally.word == word:
            numbers[tally.reason or ""].append(number)
    return tuple(Reasoned(reason, len(at), tuple(_spans(at))) for reason, at in sorted(numbers.items()))


def _spans(numbers: Iterable[int]) -> list[Span]:
    """Return ascending numbers as spans; repeated numbers are merged."""
    spans: list[Span] = []
    for number in numbers:
        if spans and number <= spans[-1].last + 1:
            spans[-1] = Span(spans[-1].first, number)
        else:
            spans.append(Span(number, number))
    return spans


def _joined(holes: Iterable[Hole]) -> list[Hole]:
    """Return the holes, with adjacent ones of the same hub and reason merged."""
    joined: list[Hole] = []
    for hole in holes:
        last = joined[-1] if joined else None
        if last and (last.hub, last.reason, last.last + 1) == (hole.hub, hole.reason, hole.first):
            joined[-1] = Hole(hole.hub, last.first, hole.last, hole.reason)
        else:
            joined.append(hole)
    return joined
