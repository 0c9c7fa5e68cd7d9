"""The source over Event Hubs, with the real SDK: it keeps its word to a reader that only keeps a diary."""

from __future__ import annotations

import asyncio
import gc
import time
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio
from azure.eventhub.aio import EventHubConsumerClient
from azure.eventhub.extensions.checkpointstoreblobaio import BlobCheckpointStore
from hub_diary import Diary

from logcount.errors import Unavailable
from logcount.run.troubles import Troubles
from logcount.sources.eventhub.positions import Positions
from logcount.sources.eventhub.source import EventHub, ReadOptions

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from live_stack import Stack

pytest_plugins = ["shared_stack"]

PATIENCE = 180.0
QUICK = ReadOptions(prefetch=20, batch=10, balance_seconds=0.5, idle_seconds=10, look_seconds=0.5)

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    # the SDK forgets sockets that were closed under it
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


async def until(holds: Callable[[], bool], what: str = "it") -> None:
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline, f"{what} never came to hold"
        await asyncio.sleep(0.02)


@dataclass
class Lectern:
    """A hub of a scenario's own, and what is read from it."""

    stack: Stack
    name: str
    _opened: list[tuple[EventHub, asyncio.Task[None]]] = field(default_factory=list)

    @property
    def place(self) -> tuple[str, str, str]:
        """What the SDK's blobs are under."""
        return f"127.0.0.1:{self.stack.peer.port}", self.name, "readers"

    def create(self, partitions: int = 1) -> None:
        self.stack.peer.create_hub(self.name, partitions)

    def publish(self, count: int, partition: str = "0") -> None:
        self.stack.peer.publish(self.name, partition, [b"%d" % number for number in range(count)])

    def hub(self, name: str = "", troubles: Troubles | None = None, reading: ReadOptions = QUICK) -> EventHub:
        connection = self.stack.peer.connection_string(name or self.name)
        connect = partial(EventHubConsumerClient.from_connection_string, connection, "readers")
        notes = troubles or Troubles()
        return EventHub(connect, self.blobs(), name=f"eventhub:peer/{self.name}", notes=notes, reading=reading)

    def blobs(self) -> BlobCheckpointStore:
        return BlobCheckpointStore.from_connection_string(self.stack.azurite.connection_string, self.stack.container)

    def read(
        self, diary: Diary, troubles: Troubles | None = None, reading: ReadOptions = QUICK
    ) -> tuple[EventHub, asyncio.Task[None]]:
        """Begin to deliver to a diary."""
        hub = self.hub(troubles=troubles, reading=reading)
        self._opened.append((hub, asyncio.create_task(hub.deliver(diary))))
        return self._opened[-1]

    async def close(self) -> None:
        for _, task in self._opened:
            task.cancel()
        await asyncio.gather(*(task for _, task in self._opened), return_exceptions=True)
        for hub, _ in self._opened:
            await hub.close()


Scenario = "Callable[[Lectern], Awaitable[None]]"
Running = dict[str, "asyncio.Task[None]"]
SCENARIOS: dict[str, Callable[[Lectern], Awaitable[None]]] = {}


def scenario(play: Callable[[Lectern], Awaitable[None]]) -> Callable[[Running], Awaitable[None]]:
    """Make a test of a scenario; all that were chosen are played at once, as the SDK mostly waits."""
    name = play.__name__
    SCENARIOS[name] = play

    async def test(running: Running) -> None:
        await running[name]

    test.__name__ = name
    return test


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(stack: Stack, request: pytest.FixtureRequest) -> AsyncIterator[Running]:
    async def play(name: str) -> None:
        lectern = Lectern(stack, name.removeprefix("test_").replace("_", "-"))
        try:
            await SCENARIOS[name](lectern)
        finally:
            await lectern.close()

    chosen = {item.name for item in request.session.items if item.path == request.path}
    tasks = {name: asyncio.create_task(play(name)) for name in SCENARIOS if name in chosen}
    yield tasks
    await asyncio.gather(*tasks.values(), return_exceptions=True)
    gc.collect()  # what the SDK forgot is found here, and not in the middle of another test


