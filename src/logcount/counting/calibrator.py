"""Counts exchanges as ever, and compares what was reported with what the tokenizer says of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from logcount.calibration import Compared, Comparison

if TYPE_CHECKING:
    from logcount.counting.decision import Counter
    from logcount.counting.parsed_bodies import ParsedBodies
    from logcount.counting.side import Side
    from logcount.counting.sides import Sides
    from logcount.model.counts import Outcome
    from logcount.model.exchanges import Exchange

NO_TOKENIZER = "no tokenizer for this model"
NOT_REPORTED = "not reported"


class Calibrator:
    """Adds a comparison to the outcome of each exchange whose model reported usage; the count stays what it is."""

    def __init__(self, counter: Counter) -> None:
        self._counter = counter

    def count(self, exchange: Exchange) -> Outcome:
        """Decide what an exchange counts, and compare; never raises."""
        outcome = self._counter.count(exchange)
        if outcome.count is None:
            return outcome
        comparison = _compare(*self._counter.hear(exchange, outcome.model))
        return outcome if comparison is None else replace(outcome, comparison=comparison)


def _compare(bodies: ParsedBodies, sides: Sides | None) -> Comparison | None:
    """Return what was reported beside what the tokenizer says; None where nothing was reported."""
    reported = bodies.reported
    if reported is None:
        return None
    prompt, completion = (sides.prompt, sides.completion) if sides else (None, None)
    final = None if reported.interim else reported.completion  # a running count is of less than the text
    return Comparison(
        bodies.model,
        sides.tokenizer if sides else None,
        _compared(reported.prompt, prompt),
        _compared(final, completion) if bodies.response.generates else None,
        cached=bool(reported.cached),
    )


def _compared(reported: int | None, side: Side | None) -> Compared:
    if side is None:
        return Compared(reported, None, NO_TOKENIZER)
    if reported is None:
        return Compared(None, side.tokens, NOT_REPORTED)
    return Compared(reported, side.tokens, "; ".join(sorted(side.doubts)) or None)
