"""One partition's log in a store: its names, the search for its end, and the only way to append to it.

Law: the process that creates record n+1 first has appended; every other takes over that record.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from logcount.errors import Halted
from logcount.ledger.head import Head, head_of
from logcount.ledger.record import Record, decode_record
from logcount.ledger.steps import Create, Read

if TYPE_CHECKING:
    from logcount.ledger.steps import Steps


def hub_name(host: str, hub: str) -> str:
    """Return the name of a hub's logs: the first label of its host, and the hub, in lower case."""
    return f"eventhub:{host.split('.', maxsplit=1)[0]}/{hub}".lower()


def log_name(hub: str, partition: str) -> str:
    """Return the name of a partition's log, given its hub's."""
    return f"{hub}/{partition}"


def record_name(log: str, n: int) -> str:
    """Return the name of record n of a log."""
    return f"{log}/{n}"


def walk(log: str, known: int = -1) -> Steps[Head]:
    """Find the last record and return the head after it, starting at a record that must exist.

    Records have no gaps, so the last one is found by doubling the stride and then halving it.

    Raises:
        Halted: the known record does not exist, or one cannot be read.

    """
    head = Head() if known < 0 else head_of((yield from read_record(log, known)))
    stride = 1
    while (further := (yield from _look(log, head.n + stride))) is not None:
        head = further
        stride *= 2
    while stride > 1:
        stride //= 2
        further = yield from _look(log, head.n + stride)
        head = further or head
    return head


def reaches(log: str, head: Head, number: int) -> Steps[bool]:
    """Return whether the log of this head has reached a number, in the present hub or in an earlier one."""
    while head.n >= 0 and head.to < number:
        head = yield from _end_before(log, head)
    return head.n >= 0


def _end_before(log: str, head: Head) -> Steps[Head]:
    """Return the last head of the previous hub, by bisection: a log never returns to a hub."""
    before, low, high = Head(), -1, head.n
    while high - low > 1:
        middle = (low + high) // 2
        there = head_of((yield from read_record(log, middle)))
        if there.hub == head.hub:
            high = middle
        else:
            before, low = there, middle
    return before


def read_record(log: str, n: int) -> Steps[Record]:
    """Return a record that must exist.

    Raises:
        Halted: it does not exist.

    """
    record = yield from find_record(log, n)
    if record is None:
        raise Halted(f"record {n} of {log} is not in the ledger, though a cursor has passed it")
    return record


def find_record(log: str, n: int) -> Steps[Record | None]:
    """Return record n, or None if the log is shorter."""
    stored = yield Read(record_name(log, n))
    return None if stored is None else decode_record(stored.data)


def append(log: str, head: Head, record: Record) -> Steps[Head]:
    """Create the record if its name is free, and return the head after the record that exists then."""
    while True:
        if (yield Create(record_name(log, record.n), record.data)):
            return head.after(record)
        # taken or unknown: treat the existing record as another's, even if it is this one
        there = yield from find_record(log, record.n)
        if there is not None:
            return head.after(there)


def _look(log: str, n: int) -> Steps[Head | None]:
    record = yield from find_record(log, n)
    return None if record is None else head_of(record)
