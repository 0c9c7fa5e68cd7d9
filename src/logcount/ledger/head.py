"""The head of a partition's log: its state after the last record, which is all that the next record depends on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from logcount.errors import Halted

if TYPE_CHECKING:
    from datetime import datetime

    from logcount.ledger.record import Hole, Record


@dataclass(frozen=True, slots=True)
class Head:
    """The state after the last record; the defaults are an empty log."""

    n: int = -1
    id: str | None = None
    hub: str | None = None
    """The hub's `created_at`."""
    to: int = -1
    """The last recorded sequence number."""
    enqueued: datetime | None = None
    clock: datetime | None = None
    offset: str | None = None
    holes: tuple[Hole, ...] = ()

    def after(self, record: Record) -> Head:
        """Return the head after the next record.

        Raises:
            Halted: it does not follow this head.

        """
        if record.n != self.n + 1 or record.prev != self.id:
            raise Halted(f"record {record.n} of the ledger does not follow on record {self.n}: the chain is broken")
        return head_of(record)


def head_of(record: Record) -> Head:
    """Return the head after a record."""
    return Head(record.n, record.id, record.hub, record.to, record.enqueued, record.clock, record.offset, record.holes)
