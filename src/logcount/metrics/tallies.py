"""Tallies: outcomes in the form that points and records are made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from logcount.model.exchanges import LONGEST_NAME
from logcount.model.points import MODEL, SIDE, TOKENIZER, Calibrated, Tally, minute_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from logcount.calibration import Comparison
    from logcount.model.counts import Outcome
    from logcount.model.points import Dimensions


class Tallier:
    """Makes tallies of outcomes, with the dimensions of the metric sets."""

    def __init__(self, dimensions: Sequence[str]) -> None:
        self._dimensions = tuple(dimensions)

    def tally(self, batch: Iterable[Iterable[Outcome]]) -> list[list[Tally]]:
        """Return the tallies of each event of a batch.

        Equal dimensions are one object within a batch: they are sent over a pipe once and compared by identity.
        """
        same: dict[Dimensions, Dimensions] = {}
        return [[self._tally(outcome, same) for outcome in outcomes] for outcomes in batch]

    def _tally(self, outcome: Outcome, same: dict[Dimensions, Dimensions]) -> Tally:
        count, known = outcome.count, self._known(outcome.dimensions)
        return Tally(
            outcome.word,
            minute_of(outcome.time),
            same.setdefault(known, known),
            outcome.reason,
            () if count is None else (count.prompt, count.completion, count.total, count.cached, count.reasoning),
            count.tokenizer if count else None,
            _calibrated(outcome.comparison) if outcome.comparison else (),
        )

    def _known(self, dimensions: Mapping[str, str]) -> Dimensions:
        """Return the known dimensions among those of the metric sets."""
        return tuple((name, dimensions[name][:LONGEST_NAME]) for name in self._dimensions if name in dimensions)


def _calibrated(comparison: Comparison) -> tuple[Calibrated, ...]:
    names = ((MODEL, comparison.model), (TOKENIZER, comparison.tokenizer))
    known = tuple((name, value[:LONGEST_NAME]) for name, value in names if value is not None)
    return tuple(
        Calibrated((*known, (SIDE, name)), side.reported, side.counted)
        for name, side in comparison.sides
        if side.difference is not None and side.reported is not None and side.counted is not None
    )
