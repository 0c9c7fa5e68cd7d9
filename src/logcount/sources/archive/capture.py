"""Event Hubs Capture: Avro files of events with their sequence numbers.

The format is from "Exploring captured Avro files" in the Event Hubs documentation; the time format is from real files.
The schema is read from the file. Any record with a `Body` of bytes or text is accepted.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from logcount.sources.archive.avro import AVRO_MAGIC, Fault, read_header, read_records
from logcount.sources.archive.avro_schema import Unsupported, plain_record
from logcount.sources.archive.limits import in_words
from logcount.sources.archive.streams import BrokenStream

if TYPE_CHECKING:
    from collections.abc import Iterator

    from logcount.model.events import LogEvent
    from logcount.sources.archive.avro import Record
    from logcount.sources.archive.limits import Limits
    from logcount.sources.archive.origin import Origin
    from logcount.sources.archive.streams import ByteStream

__all__ = ["AVRO_MAGIC", "read_capture", "read_time"]

_WANTED = ("SequenceNumber", "EnqueuedTimeUtc", "Body")
_BODY_TYPES = ({"bytes"}, {"string"}, {"bytes", "string"})
_TIME = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4}) (\d{1,2}):(\d{2}):(\d{2})(?: ([AP])M)?", re.ASCII)


def read_capture(stream: ByteStream, origin: Origin, limits: Limits) -> Iterator[LogEvent]:
    """Yield the events of a Capture file, and an event with a problem for each block that cannot be read.

    Raises:
        BrokenStream: the file is not a Capture file, or ends too early.
    """
    header = read_header(stream, limits)
    try:
        fields = plain_record(header.schema)
    except Unsupported:
        raise BrokenStream("unsupported Avro schema") from None
    if not _is_body(fields.get("Body")):
        raise BrokenStream("not Event Hubs Capture: no Body")
    position = 0
    for record in read_records(stream, header, fields, _WANTED, limits):
        if isinstance(record, Fault):
            event = origin.problem(position + 1, record.reason)
        else:
            event = _to_event(record, position + 1, origin, limits)
        position = event.position
        yield event


def _is_body(kind: Any) -> bool:
    kinds = kind if isinstance(kind, list) else [kind]
    return all(isinstance(one, str) for one in kinds) and set(kinds) - {"null"} in _BODY_TYPES


def _to_event(record: Record, position: int, origin: Origin, limits: Limits) -> LogEvent:
    body = record["Body"]
    data = body.encode() if isinstance(body, str) else body or b""
    problem = None if data else "empty body"
    if len(data) > limits.event_bytes:
        data, problem = b"", f"larger than {in_words(limits.event_bytes)}"
    number, time = record.get("SequenceNumber"), record.get("EnqueuedTimeUtc")
    enqueued = read_time(time) if isinstance(time, str) else None
    if isinstance(number, int) and number >= 0:
        return origin.numbered(data, number, enqueued, problem)
    return origin.event(data, position, enqueued, problem)


@lru_cache(maxsize=1024)  # times have whole seconds: the events of a burst share them
def read_time(text: str) -> datetime | None:
    """Parse an enqueued time, as Capture writes it (`6/12/2020 6:32:36 PM`, UTC) or ISO 8601; else None."""
    try:
        if found := _TIME.fullmatch(text):
            month, day, year, hour, minute, second = (int(number) for number in found.groups()[:6])
            return datetime(year, month, day, _hour(hour, found[7]), minute, second, tzinfo=UTC)
        time = datetime.fromisoformat(text)
        return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def _hour(hour: int, half: str | None) -> int:
    """Return an hour of the day; raises ValueError where there is none such in half a day."""
    if not half:
        return hour
    if not 1 <= hour <= 12:
        raise ValueError("no hour of half a day")
    return hour % 12 + (12 if half == "P" else 0)
