"""A log event: one message of the log as its source handed it over."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from datetime import datetime


class LogEvent(msgspec.Struct, frozen=True):
    """One message of the log: its bytes, where it was found, and when the broker took it.

    A piece of a source that cannot be read as an event (a line beyond the size limit, a torn Avro block)
    is an event too, with `problem` as the reason and no data: it is reported, never lost.
    """

    data: bytes
    source: str
    """File path, blob URL without query, or `-`."""
    position: int
    """Sequence number in Event Hubs and its Capture, else the 1-based record in its source."""
    enqueued: datetime | None = None
    """When Event Hubs took it (aware, UTC), where that is known."""
    problem: str | None = None
    """Why there is no data; holds no piece of a body."""
    duplicate: bool = False
    """Whether the same source identity was handed over before."""
    offset: str | None = None
    """The broker's own word for its place, in Event Hubs; never calculated with."""


Handler = Callable[[Sequence[LogEvent]], Awaitable[None]]
"""Takes a batch in order; returns when it is settled, raises when it is not."""
