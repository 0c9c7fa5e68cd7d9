"""The time and the chance that a sink goes by, and the terms that it keeps to; all handed in."""

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
    """Where a sink has its time from, how it waits, and what spreads its waiting."""

    now: Callable[[], datetime] = _now
    """The time, aware, UTC."""
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    """Wait, in seconds."""
    chance: Callable[[], float] = random.random
    """A number from 0 to 1 that differs from process to process, so that many do not come back at once."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What a sink keeps to.

    Raises:
        Misconfigured: a number cannot serve.

    """

    rate: int = 10
    """Requests a second at most; with 500 points in each, far more than a gateway makes."""
    connect_seconds: float = 10.0
    """How long a connection may take to come about."""
    answer_seconds: float = 60.0
    """How long a request and its answer may take, the connection included; then the outcome is not known."""
    oldest: timedelta | None = None
    """Points of an older minute are not sent; None leaves it to the sink, which knows what its service takes."""

    def __post_init__(self) -> None:
        if self.rate < 1:
            raise Misconfigured(f"the rate of a sink is {self.rate}; expected 1 request a second or more")
        if self.connect_seconds <= 0 or self.answer_seconds <= 0:
            raise Misconfigured("a time-out of a sink is not above 0 seconds")
        if self.oldest is not None and self.oldest.total_seconds() <= 0:
            raise Misconfigured("the greatest age of a sink's points is not above 0")


@dataclass(frozen=True, slots=True)
class Sender:
    """Who sends: what a reader of the metrics sees them come from."""

    role: str
    instance: str
    version: str
    """Of logcount."""
