"""The record builder: writes the next record of a log from uncommitted rows, folded into points, of a bounded size."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from logcount.ledger.record import LARGEST, Hole, Reasoned, Record, Span

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime

    from logcount.ledger.batch import UncommittedBatch, UncommittedEvent
    from logcount.ledger.head import Head
    from logcount.metrics.fold import PointMaker
    from logcount.model.points import Tally


class RecordBuilder:
    """Drafts records; what it writes is final."""

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
        """Return the next record, of all uncommitted rows or of the first half, quarter … where all are too many."""
        rows = batch.rows
        while True:
            record = self._record(head, batch, rows)
            if len(record.data) <= self._largest or len(rows) == 1:
                return record
            rows = rows[: len(rows) // 2]

    def _record(self, head: Head, batch: UncommittedBatch, rows: Sequence[UncommittedEvent]) -> Record:
        now = self._clock()
        first, last = batch.first(head), rows[-1]
        tallies = [tally for row in rows for tally in row.tallies]
        others = [(row.number, tally) for row in rows for tally in row.tallies if tally.word != "counted"]
        clock = max(row.enqueued for row in rows)
        continues = first > 0 and head.clock is not None
        gaps = [gap for gap in batch.gaps if gap.last < last.number]
        tokenizers = sorted({tally.tokenizer for tally in tallies if tally.tokenizer})
        return Record(
            n=head.n + 1,
            prev=head.id,
            hub=batch.hub,
            first=first,
            to=last.number,
            enqueued=last.enqueued,
            clock=max(clock, head.clock) if continues and head.clock else clock,
            offset=last.offset,
            events=len(rows),
            holes=tuple(_joined([*head.holes, *gaps])),
            points=tuple(self._points.fold(tallies, now)),
            uncounted=_by_reason(others, "uncounted"),
            rejected=_by_reason(others, "rejected"),
            skipped=_by_reason(others, "skipped"),
            counted_with={"logcount": self._program, "tokenizers": tokenizers},
            writer=self._writer,
            written=now,
        )


def _by_reason(numbered: Iterable[tuple[int, Tally]], word: str) -> tuple[Reasoned, ...]:
    numbers: dict[str, list[int]] = defaultdict(list)
    for number, tally in numbered:
        if tally.word == word:
            numbers[tally.reason or ""].append(number)
    return tuple(Reasoned(reason, len(at), tuple(_spans(at))) for reason, at in sorted(numbers.items()))


def _spans(numbers: Iterable[int]) -> list[Span]:
    """Return ascending numbers as spans; one that comes twice stands in them once."""
    spans: list[Span] = []
    for number in numbers:
        if spans and number <= spans[-1].last + 1:
            spans[-1] = Span(spans[-1].first, number)
        else:
            spans.append(Span(number, number))
    return spans


def _joined(holes: Iterable[Hole]) -> list[Hole]:
    """Return holes with those that touch, for the same reason, made one."""
    joined: list[Hole] = []
    for hole in holes:
        last = joined[-1] if joined else None
        if last and (last.hub, last.reason, last.last + 1) == (hole.hub, hole.reason, hole.first):
            joined[-1] = Hole(hole.hub, last.first, hole.last, hole.reason)
        else:
            joined.append(hole)
    return joined
