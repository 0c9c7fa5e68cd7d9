"""A count: the token numbers of one exchange, and how they were counted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, get_args

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from logcount.calibration import Comparison

CountedBy = Literal["usage", "tokenizer", "partial"]
"""`usage`: all numbers of the API were reported; `tokenizer`: both sides were counted whole; `partial`: a lower
bound."""

COUNTED_BY: tuple[CountedBy, ...] = get_args(CountedBy)
"""The three values, in the order of reports."""

TOKEN_KINDS = ("prompt", "completion", "total", "cached", "reasoning")
"""The numbers of a count, of a usage and of their sums, in the order of reports."""


class TokenCount(msgspec.Struct, frozen=True):
    """Tokens of one exchange; None is unknown, never 0.

    `total` is the reported one, else the sum of the known sides (for `partial` a lower bound). `cached` is included in
    `prompt`, `reasoning` in `completion`; both are known only if the model reported them.
    """

    prompt: int | None
    completion: int | None
    total: int | None
    counted_by: CountedBy
    cached: int | None = None
    reasoning: int | None = None
    tokenizer: str | None = None
    """The tokenizer that was used, with its fingerprint."""


LeftOut = Literal["skipped", "rejected", "duplicate", "outside"]
"""Why it was not to be counted. `skipped`: an exchange or record that does not count; `rejected`: no exchange could be
read; `duplicate`: its event was delivered before; `outside`: not in the requested time span."""


class Outcome(msgspec.Struct, frozen=True):
    """The outcome of one exchange, or of one record from which no exchange could be read."""

    count: TokenCount | None = None
    reason: str | None = None
    """Why it is uncounted, skipped, rejected, or only partly counted; contains no part of a body."""
    left_out: LeftOut | None = None
    id: str | None = None
    time: datetime | None = None
    model: str | None = None
    dimensions: Mapping[str, str] = msgspec.field(default_factory=dict)
    flags: frozenset[str] = frozenset()
    comparison: Comparison | None = None
    """The tokenizer's count compared with the reported one, if requested; it does not change the count."""

    @property
    def word(self) -> Literal["counted", "uncounted", LeftOut]:
        """The outcome in one word."""
        return "counted" if self.count is not None else self.left_out or "uncounted"
