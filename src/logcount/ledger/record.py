"""A record of the ledger: the results for a span of a partition's events, as JSON that never changes.

The id is the sha256 of the rest of the record, and `prev` is the id of the record before: a log is a chain.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from hashlib import sha256
from typing import Any, Literal

from logcount.errors import Halted
from logcount.model.points import Item, Point

VERSION = 1
LARGEST = 4 * 1024 * 1024
"""The most bytes of a record: one conditional PUT of a small blob."""

HoleReason = Literal["before", "expired", "absent"]
"""`before`: older than the first run; `expired`: the broker had deleted it; `absent`: the broker skipped it."""


@dataclass(frozen=True, slots=True)
class Hole:
    """A span of sequence numbers of one hub, inclusive, that is in no record, and why."""

    hub: str
    first: int
    last: int
    reason: HoleReason


@dataclass(frozen=True, slots=True)
class Span:
    """A span of sequence numbers, inclusive."""

    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Reasoned:
    """The number of exchanges (or rejected events) with one reason, and the sequence numbers of the events."""

    reason: str
    number: int
    at: tuple[Span, ...]


@dataclass(frozen=True)
class Record:
    """An entry of a partition's log; times are aware and in UTC."""

    n: int
    prev: str | None
    hub: str
    """The hub's `created_at` from the broker: with partition and number it identifies an event."""
    first: int
    """The first sequence number of the span: the one after the previous record, or 0."""
    to: int
    """The last sequence number of the span; `first` - 1 if the record is without events."""
    enqueued: datetime
    """The enqueued time of event `to`."""
    clock: datetime
    """The latest enqueued time of all events so far."""
    offset: str
    """The broker's offset of event `to`."""
    events: int
    """The number of events in the span."""
    holes: tuple[Hole, ...]
    """Every missing span, of this hub and of earlier ones."""
    points: tuple[Point, ...]
    uncounted: tuple[Reasoned, ...]
    rejected: tuple[Reasoned, ...]
    skipped: tuple[Reasoned, ...]
    counted_with: dict[str, Any]
    writer: str
    """A random name of the process that wrote it."""
    written: datetime

    @cached_property
    def data(self) -> bytes:
        """The record as it is stored."""
        return _encode({**self._rest, "id": self.id})

    @cached_property
    def id(self) -> str:
        """The sha256 of the rest of the record, in hexadecimal."""
        return sha256(_encode(self._rest)).hexdigest()

    @cached_property
    def _rest(self) -> dict[str, Any]:
        return {
            "v": VERSION,
            "n": self.n,
            "prev": self.prev,
            "hub": self.hub,
            "from": self.first,
            "to": self.to,
            "enqueued": time_text(self.enqueued),
            "clock": time_text(self.clock),
            "offset": self.offset,
            "events": self.events,
            "holes": [{"hub": hole.hub, **_span(hole.first, hole.last), "reason": hole.reason} for hole in self.holes],
            "points": [_point(point) for point in self.points],
            "uncounted": [_reasoned(one, "exchanges") for one in self.uncounted],
            "rejected": [_reasoned(one, "events") for one in self.rejected],
            "skipped": [_reasoned(one, "exchanges") for one in self.skipped],
            "counted_with": self.counted_with,
            "writer": self.writer,
            "written": time_text(self.written),
        }

    def items(self) -> list[Item]:
        """Return the record's points as items for a sink, identified by the record's id and their numbers."""
        return [Item(self.id, number, point) for number, point in enumerate(self.points)]


def decode_record(data: bytes) -> Record:
    """Decode a stored record.

    Raises:
        Halted: it is not a record, not whole, or of another format.

    """
    try:
        document = json.loads(data)
        claimed = document.pop("id")
        if document["v"] != VERSION:
            raise Halted(f"a record of the ledger is of format {document['v']}, and this logcount reads {VERSION}")
        if sha256(_encode(document)).hexdigest() != claimed:
            raise Halted("a record of the ledger is not what was written: its id is not the sha256 of the rest")
        return _record(document)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise Halted(f"a record of the ledger cannot be read ({type(error).__name__})") from None


def _record(document: dict[str, Any]) -> Record:
    return Record(
        n=document["n"],
        prev=document["prev"],
        hub=document["hub"],
        first=document["from"],
        to=document["to"],
        enqueued=read_time(document["enqueued"]),
        clock=read_time(document["clock"]),
        offset=document["offset"],
        events=document["events"],
        holes=tuple(Hole(one["hub"], one["from"], one["to"], one["reason"]) for one in document["holes"]),
        points=tuple(_read_point(one) for one in document["points"]),
        uncounted=tuple(_read_reasoned(one, "exchanges") for one in document["uncounted"]),
        rejected=tuple(_read_reasoned(one, "events") for one in document["rejected"]),
        skipped=tuple(_read_reasoned(one, "exchanges") for one in document["skipped"]),
        counted_with=document["counted_with"],
        writer=document["writer"],
        written=read_time(document["written"]),
    )


def _encode(document: dict[str, Any]) -> bytes:
    """Encode JSON in one canonical form, so that equal records have equal bytes."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "replace")


def time_text(time: datetime) -> str:
    """Write a time as UTC ISO 8601, always with microseconds: such texts sort as the times do."""
    return f"{time.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='microseconds')}Z"


def read_time(text: str) -> datetime:
    """Parse the output of `time_text`.

    Raises:
        ValueError: it has another format.

    """
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)


def _span(first: int, last: int) -> dict[str, int]:
    return {"from": first, "to": last}


def _point(point: Point) -> dict[str, Any]:
    return {
        "set": point.set,
        "namespace": point.namespace,
        "metric": point.metric,
        "minute": f"{point.minute.replace(tzinfo=None).isoformat(timespec='minutes')}Z",
        "dimensions": dict(point.dimensions),
        "sum": point.sum,
        "count": point.count,
        "min": point.min,
        "max": point.max,
    }


def _read_point(one: dict[str, Any]) -> Point:
    return Point(
        namespace=one["namespace"],
        metric=one["metric"],
        minute=_read_minute(one["minute"]),
        dimensions=tuple(one["dimensions"].items()),
        sum=one["sum"],
        count=one["count"],
        min=one["min"],
        max=one["max"],
        set=one["set"],
    )


def _read_minute(text: str) -> datetime:
    """Read a minute; logcount 0.1 wrote years before 1000 without zeros in front."""
    return datetime.strptime(f"{text:0>17}", "%Y-%m-%dT%H:%MZ").replace(tzinfo=UTC)


def _reasoned(one: Reasoned, what: str) -> dict[str, Any]:
    return {"reason": one.reason, what: one.number, "at": [_span(span.first, span.last) for span in one.at]}


def _read_reasoned(one: dict[str, Any], what: str) -> Reasoned:
    return Reasoned(one["reason"], one[what], tuple(Span(span["from"], span["to"]) for span in one["at"]))
