"""The clock, random numbers, limits and identity of a sink; all are passed in."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from logcount.errors import Misconfigured

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import timedelta


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Clock:
    """A sink's time, waiting and random jitter."""

    now: Callable[[], datetime] = _now
    """The present time, aware, in UTC."""
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    """Wait, in seconds."""
    chance: Callable[[], float] = random.random
    """A random number from 0 to 1, so that many processes do not retry at the same moment."""


@dataclass(frozen=True, slots=True)
class Terms:
    """The limits of a sink.

    Raises:
        Misconfigured: a number is out of range.

    """

    rate: int = 10
    """The most requests per second; with 500 points in each, far more than a gateway produces."""
    connect_seconds: float = 10.0
    """How long opening a connection may take."""
    answer_seconds: float = 60.0
    """How long a request and its answer may take, connection included; after that its result is unknown."""
    oldest: timedelta | None = None
    """Older points are not sent; None uses the sink's own limit for its service."""

    def __post_init__(self) -> None:
        if self.rate < 1:
            raise Misconfigured(f"the rate of a sink is {self.rate}; expected 1 request a second or more")
        if self.connect_seconds <= 0 or self.answer_seconds <= 0:
            raise Misconfigured("a time-out of a sink is not above 0 seconds")
        if self.oldest is not None and self.oldest.total_seconds() <= 0:
            raise Misconfigured("the greatest age of a sink's points is not above 0")


@dataclass(frozen=True, slots=True)
class Sender:
    """The identity of the sender, as shown with the metrics."""

    role: str
    instance: str
    version: str
    """The version of logcount."""
