"""A sink's cursor in a log: the last record whose points are all accepted by the sink, or marked with a reason.

Law: it moves only forward, by compare-and-swap on its tag, and never past a point that is neither accepted nor marked.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from logcount.errors import Halted
from logcount.ledger.log import read_record, record_name
from logcount.ledger.steps import Create, Read, Replace, Send

if TYPE_CHECKING:
    from collections.abc import Iterable

    from logcount.ledger.record import Record
    from logcount.ledger.steps import Steps
    from logcount.model.points import Mark

ITEMS_AT_MOST = 500
"""The most items of several records sent together while a sink catches up."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """A sink's position; before its first record it has no tag, because the cursor does not exist yet."""

    n: int = -1
    tag: str | None = None


def cursor_name(log: str, sink: str) -> str:
    """Return the name of a sink's cursor."""
    return f"{log}/{sink}.cursor"


def marks_name(log: str, n: int, sink: str) -> str:
    """Return the name of the marks of record n."""
    return f"{record_name(log, n)}.{sink}.marks"


def read_cursor(log: str, sink: str) -> Steps[Cursor]:
    """Return a sink's cursor."""
    stored = yield Read(cursor_name(log, sink))
    if stored is None:
        return Cursor()
    try:
        return Cursor(int(json.loads(stored.data)["n"]), stored.tag)
    except (ValueError, TypeError, KeyError):
        raise Halted(f"{cursor_name(log, sink)} of the ledger is no cursor") from None


def follow(log: str, sink: str, cursor: Cursor, last: int) -> Steps[Cursor]:
    """Send the records after the cursor, up to `last` or to the limit of items, and move the cursor past them.

    The records are read from the store, whichever process wrote them.
    """
    records: list[Record] = []
    while cursor.n + len(records) < last and sum(len(record.points) for record in records) < ITEMS_AT_MOST:
        records.append((yield from read_record(log, cursor.n + len(records) + 1)))
    marks = yield Send([item for record in records for item in record.items()])
    for record in records:
        own = [mark for mark in marks if mark.item.record == record.id]
        if own:
            yield from _write_marks(log, sink, record, own)
    return (yield from _move(log, sink, cursor, cursor.n + len(records)))


def reset(log: str, sink: str, cursor: Cursor) -> Steps[Cursor]:
    """Put a cursor back before the first record, if the operator said to begin a new ledger."""
    while cursor.n >= 0:
        yield Replace(cursor_name(log, sink), _cursor(-1), cursor.tag or "")
        cursor = yield from read_cursor(log, sink)
    return cursor


def _cursor(n: int) -> bytes:
    return json.dumps({"v": 1, "n": n}).encode()


def _move(log: str, sink: str, cursor: Cursor, n: int) -> Steps[Cursor]:
    """Move the cursor to n, unless another process has moved it as far."""
    name, data = cursor_name(log, sink), _cursor(n)
    while cursor.n < n:
        yield Create(name, data) if cursor.tag is None else Replace(name, data, cursor.tag)
        cursor = yield from read_cursor(log, sink)
    return cursor


def _write_marks(log: str, sink: str, record: Record, marks: Iterable[Mark]) -> Steps[None]:
    """Write a record's marks, merged with those that another process has written."""
    name = marks_name(log, record.n, sink)
    wanted = {mark.item.number: {"why": mark.why, "answer": mark.answer} for mark in marks}
    while True:
        stored = yield Read(name)
        there: dict[int, Any] = _read_marks(stored.data) if stored else {}
        if wanted.keys() <= there.keys():
            return
        rows = [{"number": number, **why} for number, why in sorted((wanted | there).items())]
        data = json.dumps({"v": 1, "record": record.id, "marks": rows}).encode()
        yield Create(name, data) if stored is None else Replace(name, data, stored.tag)


def _read_marks(data: bytes) -> dict[int, Any]:
    return {row.pop("number"): row for row in json.loads(data)["marks"]}
