"""How long a sink waits before a retry: exponential back-off with jitter, and what the service requests."""

from __future__ import annotations

import re
from datetime import UTC
from email.utils import parsedate_to_datetime
from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime


class RetryDelay(IntEnum):
    """How soon to retry, from sooner to later."""

    AT_ONCE = 0
    SOON = 1
    """The service is busy or not available."""
    SLOWLY = 2
    """The operator must first correct something."""
    RARELY = 3
    """A quota is used up; it is renewed once a day or month."""


_SPANS = {
    RetryDelay.AT_ONCE: (0.0, 0.0),
    RetryDelay.SOON: (1.0, 120.0),
    RetryDelay.SLOWLY: (10.0, 900.0),
    RetryDelay.RARELY: (300.0, 3600.0),
}
"""The first pause and the longest, in seconds."""
_ASKED_AT_MOST = 3600.0
"""The longest pause that a service may request: with a day's wait or a wrong clock, points would become too old."""
_DOUBLINGS_AT_MOST = 16
"""More doublings exceed every longest pause, and finally the range of a float."""
_SECONDS = re.compile(r"\s*(\d+)(?:\.\d*)?\s*", re.ASCII)


def pause(delay: RetryDelay, failures: int, asked: float | None, chance: float) -> float:
    """Return how long to wait, in seconds, after so many failures in a row before this one.

    Half of the back-off is fixed and half is random. A pause that the service requested is kept, up to an hour.
    """
    first, longest = _SPANS[delay]
    grown: float = min(longest, first * 2 ** min(failures, _DOUBLINGS_AT_MOST))
    spread = grown * (0.5 + chance / 2)
    return max(spread, asked + first * chance) if asked is not None else spread


def asked_pause(retry_after: str | None, now: datetime) -> float | None:
    """Parse `Retry-After` (RFC 9110: seconds, or a date) to seconds, at most 3600; None if missing or invalid."""
    if retry_after is None:
        return None
    seconds = _SECONDS.fullmatch(retry_after)
    if seconds:
        # Python refuses to read numbers of thousands of digits.
        return min(float(seconds[1][:10]), _ASKED_AT_MOST)
    try:
        date = parsedate_to_datetime(retry_after)
    except (ValueError, TypeError, IndexError, OverflowError):  # it raises different errors for different faults
        return None
    aware = date if date.tzinfo else date.replace(tzinfo=UTC)
    return min(max((aware - now).total_seconds(), 0.0), _ASKED_AT_MOST)
