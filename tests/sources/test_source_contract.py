"""What every source keeps to, whatever the container: order, batches, an end to delivery, and nothing lost."""

from __future__ import annotations

import asyncio
import gzip
import json
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from azure.storage.blob import ContainerClient
from log_archives import capture_file, captured, collect

from logcount.sources.archive import ArchiveSource, BlobAccess

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from azurite import Azurite

    from logcount.model.events import LogEvent
    from logcount.ports import Source

pytest_plugins = ["azurite_fixture"]

COUNT = 2345
EVENTS = [json.dumps({"n": number, "text": 'a "quoted" word\n' * 20}).encode() for number in range(1, COUNT + 1)]
CONTAINERS = {
    "lines": lambda: b"\n".join(EVENTS),
    "gzip": lambda: gzip.compress(b"\r\n".join(EVENTS)),
    "document": lambda: b"[\n" + b",\n".join(EVENTS) + b"\n]\n",
    "avro": lambda: capture_file(captured(number, event) for number, event in enumerate(EVENTS, 1)),
    "deflate": lambda: capture_file((captured(n, event) for n, event in enumerate(EVENTS, 1)), "deflate"),
}


@pytest.fixture(params=[*CONTAINERS, "blob"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[int], Source]:
    if request.param != "blob":
        (tmp_path / "archive").write_bytes(CONTAINERS[request.param]())
        return lambda batch_events: ArchiveSource([str(tmp_path)], batch_events=batch_events)
    azurite: Azurite = request.getfixturevalue("azurite")
    access = BlobAccess(connection_string=azurite.connection_string)
    with ContainerClient.from_connection_string(azurite.connection_string, f"c{uuid4().hex}") as client:
        client.create_container()
        client.upload_blob("archive", CONTAINERS["lines"]())
        url = client.url
    return lambda batch_events: ArchiveSource([url], blobs=access, batch_events=batch_events)


async def test_every_event_is_delivered_once_and_in_order(make: Callable[[int], Source]) -> None:
    collected = await collect(make(100))

    assert [event.data for event in collected.events] == EVENTS
    assert [event.position for event in collected.events] == list(range(1, COUNT + 1))
    assert {event.problem for event in collected.events} == {None}
    assert {event.duplicate for event in collected.events} == {False}


@pytest.mark.parametrize("size", [1, 7, 500, 10_000])
async def test_batches_are_full_and_never_larger_than_asked(make: Callable[[int], Source], size: int) -> None:
    collected = await collect(make(size))

    assert collected.batches == [size] * (COUNT // size) + [COUNT % size] * (COUNT % size > 0)


async def test_the_next_batch_waits_until_the_last_is_settled(make: Callable[[int], Source]) -> None:
    settled: list[int] = []
    open_batches = 0

    async def handle(batch: Sequence[LogEvent]) -> None:
        nonlocal open_batches
        open_batches += 1
        assert open_batches == 1
        await asyncio.sleep(0)
        open_batches -= 1
        settled.append(len(batch))

    await make(300).deliver(handle)

    assert sum(settled) == COUNT


async def test_a_handler_that_raises_ends_delivery_and_its_error_goes_on(make: Callable[[int], Source]) -> None:
    batches: list[int] = []

    async def handle(batch: Sequence[LogEvent]) -> None:
        batches.append(len(batch))
        if len(batches) == 2:
            raise ZeroDivisionError("the handler's own")

    with pytest.raises(ZeroDivisionError, match="the handler's own"):
        await make(100).deliver(handle)
    assert batches == [100, 100]


async def test_a_delivery_after_one_that_failed_starts_from_the_beginning(make: Callable[[int], Source]) -> None:
    source = make(100)

    async def refuse(batch: Sequence[LogEvent]) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await source.deliver(refuse)
    collected = await collect(source)

    assert [event.data for event in collected.events] == EVENTS
    assert not any(event.duplicate for event in collected.events)


async def test_a_cancelled_delivery_ends(make: Callable[[int], Source]) -> None:
    started = asyncio.Event()

    async def handle(batch: Sequence[LogEvent]) -> None:
        started.set()

    delivery = asyncio.create_task(make(1).deliver(handle))
    await started.wait()
    delivery.cancel()

    with pytest.raises(asyncio.CancelledError):
        await delivery


async def test_the_loop_is_never_blocked_by_reading(make: Callable[[int], Source]) -> None:
    turns = 0

    async def turn() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    turning = asyncio.create_task(turn())
    collected = await collect(make(1))
    turning.cancel()

    assert turns > len(collected.batches)
