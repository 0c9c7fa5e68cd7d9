"""Decides what an exchange counts: what the model reported, else what its tokenizer says, else nothing and why.

Law: reported first; unknown is None; a model without a tokenizer is never guessed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from logcount.bodies import UNKNOWN_API, RequestReader
from logcount.bodies.usage import add
from logcount.calibration import Compared, Comparison
from logcount.counting.parsed_bodies import ParsedBodies, is_whole, parse_bodies
from logcount.counting.side import Side
from logcount.counting.sides import Sides, count_sides
from logcount.counting.template import ChatCounter
from logcount.model.counts import Outcome, TokenCount
from logcount.model.exchanges import UNDECODABLE

if TYPE_CHECKING:
    from logcount.model.content import Usage
    from logcount.model.counts import LeftOut
    from logcount.model.exchanges import Exchange
    from logcount.ports import TokenizerFor

_NO_TOKENIZER = "no tokenizer for this model"
_NOT_REPORTED = "not reported"


class Counter:
    """Counts exchanges, and keeps the tokenizers that it met."""

    def __init__(self, tokenizer_for: TokenizerFor) -> None:
        self._tokenizer_for = tokenizer_for
        self._counters: dict[int, ChatCounter] = {}
        self._requests = RequestReader()

    def count(self, exchange: Exchange) -> Outcome:
        """Decide what an exchange counts; never raises."""
        bodies = parse_bodies(exchange, reader=self._requests)
        reported = bodies.reported
        if reported is not None and is_whole(reported, bodies.response):
            return _outcome(exchange, bodies, by_usage(reported))
        if reported is None and (refusal := _refusal(exchange, bodies)):
            return refusal
        sides = self.sides(exchange, bodies)
        if sides is None:
            count = _from_parts(reported) if reported else None
            return _outcome(exchange, bodies, count, frozenset({_NO_TOKENIZER}))
        return _decide(exchange, bodies, sides)

    def count_and_compare(self, exchange: Exchange) -> Outcome:
        """Decide as `count` does, and put what was reported beside what the tokenizer says; never raises.

        Where there is no tokenizer for the model, no more is read than a count by usage takes.
        """
        outcome = self.count(exchange)
        if outcome.count is None:
            return outcome
        known = self._tokenizer_for(outcome.model) is not None
        bodies = parse_bodies(exchange, to_all=known, reader=self._requests)
        comparison = _compare(bodies, self.sides(exchange, bodies) if known else None)
        return outcome if comparison is None else replace(outcome, comparison=comparison)

    def sides(self, exchange: Exchange, bodies: ParsedBodies) -> Sides | None:
        """Ask the model's tokenizer for both sides; None where there is no tokenizer for the model."""
        tokenizer = self._tokenizer_for(bodies.model)
        if tokenizer is None:
            return None
        counter = self._counters.get(id(tokenizer))
        if counter is None:
            counter = self._counters[id(tokenizer)] = ChatCounter(tokenizer)
        return count_sides(counter, exchange, bodies)


def by_usage(usage: Usage) -> TokenCount:
    """Return what was reported, as it is."""
    return TokenCount(usage.prompt, usage.completion, usage.total, "usage", usage.cached, usage.reasoning)


def _from_parts(usage: Usage) -> TokenCount:
    """Return what was reported where that is not all, as a lower bound."""
    total = usage.total if usage.total is not None else add(usage.prompt, usage.completion)
    return TokenCount(usage.prompt, usage.completion, total, "partial", usage.cached, usage.reasoning)


def _refusal(exchange: Exchange, bodies: ParsedBodies) -> Outcome | None:
    """Return why an exchange without usage is not to be counted at all, if it is not."""
    if exchange.status is not None and exchange.status >= 400:
        return _outcome(exchange, bodies, None, frozenset({f"status {exchange.status}"}), left_out="skipped")
    if bodies.response.error or (bodies.response.complaint and exchange.status is None):
        return _outcome(exchange, bodies, None, frozenset({"an error answer"}), left_out="skipped")
    unread = bodies.response.api == UNKNOWN_API
    unasked = bodies.request is None or bodies.request.api == UNKNOWN_API
    if exchange.any_api and unread and unasked:
        return _outcome(exchange, bodies, None, frozenset({"no model call"}), left_out="skipped")
    if exchange.response is None and UNDECODABLE in exchange.flags:
        return _outcome(exchange, bodies, None, frozenset({"a body is not in the encoding that its envelope names"}))
    if exchange.request is None and exchange.response is None:
        return _outcome(exchange, bodies, None, frozenset({"neither bodies nor usage in the log"}))
    if unread and unasked:
        return _outcome(exchange, bodies, None, frozenset({"bodies of no known API"}))
    return None


def _outcome(
    exchange: Exchange,
    bodies: ParsedBodies,
    count: TokenCount | None,
    doubts: frozenset[str] = frozenset(),
    *,
    left_out: LeftOut | None = None,
) -> Outcome:
    dimensions = dict(exchange.dimensions)
    if bodies.model:
        dimensions["Model"] = bodies.model
    if count is not None:
        dimensions["Counted By"] = count.counted_by
    return Outcome(
        count=count,
        reason="; ".join(sorted(doubts)) if doubts else None,
        left_out=left_out,
        id=exchange.id,
        time=exchange.time,
        model=bodies.model,
        dimensions=dimensions,
        flags=bodies.flags,
    )


def _decide(exchange: Exchange, bodies: ParsedBodies, sides: Sides) -> Outcome:
    """Put a reported side before a counted one, and say on whose word the whole stands."""
    reported = bodies.reported
    stated = reported if reported and not reported.interim else None
    prompt = _better(reported.prompt if reported else None, sides.prompt)
    completion = _better(stated.completion if stated else None, sides.completion)
    if prompt.tokens is None and (completion.tokens is None or not bodies.response.generates):
        return _outcome(exchange, bodies, None, sides.prompt.doubts | sides.completion.doubts)
    total = stated.total if stated else None
    count = TokenCount(
        prompt=prompt.tokens,
        completion=completion.tokens,
        total=total if total is not None else add(prompt.tokens, completion.tokens),
        counted_by="tokenizer" if prompt.whole and completion.whole else "partial",
        cached=reported.cached if reported else None,
        reasoning=reported.reasoning if reported else None,
        tokenizer=sides.tokenizer,
    )
    return _outcome(exchange, bodies, count, prompt.doubts | completion.doubts)


def _better(reported: int | None, counted: Side) -> Side:
    """Return the reported side, else the counted one; a lower bound of 0 says nothing, and is unknown."""
    if reported is not None:
        return Side(reported)
    return counted if counted.whole or counted.tokens else Side(None, counted.doubts)


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
        return Compared(reported, None, _NO_TOKENIZER)
    if reported is None:
        return Compared(None, side.tokens, _NOT_REPORTED)
    return Compared(reported, side.tokens, "; ".join(sorted(side.doubts)) or None)
