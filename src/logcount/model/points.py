"""Points: the emitted values, each one metric in one minute for one set of dimensions, as sum, count, min and max.

Law: a point belongs to the minute in which its exchanges happened; an unknown number is in no point.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from datetime import datetime

TOTAL, PROMPT, COMPLETION = "Total Tokens", "Prompt Tokens", "Completion Tokens"
"""The names that the policy `llm-emit-token-metric` uses."""
CACHED, REASONING = "Cached Tokens", "Reasoning Tokens"
UNCOUNTED, REJECTED, FOLDED = "Uncounted Exchanges", "Rejected Events", "Folded Exchanges"
SECONDS_BEHIND, EVENTS_BEHIND = "Seconds Behind", "Events Behind"
CALIBRATED, ASTRAY, EXACT = "Calibrated Tokens", "Calibration Error", "Calibration Exact"
"""For calibrated sides of exchanges: the reported tokens, the absolute difference to the tokenizer's count, and 1 if
they are equal, else 0; the average of the last is the exact share."""

TOKEN_METRICS = (PROMPT, COMPLETION, TOTAL, CACHED, REASONING)
"""The metric of each number of a count, in the order of `counts.TOKEN_KINDS`."""

REASON, COUNTED_BY, OTHER = "Reason", "Counted By", "other"
MODEL, SIDE, TOKENIZER = "Model", "Side", "Tokenizer"
"""The dimensions of calibration; the side is `prompt` or `completion`."""

DIMENSIONS_AT_MOST = 10
"""Azure Monitor's limit of dimension keys for one metric."""

Dimensions = tuple[tuple[str, str], ...]
"""Names and values in the order of a metric set; unknown ones are absent."""


@dataclass(frozen=True, slots=True)
class Point:
    """One metric, one minute, one set of dimensions: the sum, number, minimum and maximum of its values."""

    namespace: str
    metric: str
    minute: datetime
    """The start of the minute in which the exchanges happened (aware, UTC)."""
    dimensions: Dimensions
    sum: int
    count: int
    min: int
    max: int
    set: int = 0
    """The index of its metric set: each set contains all exchanges, so sets must not be added up."""


@dataclass(frozen=True, slots=True)
class Item:
    """A point of the ledger for a sink, with the identity by which a repeat is recognised."""

    record: str
    """The id of the ledger's record."""
    number: int
    """The point's index in that record."""
    point: Point


@dataclass(frozen=True, slots=True)
class Mark:
    """Why a sink will never contain an item."""

    item: Item
    why: Literal["late", "refused"]
    """`late`: too old for the sink; `refused`: the sink rejected it."""
    answer: str
    """The sink's answer, or the age; contains no part of a body and no dimension's value."""


@dataclass(frozen=True, slots=True)
class MetricSet:
    """A namespace, the dimensions that split its metrics, and its token metrics."""

    namespace: str
    dimensions: tuple[str, ...]
    metrics: tuple[str, ...] = (TOTAL, PROMPT, COMPLETION)


class Calibrated(NamedTuple):
    """One calibrated side of an exchange."""

    dimensions: Dimensions
    reported: int
    counted: int


class Tally(NamedTuple):
    """The outcome of one exchange, or of one event without a readable exchange, as used for points and records."""

    word: str
    """counted, uncounted, skipped or rejected."""
    minute: int
    """Minutes since 1970 of the exchange, or of the event's enqueued time if the exchange's time is unknown."""
    dimensions: Dimensions
    """The known dimensions among those of all metric sets."""
    reason: str | None
    tokens: tuple[int | None, ...] = ()
    """In the order of `counts.TOKEN_KINDS`."""
    tokenizer: str | None = None
    calibrated: tuple[Calibrated, ...] = ()
    """The sides that were compared, of an exchange that was sampled."""
    folded: bool = False
    """Whether its minute or a dimension was given up, because its event alone would have filled a record."""


def minute_of(time: datetime | None) -> int:
    """Return the minutes since 1970 of a time; 0 if it is unknown."""
    return 0 if time is None else int(time.timestamp() // 60)
