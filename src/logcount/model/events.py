"""A log event: one message of the log, as delivered by its source."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from datetime import datetime


class LogEvent(msgspec.Struct, frozen=True):
    """One message of the log: its bytes, its position, and its enqueued time.

    Data of a source that cannot be read as an event (a line beyond the size limit, a torn Avro block) is an event too,
    with `problem` as the reason and no data: it is reported, never lost.
    """

    data: bytes
    source: str
    """File path, blob URL without query, or `-`."""
    position: int
    """Sequence number in Event Hubs and its Capture, else the 1-based record in its source."""
    enqueued: datetime | None = None
    """When Event Hubs enqueued it (aware, UTC), if known."""
    problem: str | None = None
    """Why there is no data; contains no part of a body."""
    duplicate: bool = False
    """Whether an event with the same source identity was delivered before."""
    offset: str | None = None
    """The offset in Event Hubs; an opaque text."""


Handler = Callable[[Sequence[LogEvent]], Awaitable[None]]
"""Takes a batch; returns when it is settled, raises if it is not."""
