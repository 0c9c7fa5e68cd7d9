"""Replay: every event of a source is decoded, counted and added up, batch by batch.

Law: what was read is counted, uncounted, rejected, skipped or a duplicate, and never two of them. What comes of an
archive does not depend on who counted which part of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from msgspec.structs import replace

from logcount.calibration import ExchangeRef
from logcount.envelopes import decode
from logcount.joins.joiner import Siblings
from logcount.model.counts import Outcome
from logcount.model.exchanges import Decoded, Exchange, Rejected, dated

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from logcount.aggregate import Summary
    from logcount.envelopes.mapped import Mapped
    from logcount.model.events import LogEvent

Count = Callable[[Exchange], "Outcome"]
Each = Callable[["LogEvent", Outcome], None]
"""Takes every outcome with the event that it came from, in the order of the archive."""


@dataclass(frozen=True, slots=True)
class Span:
    """A span of event time: `since` is inclusive, `until` exclusive, None is open."""

    since: datetime | None = None
    until: datetime | None = None

    def holds(self, time: datetime | None) -> bool:
        """Say whether a time lies in the span; an unknown one lies in none but the whole of time."""
        if self.since is None and self.until is None:
            return True
        if time is None:
            return False
        return (self.since is None or time >= self.since) and (self.until is None or time < self.until)


Counted = tuple["LogEvent", list[tuple[Decoded, Outcome | None]]]
"""An event without its data, what was read in it without bodies, and what each counts if it is counted."""


@dataclass(slots=True)
class Share:
    """What a part of an archive came to, counted without knowledge of the parts before it."""

    summary: Summary
    """Of the batches before the first that holds one of several records of an exchange."""
    batches: list[list[Counted]] = field(default_factory=list)
    """The others: what becomes of them depends on what came before."""
    waiting: int = 0
    """How many events are in them."""


class Replay:
    """Handles the batches of a replay: adds to the summary, and hands each outcome on."""

    def __init__(
        self,
        count: Count,
        summary: Summary,
        *,
        mappings: Sequence[Mapped] = (),
        span: Span = Span(),
        each: Each | None = None,
    ) -> None:
        self._count = count
        self._summary = summary
        self._mappings = mappings
        self._span = span
        self._any_time = span == Span()
        self._each = each
        self._siblings = Siblings()

    async def handle(self, batch: Sequence[LogEvent]) -> None:
        """Count a batch of events; a `Handler` of sources."""
        decoded = [(event, decode(event, self._mappings)) for event in batch]
        self._siblings.meet([result for event, results in decoded if not event.duplicate for result in results])
        self._add(decoded)

    def set_apart(self, batch: Sequence[LogEvent], share: Share) -> None:
        """Count a batch of a part without knowledge of the parts before it, for the `accept` of whoever has that."""
        decoded = [(event, decode(event, self._mappings)) for event in batch]
        if share.batches or any(_has_siblings(result) for _, results in decoded for result in results):
            share.batches.append([self._counted(event, results) for event, results in decoded])
            share.waiting += len(batch)
        else:
            self._add(decoded)

    def accept(self, share: Share, records: int) -> None:
        """Add a share whose turn it is; `records` of its file lie before it."""
        if records:
            share.summary.move(records)
        self._summary.merge(share.summary)
        for batch in share.batches:
            self._siblings.meet(result for event, found in batch if not event.duplicate for result, _ in found)
            for event, found in batch:
                moved = replace(event, position=event.position + records) if records else event
                for result, outcome in found:
                    self._take(moved, result, _known(outcome))

    def _add(self, decoded: Iterable[tuple[LogEvent, list[Decoded]]]) -> None:
        for event, results in decoded:
            for result in results:
                self._take(event, result, self._count)

    def _take(self, event: LogEvent, result: Decoded, count: Count) -> None:
        if isinstance(result, Rejected):
            if event.enqueued is not None and not self._span.holds(event.enqueued):
                self._summary.outside += 1
            elif event.duplicate:
                self._summary.duplicates += 1
            else:
                self._summary.reject(result.reason, f"{event.source}:{event.position}")
            return
        told = result if result.time is not None else dated(result, event.enqueued)
        if not (self._any_time or self._span.holds(told.time)):
            self._summary.outside += 1
        elif event.duplicate:
            self._summary.duplicates += 1
        elif isinstance(told, Exchange) and told.correlation is None:  # no other record tells of it
            self._settle(event, count(told))
        else:
            self._settle(event, self._siblings.outcome(told, count))

    def _counted(self, event: LogEvent, results: Iterable[Decoded]) -> Counted:
        """Count ahead whatever may be counted, and leave the bodies behind."""
        found: list[tuple[Decoded, Outcome | None]] = []
        for result in results:
            told = result if isinstance(result, Rejected) else dated(result, event.enqueued)
            if not isinstance(told, Exchange):
                found.append((told, None))
                continue
            counts = self._span.holds(told.time) and not event.duplicate
            found.append((replace(told, request=None, response=None), self._count(told) if counts else None))
        return replace(event, data=b""), found

    def _settle(self, event: LogEvent, outcome: Outcome) -> None:
        self._summary.add(outcome)
        if outcome.comparison is not None:
            self._summary.calibration.add(outcome.comparison, ExchangeRef(event.source, event.position, outcome.id))
        if self._each is not None:
            self._each(event, outcome)


def _known(outcome: Outcome | None) -> Count:
    """Return what counts an exchange that was counted ahead, as all are that lie in the span."""
    return lambda _exchange: outcome or Outcome()


def _has_siblings(result: Decoded) -> bool:
    return isinstance(result, Exchange) and result.correlation is not None
