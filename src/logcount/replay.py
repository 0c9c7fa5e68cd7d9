"""Replay: every event of a source is decoded, counted and added up, batch by batch.

Law: what was read is counted, uncounted, rejected, skipped or a duplicate, and never two of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from logcount.counts import Outcome
from logcount.envelopes import decode
from logcount.exchanges import Decoded, Exchange, Rejected, dated
from logcount.siblings import Siblings

if TYPE_CHECKING:
    from datetime import datetime

    from logcount.aggregate import Summary
    from logcount.envelopes.mapped import Mapped
    from logcount.events import LogEvent

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
        self._each = each
        self._siblings = Siblings()

    async def handle(self, batch: Sequence[LogEvent]) -> None:
        """Count a batch of events; a `Handler` of sources."""
        decoded = [(event, decode(event, self._mappings)) for event in batch]
        self._siblings.meet(result for event, results in decoded if not event.duplicate for result in results)
        for event, results in decoded:
            for result in results:
                self._take(event, result)

    def _take(self, event: LogEvent, result: Decoded) -> None:
        if isinstance(result, Rejected):
            if event.enqueued is not None and not self._span.holds(event.enqueued):
                self._summary.outside += 1
            elif event.duplicate:
                self._summary.duplicates += 1
            else:
                self._summary.reject(result.reason, f"{event.source}:{event.position}")
            return
        told = dated(result, event.enqueued)
        if not self._span.holds(told.time):
            self._summary.outside += 1
        elif event.duplicate:
            self._summary.duplicates += 1
        else:
            self._settle(event, self._siblings.outcome(told, self._count))

    def _settle(self, event: LogEvent, outcome: Outcome) -> None:
        self._summary.add(outcome)
        if self._each is not None:
            self._each(event, outcome)
