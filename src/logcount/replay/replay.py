"""Replay: what becomes of every event of an archive is added up, batch by batch.

Law: what was read is counted, uncounted, rejected, skipped or a duplicate, and never two of them. What comes of an
archive does not depend on who counted which part of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from msgspec.structs import replace

from logcount.model.counts import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable

    from logcount.aggregate import Summary
    from logcount.model.events import LogEvent
    from logcount.pipeline import DecodedEvent, Pipeline

Each = Callable[["LogEvent", Outcome], None]
"""Takes the outcome of every exchange in the span of time with its event, in the order of the archive."""


class Replay:
    """Handles the batches of a replay: adds to the summary, and hands each outcome on."""

    def __init__(self, pipeline: Pipeline, summary: Summary, each: Each | None = None) -> None:
        self._pipeline = pipeline
        self._summary = summary
        self._each = each

    async def handle(self, batch: Sequence[LogEvent]) -> None:
        """Count a batch of events; a `Handler` of sources."""
        self.add(batch, self._pipeline.outcomes(batch))

    def join(self, batch: Sequence[DecodedEvent], records: int) -> None:
        """Add a batch that was counted ahead; `records` of its file lie before the part that it is of."""
        events = [replace(one.event, position=one.event.position + records) for one in batch]
        self.add(events, self._pipeline.join(batch))

    def merge(self, summary: Summary, records: int) -> None:
        """Add what a part came to; `records` of its file lie before it."""
        if records:
            summary.move(records)
        self._summary.merge(summary)

    def add(self, events: Iterable[LogEvent], outcomes: Iterable[Iterable[Outcome]]) -> None:
        """Add what became of events."""
        for event, its in zip(events, outcomes, strict=True):
            for outcome in its:
                self._summary.add(outcome, event.source, event.position)
                if self._each is not None and outcome.left_out in _EXCHANGES:
                    self._each(event, outcome)


_EXCHANGES = (None, "skipped")
"""What is left out of an exchange that is handed on."""
