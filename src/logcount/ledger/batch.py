"""The uncommitted batch: events of one link that are counted but not recorded yet, in order, with the gaps.

Law: the ledger takes precedence over memory; a recorded event leaves the batch, whichever process recorded it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from logcount.errors import Unsettled
from logcount.ledger.log import append

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from logcount.ledger.head import Head
    from logcount.ledger.intake import StartPosition
    from logcount.ledger.record import Hole, Record
    from logcount.ledger.steps import Steps
    from logcount.model.points import Tally


class UncommittedEvent(NamedTuple):
    """An uncommitted event: number and enqueued time identify it; with the broker's offset and its tallies."""

    number: int
    enqueued: datetime
    offset: str
    tallies: Sequence[Tally]


class UncommittedBatch:
    """Holds the rows and gaps that continue a head."""

    def __init__(self, head: Head, place: StartPosition) -> None:
        self._before = head.hub
        self._numbers_only = place.numbers_only
        self.hub = place.hub
        self.rows: list[UncommittedEvent] = []
        self.gaps: list[Hole] = []
        self.overdue: list[tuple[int, Tally]] = []
        """Exchanges closed only because time passed, each with the number of its first event, already recorded."""

    def first(self, head: Head) -> int:
        """Return the first sequence number of the next record after a head: 0 in an empty log and in a new hub."""
        return head.to + 1 if self._continues(head) else 0

    def take_over(self, head: Head) -> None:
        """Drop what is recorded up to this head, which follows the head that the batch continued.

        Raises:
            Unsettled: the log has gone on to another hub than this batch's.

        """
        if head.hub not in (self.hub, self._before):
            raise Unsettled("the ledger has gone on to another hub")
        if self._continues(head):
            self.rows = [row for row in self.rows if row.number > head.to]
            self.gaps = [_beyond(gap, head.to) for gap in self.gaps if gap.last > head.to]

    def _continues(self, head: Head) -> bool:
        """Return whether the batch's numbers continue this head's; earlier heads have no influence."""
        return head.hub == self.hub or (self._numbers_only and head.hub is not None)


def _beyond(gap: Hole, to: int) -> Hole:
    """Return the rest of a gap; the reason `before` becomes `expired` if another process wrote record 0 meanwhile."""
    if gap.first > to:
        return gap
    return replace(gap, first=to + 1, reason="expired" if gap.reason == "before" else gap.reason)


Draft = Callable[["Head", UncommittedBatch], "Record"]
"""Builds the next record after a head, from as many of the batch's rows as fit."""


def settle(log: str, head: Head, batch: UncommittedBatch, draft: Draft) -> Steps[Head]:
    """Record the whole batch, and return the head after it; overdue exchanges alone make a record without events.

    If another process's record came first, overdue exchanges are dropped: that record may have closed them.

    Raises:
        Unsettled: the log has gone on to another hub.

    """
    batch.take_over(head)  # another process may have moved the head past events of the batch
    while batch.rows or batch.overdue:
        head = yield from append(log, head, draft(head, batch))
        batch.overdue = []
        batch.take_over(head)
    return head
