"""One partition's log in a store: its names, the walk to its end, and the one way to append to it.

Law: whoever creates record n+1 first has appended; everyone else takes over what is there.
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
    """Return the name under which a hub's logs stand: the first label of its host, and the hub, in lower case."""
    return f"eventhub:{host.split('.', maxsplit=1)[0]}/{hub}".lower()


def log_name(hub: str, partition: str) -> str:
    """Return the name of a partition's log, given its hub's."""
    return f"{hub}/{partition}"


def record_name(log: str, n: int) -> str:
    """Return the name of record n of a log."""
    return f"{log}/{n}"


def walk(log: str, known: int = -1) -> Steps[Head]:
    """Find the last record and return the head that it leaves, starting at a record that must be there.

    None is ever left out, so the last one is found by doubling the stride and then halving it.

    Raises:
        Halted: the known record is not there, or one cannot be read.

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
    """Say whether the log of this head has come as far as a number, be it in a hub before the present one."""
    while head.n >= 0 and head.to < number:
        head = yield from _end_before(log, head)
    return head.n >= 0


def _end_before(log: str, head: Head) -> Steps[Head]:
    """Return where the hub before a head's ended: a log never goes back to a hub, so that halving finds it."""
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
    """Return a record that something else says is there.

    Raises:
        Halted: it is not.

    """
    record = yield from find_record(log, n)
    if record is None:
        raise Halted(f"record {n} of {log} is not in the ledger, though a cursor has passed it")
    return record


def find_record(log: str, n: int) -> Steps[Record | None]:
    """Return record n, or None where the log does not reach so far."""
    stored = yield Read(record_name(log, n))
    return None if stored is None else decode_record(stored.data)


def append(log: str, head: Head, record: Record) -> Steps[Head]:
    """Create the record if no other has that place, and return the head after whichever is there then."""
    while True:
        if (yield Create(record_name(log, record.n), record.data)):
            return head.after(record)
        # taken, or not known: whatever is there is another's, even if it is this one
        there = yield from find_record(log, record.n)
        if there is not None:
            return head.after(there)


def _look(log: str, n: int) -> Steps[Head | None]:
    record = yield from find_record(log, n)
    return None if record is None else head_of(record)
