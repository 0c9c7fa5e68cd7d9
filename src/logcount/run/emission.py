"""Emission: sends a sink the ledger's records after its cursor, one after another, while counting goes on.

Delivery guarantee: at least once; each item carries its record's id and its number, which identify a repeat.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from logcount.errors import Halted
from logcount.ledger.cursor import Cursor, follow, read_cursor, reset
from logcount.ledger.log import find_record, read_record

if TYPE_CHECKING:
    from logcount.ledger.driver import Driver
    from logcount.ledger.head import Head
    from logcount.ledger.record import Record
    from logcount.ports import Sink


@dataclass(frozen=True, slots=True)
class End:
    """The end of a record: its number in the log, and the number and offset of its last event."""

    n: int
    to: int
    offset: str


def end_of(record: Record) -> End:
    """Return the end of a record."""
    return End(record.n, record.to, record.offset)


class Emission:
    """One sink's progress through one partition's log."""

    def __init__(self, log: str, sink: Sink, driver: Driver) -> None:
        self.sink = sink
        self.end: End | None = None
        """The end of the last record whose points are accepted or marked."""
        self._log = log
        self._driver = driver
        self._cursor = Cursor()

    async def look(self, *, decided: bool = False) -> int:
        """Read the cursor, and return the number of its record; -1 before the first.

        `decided`: the operator said where to begin, so a cursor without its record is reset to the beginning.

        Raises:
            Halted: the cursor's record is not in the ledger.

        """
        self._cursor = await self._driver.perform(read_cursor(self._log, self.sink.name))
        if self._cursor.n < 0:
            return -1
        record = await self._driver.perform(find_record(self._log, self._cursor.n))
        if record is not None:
            self.end = end_of(record)
        elif decided:
            self._cursor = await self._driver.perform(reset(self._log, self.sink.name, self._cursor))
        else:
            raise Halted(
                f"record {self._cursor.n} is not in the ledger, though {self.sink.name}'s cursor has passed it: "
                "another ledger? `logcount run --begin-at ledger` begins where the ledger ends, "
                "`--begin-at checkpoint` after the checkpoint"
            )
        return self._cursor.n

    def lacks(self, head: Head) -> int:
        """Return how many records the sink lacks."""
        return max(head.n - self._cursor.n, 0)

    async def step(self, head: Head) -> None:
        """Emit the next records, as many as are sent together."""
        self._cursor = await self._driver.perform(follow(self._log, self.sink.name, self._cursor, head.n), self.sink)
        if self._cursor.n == head.n and head.offset is not None:
            self.end = End(head.n, head.to, head.offset)
        else:
            self.end = end_of(await self._driver.perform(read_record(self._log, self._cursor.n)))