@scenario
async def test_every_event_comes_in_order_with_its_number_time_and_offset(lectern: Lectern) -> None:
    lectern.create(2)
    lectern.publish(35)
    lectern.publish(5, "1")
    diary = Diary()
    lectern.read(diary)
    await until(lambda: len(diary.events["0"]) == 35 and len(diary.events["1"]) == 5)
    lectern.publish(5)
    await until(lambda: len(diary.events["0"]) == 40)
    assert diary.numbers("0") == list(range(40))
    assert [event.data for event in diary.events["0"]] == [b"%d" % number for number in [*range(35), *range(5)]]
    assert {event.source for event in diary.events["0"]} == {f"eventhub:peer/{lectern.name}"}
    offsets = [int(event.offset or "") for event in diary.events["0"]]
    assert offsets == sorted(set(offsets)) != diary.numbers("0")
    times = [event.enqueued for event in diary.events["0"]]
    assert all(one is not None and one.tzinfo is not None for one in times)
    assert not diary.broken


@scenario
async def test_reading_begins_with_the_very_event_whose_offset_the_reader_gives(lectern: Lectern) -> None:
    lectern.create()
    lectern.publish(30)
    first = Diary()
    _, task = lectern.read(first)
    await until(lambda: len(first.events["0"]) == 30)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    second = Diary()
    second.offsets["0"] = first.events["0"][17].offset
    lectern.read(second)
    await until(lambda: len(second.events["0"]) == 13)
    assert second.numbers() == list(range(17, 30))
    assert second.events["0"][0] == first.events["0"][17]


@scenario
async def test_what_is_refused_is_given_again_from_where_the_reader_then_says(lectern: Lectern) -> None:
    lectern.create()
    lectern.publish(10)
    diary = Diary()
    diary.refusals = 2
    troubles = Troubles()
    lectern.read(diary, troubles)
    await until(lambda: len(diary.events["0"]) == 10)
    assert diary.numbers() == list(range(10))
    assert diary.entries["0"][:6] == ["start", "take", "leave", "start", "take", "leave"]
    assert not diary.broken
    assert not troubles.present  # a refusal is no trouble with the hub


@scenario
async def test_a_slow_reader_is_not_flooded(lectern: Lectern) -> None:
    lectern.create()
    lectern.publish(500)
    diary = Diary(seconds=0.2)
    lectern.read(diary)
    for taken in (20, 60, 100):
        await until(lambda taken=taken: len(diary.events["0"]) >= taken)  # type: ignore[misc]
        (delivered,) = lectern.stack.peer.delivered(lectern.name)
        ahead = delivered["events"] - len(diary.events["0"])
        assert ahead <= 2 * (QUICK.prefetch + QUICK.batch), f"{ahead} events were sent ahead"
    assert diary.numbers() == list(range(len(diary.events["0"])))
    assert not diary.broken


@scenario
async def test_a_batch_in_hand_is_ended_before_a_broken_link_is_left(lectern: Lectern) -> None:
    lectern.create()
    lectern.publish(30)
    diary = Diary(seconds=4.0)
    lectern.read(diary)
    for links in (1, 2):
        await until(lambda links=links: diary.entries["0"].count("start") == links)  # type: ignore[misc]
        await until(lambda: diary.entries["0"][-1] == "take")
        lectern.stack.peer.detach("com.microsoft:server-busy", hub=lectern.name)
    diary.seconds = 0.0
    await until(lambda: diary.numbers()[-30:] == list(range(30)))
    assert not diary.broken


@scenario
async def test_a_partition_that_stands_still_can_be_left(lectern: Lectern) -> None:
    lectern.create(2)
    diary = Diary()
    diary.stands_still = True
    lectern.read(diary)
    lectern.publish(5)
    await until(lambda: diary.entries["0"][-1:] == ["take"])
    diary.stands_still = False
    lectern.publish(5, "1")
    await until(lambda: len(diary.events["1"]) == 5)
    lectern.stack.peer.detach("com.microsoft:server-busy", hub=lectern.name, partition="0")
    await until(lambda: len(diary.events["0"]) == 5)
    assert diary.entries["0"][:4] == ["start", "take", "cancelled", "leave"]
    assert not diary.broken


@scenario
async def test_cancelling_leaves_every_partition_within_seconds(lectern: Lectern) -> None:
    lectern.create(3)
    diary = Diary()
    _, task = lectern.read(diary)
    await until(lambda: len(diary.open) == 3)
    diary.stands_still = True
    lectern.publish(5)
    await until(lambda: diary.entries["0"][-1] == "take")
    asked = time.monotonic()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert time.monotonic() - asked < 20
    assert not diary.open
    assert not diary.broken
    async with lectern.blobs() as blobs:
        owned = list(await blobs.list_ownership(*lectern.place))
    assert [one["owner_id"] or "" for one in owned] == ["", "", ""]


