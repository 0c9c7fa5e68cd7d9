"""The head of a partition's log: where the last record leaves it, which is all that the next one builds on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from logcount.errors import Halted

if TYPE_CHECKING:
    from datetime import datetime

    from logcount.ledger.record import Hole, Record


@dataclass(frozen=True, slots=True)
class Head:
    """What the last record says; of an empty log, that there is none."""

    n: int = -1
    id: str | None = None
    hub: str | None = None
    """The hub's `created_at`."""
    to: int = -1
    """The last sequence number that is recorded."""
    enqueued: datetime | None = None
    clock: datetime | None = None
    offset: str | None = None
    holes: tuple[Hole, ...] = ()

    def after(self, record: Record) -> Head:
        """Return the head after the next record.

        Raises:
            Halted: it does not follow on this head.

        """
        if record.n != self.n + 1 or record.prev != self.id:
            raise Halted(f"record {record.n} of the ledger does not follow on record {self.n}: the chain is broken")
        return head_of(record)


def head_of(record: Record) -> Head:
    """Return the head that a record leaves."""
    return Head(record.n, record.id, record.hub, record.to, record.enqueued, record.clock, record.offset, record.holes)
