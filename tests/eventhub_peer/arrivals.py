"""A pattern of arrivals, played again: when each event came, to which partition, and what it held.

A schedule is a file of JSON lines, `{"at": seconds, "partition": "0", "body": "…"}`, in the order of time. Instead of a
body a line may have the `path` of a file that holds it, from the schedule's folder; without a partition, events go to
each in turn. It is read and encoded before the first event is due, so that playing it costs little.
"""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from eventhub_peer.broker import now
from eventhub_peer.encoding import data_section

if TYPE_CHECKING:
    from pathlib import Path

    from eventhub_peer.broker import Broker
    from eventhub_peer.hubs import Hub, Partition


@dataclass(frozen=True, slots=True)
class Arrival:
    """One event that is to come."""

    at: float
    """Seconds after the first moment of the schedule."""
    partition: Partition | None
    payload: bytes


@dataclass(slots=True)
class Progress:
    """How far a schedule was played."""

    total: int
    published: int = 0
    late: float = 0.0
    """Seconds that the latest of all events came after its time."""


def read(schedule: Path, hub: Hub) -> list[Arrival]:
    """Read a schedule.

    Raises:
        KeyError: A line names no such partition, or has no time.
    """
    payloads: dict[str, bytes] = {}
    partitions = {partition.id: partition for partition in hub.partitions}
    arrivals = []
    with schedule.open(encoding="utf-8") as lines:
        for line in lines:
            entry = json.loads(line)
            path = entry.get("path")
            if path is None:
                payload = data_section(str(entry["body"]).encode())
            elif path not in payloads:
                payload = payloads[path] = data_section((schedule.parent / path).read_bytes())
            else:
                payload = payloads[path]
            identity = entry.get("partition")
            arrivals.append(Arrival(entry["at"], None if identity is None else partitions[str(identity)], payload))
    return arrivals


async def play(broker: Broker, hub: Hub, arrivals: list[Arrival], speed: float, progress: Progress) -> None:
    """Publish events when they are due, so many times as fast as the schedule says."""
    began = time.monotonic()
    waiting = iter(arrivals)
    arrival = next(waiting, None)
    while arrival is not None:
        ahead = arrival.at / speed - (time.monotonic() - began)
        if ahead > 0:
            await asyncio.sleep(ahead)
            continue
        progress.late = max(progress.late, -ahead)
        partition = arrival.partition if arrival.partition is not None else hub.by_turn()
        partition.append(arrival.payload, now())
        broker.published(hub, partition)
        progress.published += 1
        if progress.published % 100 == 0:
            await asyncio.sleep(0)  # let them be sent
        arrival = next(waiting, None)
