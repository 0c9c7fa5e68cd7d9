"""Tallies of events: each is decoded and counted, and what it came to is put in the terms of points and records."""

from __future__ import annotations

from typing import TYPE_CHECKING

from logcount.envelopes import decode
from logcount.exchanges import LONGEST_NAME, Rejected, dated
from logcount.points import Tally, minute_of
from logcount.siblings import Siblings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from logcount.counts import Outcome
    from logcount.envelopes.mapped import Mapped
    from logcount.events import LogEvent
    from logcount.exchanges import Decoded, Exchange
    from logcount.points import Dimensions


class Tallier:
    """Counts batches of events of one process, in their order."""

    def __init__(
        self,
        count: Callable[[Exchange], Outcome],
        dimensions: Sequence[str],
        *,
        mappings: Sequence[Mapped] = (),
    ) -> None:
        self._count = count
        self._dimensions = tuple(dimensions)
        self._mappings = mappings
        self._siblings = Siblings()
        self._same: dict[Dimensions, Dimensions] = {}

    def tally(self, batch: Sequence[LogEvent]) -> list[list[Tally]]:
        """Return what each event came to: one tally for each exchange in it, or one that says why there is none."""
        decoded = [decode(event, self._mappings) for event in batch]
        self._siblings.meet(result for results in decoded for result in results)
        self._same.clear()
        return [self._tallies(event, results) for event, results in zip(batch, decoded, strict=True)]

    def _tallies(self, event: LogEvent, results: Iterable[Decoded]) -> list[Tally]:
        return [self._tally(event, result) for result in results]

    def _tally(self, event: LogEvent, result: Decoded) -> Tally:
        if isinstance(result, Rejected):
            return Tally("rejected", minute_of(event.enqueued), (), result.reason)
        outcome = self._siblings.outcome(dated(result, event.enqueued), self._count)
        count = outcome.count
        return Tally(
            outcome.word,
            minute_of(outcome.time),
            self._known(outcome.dimensions),
            outcome.reason,
            () if count is None else (count.prompt, count.completion, count.total, count.cached, count.reasoning),
            count.tokenizer if count else None,
        )

    def _known(self, dimensions: Mapping[str, str]) -> Dimensions:
        """Return the dimensions that are asked for; equal ones as one object, so that they cross a pipe once."""
        known = tuple((name, dimensions[name][:LONGEST_NAME]) for name in self._dimensions if name in dimensions)
        return self._same.setdefault(known, known)
