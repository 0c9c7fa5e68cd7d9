"""What a consumer says of itself: how far it is behind, in metrics and in health, so that a silent outage shows."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from memory_sink import MemorySink
from memory_store import MemoryStore

from logcount.errors import Unavailable
from logcount.ledger.builder import RecordBuilder
from logcount.metrics.fold import PointMaker
from logcount.metrics.series import SeriesBudget
from logcount.model.events import LogEvent
from logcount.model.points import MetricSet, Tally
from logcount.ports import HubState, PartitionState
from logcount.run import context
from logcount.run.context import Context, Room, SettleInterval
from logcount.run.service import Service
from logcount.run.troubles import Troubles

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from logcount.ports import Reader

CREATED = datetime(2026, 11, 1, tzinfo=UTC)


class QuietHub:
    """A hub in memory, of one partition whose events are all handed over at once; more may be said to wait."""

    name = "eventhub:memory/hub"

    def __init__(self, events: int) -> None:
        self.events = events
        self.enqueued = datetime.now(UTC) - timedelta(seconds=90)
        self.last = events - 1
        self.away = False

    def event(self, number: int) -> LogEvent:
        return LogEvent(b"{}", "hub", number, self.enqueued, offset=f"o{number}")

    async def state(self) -> HubState:
        return HubState(CREATED, ("0",))

    async def partition(self, partition: str) -> PartitionState:
        if self.away:
            raise Unavailable("the hub does not answer")
        return PartitionState(0, self.last)

    async def checkpointed(self, partition: str) -> tuple[int, str] | None:
        return None

    async def checkpoint(self, partition: str, number: int, offset: str) -> None:
        """Keep none."""

    async def deliver(self, reader: Reader) -> None:
        await reader.start("0")
        try:
            await reader.take("0", [self.event(n) for n in range(self.events)])
            await asyncio.Event().wait()
        finally:
            await reader.leave("0")


class PlainCounting:
    """Counts every event as one exchange of three tokens."""

    restarts = 0
    trouble: str | None = None

    def __init__(self) -> None:
        self.free = asyncio.Event()
        self.free.set()

    async def count(self, partition: str, batch: Sequence[LogEvent]) -> list[list[Tally]]:
        await self.free.wait()
        return [[Tally("counted", 0, (), None, (1, 2, 3, None, None))] for _ in batch]


@pytest.fixture
def hub() -> QuietHub:
    return QuietHub(events=4)


@pytest.fixture
def sink() -> MemorySink:
    return MemorySink()


@pytest.fixture
def counting() -> PlainCounting:
    return PlainCounting()


@pytest.fixture
async def service(hub: QuietHub, sink: MemorySink, counting: PlainCounting) -> AsyncIterator[Service]:
    points = PointMaker([MetricSet("API Management", ())], SeriesBudget(100))
    made = Context(
        hub=hub,
        store=MemoryStore(),
        sinks=[sink],
        counting=counting,
        room=Room(1024),
        draft=RecordBuilder(points, writer="w", program="0", clock=lambda: datetime.now(UTC)).draft,
        troubles=Troubles(),
        interval=SettleInterval(0.05, 100),
    )
    service, stop = Service(made, namespace="API Management", tell_seconds=0.05), asyncio.Event()
    running = asyncio.create_task(service.run(stop))
    yield service
    stop.set()
    await running


async def told(sink: MemorySink, events: int) -> dict[str, int]:
    """Wait until so many events behind are told, and return that last telling."""
    async with asyncio.timeout(180):
        while True:
            last = {point.metric: point.sum for point in sink.told[-2:]}
            if last.get("Events Behind") == events:
                return last
            await asyncio.sleep(0.02)


async def test_nothing_behind_is_told_as_zero(service: Service, sink: MemorySink) -> None:
    assert await told(sink, 0) == {"Seconds Behind": 0, "Events Behind": 0}
    assert {point.dimensions for point in sink.told} == {(("Partition", "0"),)}
    assert {point.namespace for point in sink.told} == {"API Management"}


async def test_events_that_wait_in_the_hub_are_told_with_their_age(
    service: Service, sink: MemorySink, hub: QuietHub
) -> None:
    hub.last = 10
    last = await told(sink, 7)

    assert 90 <= last["Seconds Behind"] < 120
    ready, alive, document = service.report()
    assert ready
    assert alive
    assert document["partitions"]["0"]["events_behind"] == 7
    assert document["partitions"]["0"]["settled_to"] == 3


async def test_a_hub_that_cannot_be_asked_tells_nothing_rather_than_zero(
    service: Service, sink: MemorySink, hub: QuietHub
) -> None:
    await told(sink, 0)
    hub.away = True
    await asyncio.sleep(0.2)
    before = len(sink.told)
    await asyncio.sleep(0.2)

    assert len(sink.told) == before


@pytest.fixture
def held_up(counting: PlainCounting, monkeypatch: pytest.MonkeyPatch) -> PlainCounting:
    monkeypatch.setattr(context, "SLOW_SECONDS", 0.01)
    counting.free.clear()
    return counting


async def test_a_partition_that_waits_for_its_counting_is_told(held_up: PlainCounting, service: Service) -> None:
    async with asyncio.timeout(30):
        while "counting of partition 0" not in service.report()[2]["troubles"]:
            await asyncio.sleep(0.01)
        held_up.free.set()
        while service.report()[2]["troubles"]:
            await asyncio.sleep(0.01)


async def test_what_keeps_the_workers_from_counting_is_told(service: Service, counting: PlainCounting) -> None:
    counting.trouble = "workers keep dying as they start: out of memory?"
    ready, _, document = service.report()
    assert (ready, document["status"]) == (False, "troubled")
    assert document["troubles"]["counting"] == {"why": counting.trouble}
