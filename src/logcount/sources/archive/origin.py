"""Where events come from: what a container's reader needs to know to name them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from logcount.model.events import LogEvent

if TYPE_CHECKING:
    from collections.abc import Hashable
    from datetime import datetime

    from logcount.sources.archive.seen import Numbers


@dataclass(frozen=True, slots=True)
class Origin:
    """One file or blob, as its events know it."""

    source: str
    """As `LogEvent.source`."""
    partition: Hashable
    """What sequence numbers are unique in: namespace, hub and partition, else the file itself."""
    seen: Numbers
    time: datetime | None = None
    """When its events were taken at the latest, where its path tells."""
    again: bool = False
    """Whether this very file was read before."""

    def event(
        self, data: bytes, position: int, enqueued: datetime | None = None, problem: str | None = None
    ) -> LogEvent:
        """Make an event that has no sequence number."""
        return LogEvent(data, self.source, position, enqueued or self.time, problem, self.again)

    def problem(self, position: int, reason: str) -> LogEvent:
        """Make an event of what cannot be read as one."""
        return self.event(b"", position, problem=reason)

    def numbered(self, data: bytes, number: int, enqueued: datetime | None, problem: str | None) -> LogEvent:
        """Make an event with a sequence number, which tells whether it was handed over before."""
        repeated = self.seen.add(self.partition, number, enqueued)
        return LogEvent(data, self.source, number, enqueued or self.time, problem, repeated or self.again)
