"""The pipeline decodes an event, joins its exchanges with other records of the same exchange, and counts each.

Law: every record in an event has exactly one outcome, and it does not depend on which process counted it.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from struct import Struct
from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

from logcount.envelopes import decode
from logcount.joins.joiner import Joiner, may_be_joined
from logcount.model.counts import Outcome
from logcount.model.exchanges import Exchange, Rejected, Skipped, dated

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from logcount.counting import Counter
    from logcount.envelopes.mapped import Mapped
    from logcount.model.events import LogEvent
    from logcount.model.exchanges import Decoded


@dataclass(frozen=True, slots=True)
class TimeSpan:
    """A span of event time: `since` is inclusive, `until` exclusive, None is open."""

    since: datetime | None = None
    until: datetime | None = None

    def holds(self, time: datetime | None) -> bool:
        """Return whether a time is in the span; an unknown time is only in the span without bounds."""
        if self.since is None and self.until is None:
            return True
        if time is None:
            return False
        return (self.since is None or time >= self.since) and (self.until is None or time < self.until)


ANY_TIME = TimeSpan()


class DecodedEvent(NamedTuple):
    """An event and its decoded records."""

    event: LogEvent
    results: Sequence[Decoded]
    counted: Sequence[Outcome | None] | None = None
    """The outcome of each record where it was counted ahead; a join may still skip the record."""


class Pipeline:
    """Turns batches of events into outcomes, in the order of the log.

    Args:
        counter: counts exchanges.
        mappings: the operator's own envelopes.
        span: exchanges at other times are outside.
        calibrate: the share of events (0 to 1) of which what was reported is compared with what the tokenizer says.
        begin: told which event of a batch is begun, by its place in it.
    """

    def __init__(
        self,
        counter: Counter,
        *,
        mappings: Sequence[Mapped] = (),
        span: TimeSpan = ANY_TIME,
        calibrate: float = 0.0,
        begin: Callable[[int], None] = lambda place: None,
    ) -> None:
        self._begin = begin
        self._counter = counter
        self._mappings = mappings
        self._span = span
        self._any_time = span == ANY_TIME
        self._calibrate = calibrate
        self._joiner = Joiner()

    def outcomes(self, batch: Sequence[LogEvent]) -> list[list[Outcome]]:
        """Return what became of each event: an outcome for each exchange in it, or one that says why there is none."""
        decoded = []
        for place, event in enumerate(batch):
            self._begin(place)
            decoded.append(self.decode(event))
        return self.join(decoded)

    def decode(self, event: LogEvent) -> DecodedEvent:
        """Read what is in an event; each result has its own time, else the time at which the event was enqueued."""
        found = decode(event, self._mappings)
        return DecodedEvent(event, [one if isinstance(one, Rejected) else dated(one, event.enqueued) for one in found])

    def count_ahead(self, decoded: DecodedEvent) -> DecodedEvent:
        """Count what can be counted and drop the bodies; `join` follows when the events before are known."""
        event, results, _ = decoded
        counted = [self._count_if_asked(event, result) for result in results]
        kept = [replace(one, request=None, response=None) if isinstance(one, Exchange) else one for one in results]
        return DecodedEvent(replace(event, data=b""), kept, counted)

    def join(self, batch: Sequence[DecodedEvent]) -> list[list[Outcome]]:
        """Join the exchanges of the next batch, and count what was not counted ahead."""
        self._joiner.meet([one for decoded in batch if not decoded.event.duplicate for one in decoded.results])
        outcomes = []
        for place, decoded in enumerate(batch):
            self._begin(place)
            outcomes.append(self._settle(decoded))
        return outcomes

    def _settle(self, decoded: DecodedEvent) -> list[Outcome]:
        event, results, counted = decoded
        if counted is None:
            return [self._outcome(event, result, None) for result in results]
        return [self._outcome(event, result, known) for result, known in zip(results, counted, strict=True)]

    def _outcome(self, event: LogEvent, result: Decoded, known: Outcome | None) -> Outcome:
        if left_out := self._left_out(event, result):
            return left_out
        if isinstance(result, Rejected):
            return Outcome(reason=result.reason, left_out="rejected", time=event.enqueued)
        joined = self._joiner.join(result) if isinstance(result, Exchange) else result
        if isinstance(joined, Skipped):
            return Outcome(None, joined.reason, "skipped", joined.id, joined.time, joined.model, joined.dimensions)
        outcome = known or self._count(event, joined)
        if outcome.count is not None and joined.correlation is not None:
            self._joiner.remember_counted(joined)
        return outcome

    def _left_out(self, event: LogEvent, result: Decoded) -> Outcome | None:
        """Return why a result is left out, or None; an unreadable event has only its enqueued time."""
        if not self._any_time:
            unread = isinstance(result, Rejected)
            time = event.enqueued if isinstance(result, Rejected) else result.time
            if not (self._span.holds(time) or (unread and time is None)):
                return _OUTSIDE
        return _DUPLICATE if event.duplicate else None

    def _count_if_asked(self, event: LogEvent, result: Decoded) -> Outcome | None:
        if not isinstance(result, Exchange) or self._left_out(event, result) is not None:
            return None
        return self._count(event, result)

    def _count(self, event: LogEvent, exchange: Exchange) -> Outcome:
        if self._calibrate and is_sampled(event, self._calibrate):
            return self._counter.count_and_compare(exchange)
        return self._counter.count(exchange)


_OUTSIDE = Outcome(left_out="outside")
_DUPLICATE = Outcome(left_out="duplicate")

_IDENTITY = Struct("<qd")
"""What identifies an event of a partition: its sequence number and its enqueued time."""


def is_sampled(event: LogEvent, share: float) -> bool:
    """Return whether an event is calibrated; decided by its number and enqueued time, so repeats agree."""
    if share >= 1:
        return True
    arrived = 0.0 if event.enqueued is None else event.enqueued.timestamp()
    drawn = blake2b(_IDENTITY.pack(event.position, arrived), digest_size=8).digest()
    return int.from_bytes(drawn, "big") < share * 2**64


def stands_alone(decoded: DecodedEvent) -> bool:
    """Return whether the outcomes of an event do not depend on the events before it."""
    return not any(may_be_joined(result) for result in decoded.results)
