"""Builds archives as Azure writes them, and reads what a source makes of a file."""

from __future__ import annotations

import json
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any

import fastavro

from logcount.sources.archive import ArchiveSource, Limits

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from logcount.model.events import LogEvent
    from logcount.ports import Source

AMPLE = Limits()
_ANY = ["long", "double", "string", "bytes"]
CAPTURE_SCHEMA: dict[str, Any] = {
    "type": "record",
    "name": "EventData",
    "namespace": "Microsoft.ServiceBus.Messaging",
    "fields": [
        {"name": "SequenceNumber", "type": "long"},
        {"name": "Offset", "type": "string"},
        {"name": "EnqueuedTimeUtc", "type": "string"},
        {"name": "SystemProperties", "type": {"type": "map", "values": _ANY}},
        {"name": "Properties", "type": {"type": "map", "values": [*_ANY, "null"]}},
        {"name": "Body", "type": ["null", "bytes"]},
    ],
}
SYNC = bytes(range(240, 256))


def captured(number: int, body: bytes | None = None, time: str = "11/22/2026 10:03:17 AM") -> dict[str, Any]:
    """Make a record of Capture."""
    return {
        "SequenceNumber": number,
        "Offset": str(number * 1000),
        "EnqueuedTimeUtc": time,
        "SystemProperties": {"x-opt-partition-key": "k"},
        "Properties": {"n": 1, "none": None},
        "Body": json.dumps({"n": number}).encode() if body is None else body,
    }


def capture_file(
    records: Iterable[dict[str, Any]], codec: str = "null", schema: Any = CAPTURE_SCHEMA, block_bytes: int = 16000
) -> bytes:
    """Write an Avro file, with the sync marker SYNC."""
    file = BytesIO()
    fastavro.writer(file, schema, records, codec=codec, sync_interval=block_bytes, sync_marker=SYNC)
    return file.getvalue()


@dataclass(frozen=True, slots=True)
class Collected:
    """Everything that was delivered, and how."""

    events: list[LogEvent]
    batches: list[int]


async def collect(source: Source) -> Collected:
    """Deliver a source into a list."""
    collected = Collected([], [])

    async def handle(batch: Sequence[LogEvent]) -> None:
        collected.events.extend(batch)
        collected.batches.append(len(batch))

    await source.deliver(handle)
    return collected


def read(path: Path | str, limits: Limits = AMPLE) -> list[LogEvent]:
    """Read one path to its end."""
    return list(ArchiveSource([str(path)], limits=limits).events())


def told(events: Iterable[LogEvent]) -> list[tuple[int, bytes | str]]:
    """Return position, and data or problem, of each event."""
    return [(event.position, event.data if event.problem is None else event.problem) for event in events]
