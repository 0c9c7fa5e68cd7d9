"""Rows, hands and records for tests of the ledger."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from logcount.ledger.batch import UncommittedBatch, UncommittedEvent
from logcount.ledger.builder import RecordBuilder
from logcount.ledger.head import Head, head_of
from logcount.ledger.intake import StartPosition
from logcount.ledger.record import Record, time_text
from logcount.metrics.fold import PointMaker
from logcount.metrics.series import SeriesBudget
from logcount.model.points import MetricSet, Tally

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

BEGAN = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
HUB = time_text(BEGAN)
LATER_HUB = time_text(BEGAN + timedelta(hours=1))
EMPTY = Head()
MINUTE = int(BEGAN.timestamp()) // 60


def tally(total: int = 1, word: str = "counted", reason: str | None = None, **dimensions: str) -> Tally:
    """Return what an exchange came to."""
    tokens = (None, None, total, None, None) if word == "counted" else ()
    return Tally(word, MINUTE, tuple(dimensions.items()), reason, tokens)


def row(number: int, *tallies: Tally, seconds: int | None = None) -> UncommittedEvent:
    """Return an uncommitted event, a second after the one before."""
    enqueued = BEGAN + timedelta(seconds=number if seconds is None else seconds)
    return UncommittedEvent(number, enqueued, f"offset {number}", tallies or (tally(),))


def holding(
    numbers: Iterable[int | UncommittedEvent], head: Head = EMPTY, hub: str = HUB, **place: Any
) -> UncommittedBatch:
    """Return a batch with rows of these numbers."""
    batch = UncommittedBatch(head, StartPosition(hub, **place))
    batch.rows = [one if isinstance(one, UncommittedEvent) else row(one) for one in numbers]
    return batch


def builder(**options: Any) -> RecordBuilder:
    """Return a record builder whose clock stands still."""
    points = PointMaker([MetricSet("logcount", ("API ID",))], SeriesBudget(1000))
    return RecordBuilder(points, writer="w", program="0", clock=lambda: BEGAN, **options)


def chain(lengths: Sequence[int], hubs: Sequence[str] | None = None) -> list[Record]:
    """Return the records of a log whose records hold so many events each, of these hubs."""
    records: list[Record] = []
    head = EMPTY
    for place, length in enumerate(lengths):
        hub = hubs[place] if hubs else HUB
        first = head.to + 1 if head.hub == hub else 0
        records.append(builder().draft(head, holding(range(first, first + length), head, hub)))
        head = head_of(records[-1])
    return records


def anew(record: Record, **changes: Any) -> Record:
    """Return another record, as someone else would have written it."""
    return replace(record, writer="another", **changes)
