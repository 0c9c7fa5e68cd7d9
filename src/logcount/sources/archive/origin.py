"""The origin of events: what a container's reader needs to create them."""

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
    """The file or blob that events are read from."""

    source: str
    """As `LogEvent.source`."""
    partition: Hashable
    """The scope in which sequence numbers are unique: namespace, hub and partition, else the file itself."""
    seen: Numbers
    time: datetime | None = None
    """The latest time at which its events were enqueued, if the path has it."""
    again: bool = False
    """Whether this file was read before."""

    def event(
        self, data: bytes, position: int, enqueued: datetime | None = None, problem: str | None = None
    ) -> LogEvent:
        """Make an event that has no sequence number."""
        return LogEvent(data, self.source, position, enqueued or self.time, problem, self.again)

    def problem(self, position: int, reason: str) -> LogEvent:
        """Make an event with a problem, for bytes that cannot be read as an event."""
        return self.event(b"", position, problem=reason)

    def numbered(self, data: bytes, number: int, enqueued: datetime | None, problem: str | None) -> LogEvent:
        """Make an event with a sequence number; it is a duplicate if the number was delivered before."""
        repeated = self.seen.add(self.partition, number, enqueued)
        return LogEvent(data, self.source, number, enqueued or self.time, problem, repeated or self.again)
