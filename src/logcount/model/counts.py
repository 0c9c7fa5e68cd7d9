"""A count: the numbers that logcount stands by for one exchange, and on whose word."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, get_args

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from logcount.calibration import Comparison

CountedBy = Literal["usage", "tokenizer", "partial"]
"""`usage`: all that the API reports was reported; `tokenizer`: both sides were counted whole; `partial`: a lower
bound."""

COUNTED_BY: tuple[CountedBy, ...] = get_args(CountedBy)
"""The three words, in the order in which reports give them."""

TOKEN_KINDS = ("prompt", "completion", "total", "cached", "reasoning")
"""The numbers of a count, of a usage and of their sums, in the order in which reports give them."""


class TokenCount(msgspec.Struct, frozen=True):
    """Tokens of one exchange; None is unknown, never 0.

    `total` is the reported one, else the sum of the known parts (for `partial` a lower bound). `cached` is a part of
    `prompt`, `reasoning` a part of `completion`; both are known only where the model reported them.
    """

    prompt: int | None
    completion: int | None
    total: int | None
    counted_by: CountedBy
    cached: int | None = None
    reasoning: int | None = None
    tokenizer: str | None = None
    """The tokenizer that was asked, with its fingerprint."""


LeftOut = Literal["skipped", "rejected", "duplicate", "outside"]
"""Why nothing was to be counted. `skipped`: an exchange or record that is not counted; `rejected`: no exchange could be
read; `duplicate`: its event was handed over before; `outside`: not of the span of time that was asked for."""


class Outcome(msgspec.Struct, frozen=True):
    """What became of one exchange, or of one record of an event in which no exchange could be read."""

    count: TokenCount | None = None
    reason: str | None = None
    """Why it is uncounted, skipped, rejected, or only partly counted; holds no piece of a body."""
    left_out: LeftOut | None = None
    id: str | None = None
    time: datetime | None = None
    model: str | None = None
    dimensions: Mapping[str, str] = msgspec.field(default_factory=dict)
    flags: frozenset[str] = frozenset()
    comparison: Comparison | None = None
    """What the tokenizer says beside what was reported, where that was asked for; it changes nothing of the count."""

    @property
    def word(self) -> Literal["counted", "uncounted", LeftOut]:
        """The outcome in one word."""
        return "counted" if self.count is not None else self.left_out or "uncounted"
