"""A peer of its own for a test, and receivers of the real SDK that collect what they get until it ends:

`async with Stage.built(folder) as stage:`, then `stage.peer.create_hub("hub", 1)`, `reception = stage.receive("hub")`
and `await reception.has(3)`.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from azure.eventhub.aio import EventHubConsumerClient, EventHubProducerClient

from eventhub_peer.client import Peer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from azure.eventhub import EventData

PATIENCE = 180.0
"""Seconds after which what never came to hold has failed: a guard, as each wait ends as soon as it can."""


async def until(holds: Callable[[], bool]) -> None:
    """Wait until something holds; fail when it never does."""
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline, "it never came to hold"
        await asyncio.sleep(0.02)


class Reception:
    """What one receiver got."""

    def __init__(self, client: EventHubConsumerClient, **options: Any) -> None:
        self.events: list[EventData] = []
        self.errors: list[Exception] = []
        self.free = asyncio.Event()
        """Clear it to hold the receiver in its next callback."""
        self.free.set()
        self._client = client
        self._work = asyncio.create_task(client.receive_batch(self._take, on_error=self._fail, **options))

    @property
    def sequences(self) -> list[int | None]:
        """The sequence numbers, in the order in which they came."""
        return [event.sequence_number for event in self.events]

    async def has(self, count: int) -> None:
        """Wait until so many events came."""
        await until(lambda: len(self.events) >= count)

    async def failed(self) -> Exception:
        """Wait for an error, and return the first."""
        await until(lambda: bool(self.errors))
        return self.errors[0]

    async def close(self) -> None:
        """Receive no more."""
        self._work.cancel()
        await asyncio.gather(self._work, self._client.close(), return_exceptions=True)

    async def _take(self, _: object, batch: list[EventData]) -> None:
        await self.free.wait()
        self.events += batch

    async def _fail(self, _: object, error: Exception) -> None:
        self.errors.append(error)


def consumer(peer: Peer, hub: str, group: str = "$Default", **options: Any) -> EventHubConsumerClient:
    """Return a client that tries again and balances soon, unless the options say otherwise."""
    quick = {"retry_backoff_factor": 0.05, "retry_backoff_max": 0.2, "load_balancing_interval": 0.3}
    return EventHubConsumerClient.from_connection_string(
        peer.connection_string(hub), consumer_group=group, **(quick | options)
    )


def producer(peer: Peer, hub: str) -> EventHubProducerClient:
    """Return a client that sends, and does not try again."""
    return EventHubProducerClient.from_connection_string(peer.connection_string(hub), retry_total=0)


@dataclass(frozen=True, slots=True)
class Stage:
    """What a test plays on: a peer of its own, and receivers that end with it."""

    peer: Peer
    folder: Path
    receptions: list[Reception] = field(default_factory=list)

    @classmethod
    @contextlib.asynccontextmanager
    async def built(cls, folder: Path) -> AsyncIterator[Stage]:
        """Start a peer, and end it and all receivers in the end; the folder is the test's own."""
        with await asyncio.to_thread(Peer.start) as peer:
            stage = cls(peer, folder)
            try:
                yield stage
            finally:
                await asyncio.gather(*(reception.close() for reception in stage.receptions))

    def receive(
        self, hub: str, position: Any = "-1", *, client: dict[str, Any] | None = None, **options: Any
    ) -> Reception:
        """Receive in the background, from the start of partition 0 unless said otherwise."""
        ours = {"starting_position": position, "partition_id": "0"}
        self.receptions.append(Reception(consumer(self.peer, hub, **(client or {})), **(ours | options)))
        return self.receptions[-1]

    async def attached(self, hub: str, count: int) -> None:
        """Wait until so many receivers are attached to a hub."""
        await until(lambda: sum(delivery["attached"] for delivery in self.peer.delivered(hub)) == count)
