"""Replay: every event of a source is decoded, counted and added up, batch by batch.

Law: what was read is counted, uncounted, rejected, skipped or a duplicate, and never two of them.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from logcount.counts import Outcome
from logcount.envelopes import decode
from logcount.exchanges import Decoded, Exchange, Rejected, Skipped

if TYPE_CHECKING:
    from datetime import datetime

    from logcount.aggregate import Summary
    from logcount.envelopes.mapped import Mapped
    from logcount.events import LogEvent

Count = Callable[[Exchange], Outcome]
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
        self._siblings = _Siblings()

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
        dated = result if result.time is not None else replace(result, time=event.enqueued)
        if not self._span.holds(dated.time):
            self._summary.outside += 1
        elif event.duplicate:
            self._summary.duplicates += 1
        else:
            settled = self._siblings.settle(dated)
            outcome = self._outcome(settled)
            if isinstance(settled, Exchange) and outcome.count is not None:
                self._siblings.counted(settled)
            self._settle(event, outcome)

    def _outcome(self, result: Exchange | Skipped) -> Outcome:
        if isinstance(result, Exchange):
            return self._count(result)
        dimensions = result.dimensions
        return Outcome(None, result.reason, True, result.id, result.time, result.model, dimensions)

    def _settle(self, event: LogEvent, outcome: Outcome) -> None:
        self._summary.add(outcome)
        if self._each is not None:
            self._each(event, outcome)


_REMEMBERED = 100_000
"""How many exchanges of diagnostic logs are remembered: an hour at thirty a second, in some 20 MB."""


class _Siblings:
    """Remembers which exchanges were counted from GatewayLlmLogs, and which from GatewayLogs.

    The two tell of the same exchange under one correlation id, and are not joined yet: the rows with tokens count.
    Where a gateway log was counted batches before its LLM log came, it is the LLM log that is skipped.
    """

    def __init__(self) -> None:
        self._with_tokens: OrderedDict[str, None] = OrderedDict()
        self._counted: OrderedDict[str, None] = OrderedDict()

    def meet(self, results: Iterable[Decoded]) -> None:
        """Look at a batch before any of it is counted."""
        for result in results:
            if isinstance(result, Exchange) and result.correlation and not result.any_api and result.usage:
                _remember(self._with_tokens, result.correlation)

    def settle(self, result: Exchange | Skipped) -> Exchange | Skipped:
        """Return the result, or why another record of the same exchange goes before it."""
        if not isinstance(result, Exchange) or result.correlation is None:
            return result
        if not result.any_api and result.correlation in self._counted:
            return _skipped(result, "an LLM log whose exchange was counted from its gateway log")
        if result.any_api and result.correlation in self._with_tokens:
            return _skipped(result, "a gateway log whose exchange is counted from its LLM log")
        return result

    def counted(self, exchange: Exchange) -> None:
        """Remember that an exchange was counted."""
        if exchange.any_api and exchange.correlation:
            _remember(self._counted, exchange.correlation)


def _remember(memory: OrderedDict[str, None], correlation: str) -> None:
    memory[correlation] = None
    memory.move_to_end(correlation)
    if len(memory) > _REMEMBERED:
        memory.popitem(last=False)


def _skipped(exchange: Exchange, reason: str) -> Skipped:
    return Skipped(reason, exchange.id, exchange.time, exchange.model, exchange.dimensions)
