"""Replay: adds up the outcomes of every event of an archive, batch by batch.

Law: everything read is counted, uncounted, rejected, skipped or a duplicate, and exactly one of them. The result does
not depend on which process counted which part.
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
"""Takes every exchange's outcome in the time span, with its event, in the order of the archive."""


class Replay:
    """Handles the batches of a replay: adds them to the summary, and passes on each outcome."""

    def __init__(self, pipeline: Pipeline, summary: Summary, each: Each | None = None) -> None:
        self._pipeline = pipeline
        self._summary = summary
        self._each = each

    async def handle(self, batch: Sequence[LogEvent]) -> None:
        """Count a batch of events; a `Handler` of sources."""
        self.add(batch, self._pipeline.outcomes(batch))

    def join(self, batch: Sequence[DecodedEvent], records: int) -> None:
        """Add a batch that was counted ahead; `records` of its file come before its part."""
        events = [replace(one.event, position=one.event.position + records) for one in batch]
        self.add(events, self._pipeline.join(batch))

    def merge(self, summary: Summary, records: int) -> None:
        """Add the summary of a part; `records` of its file come before it."""
        if records:
            summary.move(records)
        self._summary.merge(summary)

    def add(self, events: Iterable[LogEvent], outcomes: Iterable[Iterable[Outcome]]) -> None:
        """Add the outcomes of events."""
        for event, event_outcomes in zip(events, outcomes, strict=True):
            for outcome in event_outcomes:
                self._summary.add(outcome, event.source, event.position)
                if self._each is not None and outcome.left_out in _EXCHANGES:
                    self._each(event, outcome)


_EXCHANGES = (None, "skipped")
"""The values of `left_out` of outcomes that are passed on."""
