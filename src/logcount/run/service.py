"""The service: reads the partitions assigned to this process until it is stopped, and reports its state."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from logcount.errors import Unavailable
from logcount.model.points import EVENTS_BEHIND, SECONDS_BEHIND, Point
from logcount.run.partition import Partition

if TYPE_CHECKING:
    from collections.abc import Sequence

    from logcount.model.events import LogEvent
    from logcount.ports import PartitionState
    from logcount.run.context import Context

_LOGGER = logging.getLogger(__name__)

SETTLE_SECONDS_AT_END = 20.0
"""How long settling at the end may take: Container Apps kills after 30 seconds."""

TELL_SECONDS = 60.0
"""How often the consumer's own state is sent: once per minute, as metrics are per minute."""

_OWN_STATE = "metrics of the consumer itself"

AGAIN_SECONDS = 5.0
"""How long to wait before a hub that could not be read is retried."""


class Service:
    """Counts a hub live; a `Reader` of its partitions."""

    def __init__(self, context: Context, *, namespace: str, tell_seconds: float = TELL_SECONDS) -> None:
        self._context = context
        self._namespace = namespace
        self._tell_seconds = tell_seconds
        self._partitions: dict[str, Partition] = {}
        self._held: set[str] = set()
        self._behind: dict[str, tuple[int, float]] = {}
        self._turned = time.monotonic()
        self._started = datetime.now(UTC)

    async def start(self, partition: str) -> str | None:
        """Return the start offset, from the ledger."""
        known = self._partitions.get(partition)
        if known is None:
            known = self._partitions[partition] = Partition(partition, self._context)
        self._held.add(partition)
        return await known.start()

    async def take(self, partition: str, batch: Sequence[LogEvent]) -> None:
        """Take a batch of a partition."""
        await self._partitions[partition].take(batch)

    async def leave(self, partition: str) -> None:
        """Settle what is uncommitted of a partition."""
        self._held.discard(partition)
        self._behind.pop(partition, None)
        if partition in self._partitions:
            await self._partitions[partition].leave()

    async def run(self, stop: asyncio.Event) -> None:
        """Count until `stop` is set; then settle what is uncommitted, within 20 seconds."""
        delivery: asyncio.Task[Any] = asyncio.create_task(self._deliver())
        others: list[asyncio.Task[Any]] = [asyncio.create_task(one) for one in (self._tell_state(), self._turn())]
        stopped: asyncio.Task[Any] = asyncio.create_task(stop.wait())
        try:
            watched = {delivery, stopped, *others}
            await asyncio.wait(watched, return_when=asyncio.FIRST_COMPLETED)
            for task in (delivery, *others):
                if task.done():
                    task.result()  # these tasks end only with an error
            await self._end(delivery)
        finally:
            for task in (delivery, stopped, *others):
                task.cancel()
            await asyncio.gather(delivery, stopped, *others, return_exceptions=True)

    async def _end(self, delivery: asyncio.Task[Any]) -> None:
        _LOGGER.info("stopping: settling what is uncommitted")
        delivery.cancel()
        done, _ = await asyncio.wait({delivery}, timeout=SETTLE_SECONDS_AT_END)
        if not done:
            _LOGGER.warning("not everything was settled in time: the rest is read again at the next start")

    async def _deliver(self) -> None:
        while True:
            try:
                await self._context.hub.deliver(self)
                self._context.troubles.settle("event hub")
            except Unavailable as error:
                self._context.troubles.rise("event hub", str(error))
            except Exception as error:
                self._context.troubles.report_unexpected("event hub", error)
            await asyncio.sleep(AGAIN_SECONDS * random.uniform(0.5, 1.0))  # noqa: S311 - jitter

    async def _turn(self) -> None:
        while True:
            self._turned = time.monotonic()
            await asyncio.sleep(1)

    async def _tell_state(self) -> None:
        while True:
            await asyncio.sleep(self._tell_seconds)
            try:
                await self._tell_state_once()
                self._context.troubles.settle(_OWN_STATE)
            except Exception as error:
                self._context.troubles.report_unexpected(_OWN_STATE, error)

    async def _tell_state_once(self) -> None:
        points = []
        for partition in sorted(self._held):
            with contextlib.suppress(Unavailable):
                points += await self._state_points(partition)
        for sink in self._context.sinks:
            await sink.tell(points)

    async def _state_points(self, partition: str) -> list[Point]:
        state = await self._context.hub.partition(partition)
        events, seconds = self._behind[partition] = self._lag(partition, state)
        minute = datetime.now(UTC).replace(second=0, microsecond=0)
        dimensions = (("Partition", partition),)
        return [
            Point(self._namespace, metric, minute, dimensions, value, 1, value, value)
            for metric, value in ((SECONDS_BEHIND, round(seconds)), (EVENTS_BEHIND, events))
        ]

    def _lag(self, partition: str, state: PartitionState) -> tuple[int, float]:
        """Return how many events are not settled, and, if any, the seconds since the last settled event."""
        head = self._partitions[partition].head
        events = max(state.last - max(head.to, state.first - 1), 0)
        if not events:
            return 0, 0.0
        since = head.clock or self._started
        return events, max((datetime.now(UTC) - since).total_seconds(), 0.0)

    def report(self) -> tuple[bool, bool, dict[str, Any]]:
        """Return whether this process is ready, whether it is alive, and its state as a document."""
        context = self._context
        partitions = {name: self._partition_report(name) for name in sorted(self._held)}
        troubles = {
            what: {"why": trouble.why, "since": trouble.since.isoformat(timespec="seconds")}
            for what, trouble in context.troubles.present.items()
        }
        for sink in context.sinks:
            if sink.trouble is not None:
                troubles[sink.name] = {"why": sink.trouble}
        if context.counting.trouble is not None:
            troubles["counting"] = {"why": context.counting.trouble}
        halted = {name: held.halted for name, held in self._partitions.items() if name in self._held and held.halted}
        alive = time.monotonic() - self._turned < TELL_SECONDS
        document = {
            "status": "halted" if halted else "troubled" if troubles else "well",
            "started": self._started.isoformat(timespec="seconds"),
            "hub": context.hub.name,
            "troubles": troubles,
            "halted": halted,
            "partitions": partitions,
            "repeats_dropped": context.repeats,
            "workers_restarted": context.counting.restarts,
        }
        return not halted and not troubles, alive, document

    def _partition_report(self, name: str) -> dict[str, Any]:
        held = self._partitions[name]
        link, head = held.link, held.head
        events, seconds = self._behind.get(name, (None, None))
        return {
            "record": head.n,
            "settled_to": head.to,
            "received_to": link.received if link is not None else head.to,
            "events_behind": events,
            "seconds_behind": seconds,
            "sinks_lack_records": {one.sink.name: one.lacks(head) for one in held.emissions},
        }