@scenario
async def test_two_share_the_partitions_and_one_takes_over_at_once_what_the_other_leaves(lectern: Lectern) -> None:
    lectern.create(4)
    first, second, troubles = Diary(), Diary(), Troubles()
    _, task = lectern.read(first, troubles)
    await until(lambda: len(first.open) == 4)
    lectern.read(second)
    await until(lambda: len(first.open) == len(second.open) == 2, "an equal share")
    for partition in "0123":
        lectern.publish(10, partition)
    await until(lambda: all(len(first.events[one]) + len(second.events[one]) >= 10 for one in "0123"))
    await until(lambda: not troubles.present, "an end of the troubles with partitions that another reads")
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await until(lambda: len(second.open) == 4)
    assert not [*first.broken, *second.broken]


@scenario
async def test_a_partition_that_another_has_taken_is_no_trouble_any_more(lectern: Lectern) -> None:
    lectern.create(2)
    first, second, troubles = Diary(), Diary(), Troubles()
    lectern.read(first, troubles, replace(QUICK, balance_seconds=4.0))  # it learns late of what it has lost
    await until(lambda: len(first.open) == 2)
    lectern.read(second)
    await until(lambda: len(second.open) == 1)
    await until(lambda: len(first.open) == 1)  # by then the stolen link was told of
    await until(lambda: not troubles.present, "an end of the troubles with what another has")


@scenario
async def test_checkpoints_are_those_of_the_sdk(lectern: Lectern) -> None:
    lectern.create(2)
    lectern.publish(5)
    diary = Diary()
    hub, task = lectern.read(diary)
    await until(lambda: len(diary.events["0"]) == 5)
    last = diary.events["0"][-1]
    assert await hub.checkpointed("0") is None
    await hub.checkpoint("0", last.position, last.offset or "")
    async with lectern.blobs() as blobs:
        (written,) = await blobs.list_checkpoints(*lectern.place)
    assert (written["partition_id"], written["sequence_number"], written["offset"]) == ("0", 4, last.offset)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    again = Diary()
    hub, _ = lectern.read(again)
    await until(lambda: len(again.open) == 2)
    assert await hub.checkpointed("0") == (4, last.offset)
    assert await hub.checkpointed("1") is None
    await until(lambda: len(again.events["0"]) == 5, "a beginning where the reader says, not at the checkpoint")


@scenario
async def test_a_release_wins_over_a_renewal_that_crosses_it(lectern: Lectern) -> None:
    async with lectern.blobs() as blobs:
        positions = Positions(blobs, Diary())
        place = lectern.place
        names = dict(zip(("fully_qualified_namespace", "eventhub_name", "consumer_group"), place, strict=True))
        assert list(await positions.list_ownership(*place)) == []
        (claimed,) = await positions.claim_ownership([{**names, "partition_id": "0", "owner_id": "me"}])
        await positions.claim_ownership([dict(claimed)])  # the renewal, of which whoever releases does not know yet
        positions.end()
        await positions.claim_ownership([{**claimed, "owner_id": ""}])
        (held,) = await blobs.list_ownership(*place)
        assert not held["owner_id"]
        assert list(await positions.claim_ownership([{**held, "owner_id": "me"}])) == []
        await blobs.claim_ownership([{**held, "owner_id": "another"}])
        await positions.claim_ownership([{**claimed, "owner_id": ""}])
        (held,) = await blobs.list_ownership(*place)
        assert held["owner_id"] == "another"


@scenario
async def test_delivery_ends_where_the_hub_has_other_partitions(lectern: Lectern) -> None:
    lectern.create()
    diary = Diary()
    hub, task = lectern.read(diary)
    await until(lambda: diary.open == {"0"})
    assert (await hub.state()).partitions == ("0",)
    lectern.stack.peer.add_partitions(lectern.name, 1)
    with pytest.raises(Unavailable, match="reading starts again"):
        await task
    assert not diary.open
    again = asyncio.create_task(hub.deliver(diary))
    await until(lambda: diary.open == {"0", "1"})
    again.cancel()
    await asyncio.gather(again, return_exceptions=True)
    assert not diary.broken


@scenario
async def test_a_hub_says_what_it_holds_or_that_it_cannot_be_asked(lectern: Lectern) -> None:
    lectern.create(2)
    lectern.publish(10)
    lectern.stack.peer.expire(lectern.name, "0", 4)
    hub, nowhere = lectern.hub(), lectern.hub("nowhere")
    try:
        assert (await hub.state()).partitions == ("0", "1")
        held, empty = await hub.partition("0"), await hub.partition("1")
        assert (held.first, held.last, empty.first, empty.last) == (4, 9, 0, -1)
        with pytest.raises(Unavailable, match="404"):
            await nowhere.state()
    finally:
        await hub.close()
        await nowhere.close()
