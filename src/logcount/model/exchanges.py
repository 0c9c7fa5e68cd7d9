"""An exchange: one request to a model and its response, as read from an envelope."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec.structs import replace

if TYPE_CHECKING:
    from collections.abc import Mapping

    from logcount.jsontext import Escaped
    from logcount.model.content import Usage

LONGEST_NAME = 256
"""The most characters kept of a model's name or a dimension's value: Azure Monitor's limit."""

IMPOSSIBLE_TIME = "impossible-time"
"""Flag: the time in the log cannot be, and the broker's is taken."""

_EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
_LATEST = timedelta(days=1)
"""How long after the broker's time an exchange may say that it happened: clocks and time zones may be wrong."""

UNDECODABLE = "undecodable-body"
"""Flag: a body is not in the encoding that its envelope names."""


class Body(msgspec.Struct, frozen=True):
    """A request or response body: text (perhaps still escaped as in its event), bytes, or embedded JSON."""

    data: str | bytes | Escaped | Mapping[str, Any] | list[Any]
    cut: bool = False
    """Whether it is known to be cut."""


class Exchange(msgspec.Struct, frozen=True):
    """One request and its response; None where the envelope has no value."""

    envelope: str
    id: str | None = None
    time: datetime | None = None
    """When it happened (aware, UTC)."""
    model: str | None = None
    url: str | None = None
    status: int | None = None
    request: Body | None = None
    response: Body | None = None
    usage: Usage | None = None
    """As stated in the envelope; usage in the response takes precedence."""
    dimensions: Mapping[str, str] = msgspec.field(default_factory=dict)
    """Named as in APIM's `llm-emit-token-metric` policy, and the operator's own."""
    flags: frozenset[str] = frozenset()
    any_api: bool = False
    """Whether this log contains calls of all APIs, so that a body of no known API is not a model call."""
    correlation: str | None = None
    """Set if another record of the same log may describe the same exchange."""


class Rejected(msgspec.Struct, frozen=True):
    """An event, or a record in it, from which no exchange could be read; the reason contains no part of it."""

    reason: str


class Skipped(msgspec.Struct, frozen=True):
    """A log record that was understood but is not an exchange to count."""

    reason: str
    id: str | None = None
    time: datetime | None = None
    model: str | None = None
    dimensions: Mapping[str, str] = msgspec.field(default_factory=dict)


def dated(result: Exchange | Skipped, enqueued: datetime | None) -> Exchange | Skipped:
    """Return a result with its own time where that can be, else with the time at which its event was enqueued.

    A time before 2000 cannot be (year 1 is an unset `DateTime` of .NET), nor one more than a day after the broker's.
    """
    time = result.time
    if time is None:
        return result if enqueued is None else replace(result, time=enqueued)
    if time >= _EARLIEST and (enqueued is None or time - enqueued <= _LATEST):
        return result
    if isinstance(result, Exchange):
        return replace(result, time=enqueued, flags=result.flags | {IMPOSSIBLE_TIME})
    return replace(result, time=enqueued)


Decoded = Exchange | Rejected | Skipped
