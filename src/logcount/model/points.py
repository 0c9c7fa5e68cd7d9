"""Points: what is emitted, one metric in one minute under one set of dimensions, as sum, count, min and max.

Law: a point belongs to the minute in which its exchanges happened; an unknown number is in no point.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from datetime import datetime

TOTAL, PROMPT, COMPLETION = "Total Tokens", "Prompt Tokens", "Completion Tokens"
"""The very names that the policy `llm-emit-token-metric` uses."""
CACHED, REASONING = "Cached Tokens", "Reasoning Tokens"
UNCOUNTED, REJECTED, FOLDED = "Uncounted Exchanges", "Rejected Events", "Folded Exchanges"
SECONDS_BEHIND, EVENTS_BEHIND = "Seconds Behind", "Events Behind"
CALIBRATED, ASTRAY, EXACT = "Calibrated Tokens", "Calibration Error", "Calibration Exact"
"""Of the sides of exchanges that were counted beside their usage: the tokens that were reported, by how many the
tokenizer says more or less, and 1 where it says the same, else 0: its average is the exact share."""

TOKEN_METRICS = (PROMPT, COMPLETION, TOTAL, CACHED, REASONING)
"""The metric of each number of a count, in the order of `counts.TOKEN_KINDS`."""

REASON, COUNTED_BY, OTHER = "Reason", "Counted By", "other"
MODEL, SIDE, TOKENIZER = "Model", "Side", "Tokenizer"
"""What calibration is split by; the side is `prompt` or `completion`."""

DIMENSIONS_AT_MOST = 10
"""Azure Monitor's limit of dimension keys for one metric."""

Dimensions = tuple[tuple[str, str], ...]
"""Names and values in the order of a metric set; an unknown one is absent."""


@dataclass(frozen=True, slots=True)
class Point:
    """One metric, one minute, one set of dimensions: the sum, the number, the least and the greatest of its values."""

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
    """Which of the configured metric sets it belongs to: each holds all exchanges, so sets are never added up."""


@dataclass(frozen=True, slots=True)
class Item:
    """A point of the ledger on its way to a sink, under the name by which a repeat can be seen."""

    record: str
    """The id of the ledger's record."""
    number: int
    """The point's number in that record."""
    point: Point


@dataclass(frozen=True, slots=True)
class Mark:
    """Why a sink will never hold an item."""

    item: Item
    why: Literal["late", "refused"]
    """`late`: older than the sink takes; `refused`: the sink answered that it will not."""
    answer: str
    """The sink's answer, or the age; holds no piece of a body and no dimension's value."""


@dataclass(frozen=True, slots=True)
class MetricSet:
    """A namespace, the dimensions that its metrics are split by, and which token metrics it has."""

    namespace: str
    dimensions: tuple[str, ...]
    metrics: tuple[str, ...] = (TOTAL, PROMPT, COMPLETION)


class Calibrated(NamedTuple):
    """One side of an exchange that was counted beside its usage."""

    dimensions: Dimensions
    reported: int
    counted: int


class Tally(NamedTuple):
    """What one exchange, or one event in which none could be read, came to, in the terms of points and records."""

    word: str
    """counted, uncounted, skipped or rejected."""
    minute: int
    """Minutes since 1970, of the exchange; of the event's arrival where the exchange's time is unknown."""
    dimensions: Dimensions
    """Every dimension that a metric set is split by, as far as it is known."""
    reason: str | None
    tokens: tuple[int | None, ...] = ()
    """In the order of `counts.TOKEN_KINDS`."""
    tokenizer: str | None = None
    calibrated: tuple[Calibrated, ...] = ()
    """The sides that were compared, of an exchange that was sampled."""
    folded: bool = False
    """Whether its minute or a dimension was given up, because its event alone would have filled a record."""


def minute_of(time: datetime | None) -> int:
    """Return the minutes since 1970 of a time; 0 where it is unknown."""
    return 0 if time is None else int(time.timestamp() // 60)
