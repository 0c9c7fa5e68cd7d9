"""Tallies of events: each is decoded and counted, and what it came to is put in the terms of points and records."""

from __future__ import annotations

from hashlib import blake2b
from struct import Struct
from typing import TYPE_CHECKING

from logcount.envelopes import decode
from logcount.joins.joiner import Siblings
from logcount.model.exchanges import LONGEST_NAME, Rejected, dated
from logcount.model.points import MODEL, SIDE, TOKENIZER, Calibrated, Tally, minute_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from logcount.calibration import Comparison
    from logcount.envelopes.mapped import Mapped
    from logcount.model.counts import Outcome
    from logcount.model.events import LogEvent
    from logcount.model.exchanges import Decoded, Exchange
    from logcount.model.points import Dimensions

    Count = Callable[[Exchange], Outcome]


class Tallier:
    """Counts batches of events of one process, in their order.

    A share of the events is counted by `calibrate` in place of `count`: it counts the same, and compares too.
    """

    def __init__(
        self,
        count: Count,
        dimensions: Sequence[str],
        *,
        mappings: Sequence[Mapped] = (),
        calibrate: Count | None = None,
        share: float = 0.0,
    ) -> None:
        self._count = count
        self._calibrate = calibrate or count
        self._share = share
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
        count = self._calibrate if self._share and is_sampled(event, self._share) else self._count
        return [self._tally(event, result, count) for result in results]

    def _tally(self, event: LogEvent, result: Decoded, count_one: Count) -> Tally:
        if isinstance(result, Rejected):
            return Tally("rejected", minute_of(event.enqueued), (), result.reason)
        outcome = self._siblings.outcome(dated(result, event.enqueued), count_one)
        count = outcome.count
        return Tally(
            outcome.word,
            minute_of(outcome.time),
            self._known(outcome.dimensions),
            outcome.reason,
            () if count is None else (count.prompt, count.completion, count.total, count.cached, count.reasoning),
            count.tokenizer if count else None,
            _calibrated(outcome.comparison) if outcome.comparison else (),
        )

    def _known(self, dimensions: Mapping[str, str]) -> Dimensions:
        """Return the dimensions that are asked for; equal ones as one object, so that they cross a pipe once."""
        known = tuple((name, dimensions[name][:LONGEST_NAME]) for name in self._dimensions if name in dimensions)
        return self._same.setdefault(known, known)


_IDENTITY = Struct("<qd")
"""What tells an event of a partition: its sequence number, and when the broker took it."""


def is_sampled(event: LogEvent, share: float) -> bool:
    """Say whether an event is of the share that is calibrated: by its number and arrival, so that a repeat is too."""
    arrived = 0.0 if event.enqueued is None else event.enqueued.timestamp()
    drawn = blake2b(_IDENTITY.pack(event.position, arrived), digest_size=8).digest()
    return int.from_bytes(drawn, "big") < share * 2**64


def _calibrated(comparison: Comparison) -> tuple[Calibrated, ...]:
    told = ((MODEL, comparison.model), (TOKENIZER, comparison.tokenizer))
    known = tuple((name, value[:LONGEST_NAME]) for name, value in told if value is not None)
    return tuple(
        Calibrated((*known, (SIDE, name)), side.reported, side.counted)
        for name, side in comparison.sides
        if side.difference is not None and side.reported is not None and side.counted is not None
    )
