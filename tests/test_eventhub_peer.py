"""The loopback Event Hubs peer, driven through the real SDK."""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio
from azure.eventhub import EventData
from azure.eventhub.exceptions import AuthenticationError, ConnectError, EventHubError
from azure.storage.blob.aio import ContainerClient
from eventhub_peer import Peer, PeerError
from eventhub_peer.frames import Padder
from eventhub_peer.stage import Stage, consumer, producer, until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from azurite import Azurite

pytest_plugins = ["azurite_fixture"]
logging.getLogger("azure.eventhub._pyamqp").setLevel(logging.WARNING)

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    # the SDK forgets sockets that were closed under it
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


Scenario = Callable[[Stage], Awaitable[None]]
Running = dict[str, asyncio.Task[None]]
SCENARIOS: dict[str, Scenario] = {}


def scenario(play: Scenario) -> Callable[[Running], Awaitable[None]]:
    """Make a test of a scenario.

    The SDK takes a second to begin to receive, and another to end, and waits all the while: so the scenarios that were
    chosen are all played at once, and each test waits for its own.
    """
    name = play.__name__
    SCENARIOS[name] = play

    async def test(running: Running) -> None:
        await running[name]

    test.__name__ = name
    return test


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    async def play(name: str) -> None:
        async with Stage.built(tmp_path_factory.mktemp("stage")) as stage:
            await SCENARIOS[name](stage)

    chosen = {item.name for item in request.session.items if item.path == request.path}
    tasks = {name: asyncio.create_task(play(name)) for name in SCENARIOS if name in chosen}
    yield tasks
    for task in tasks.values():
        task.cancel()
    await asyncio.gather(*tasks.values(), return_exceptions=True)
    gc.collect()  # what the SDK forgot is found here, and not in the middle of another test


def bodies(count: int) -> list[bytes]:
    return [b"event %d" % number for number in range(count)]


def received(*outputs: Path) -> set[str]:
    return {line for output in outputs if output.exists() for line in output.read_text(encoding="ascii").splitlines()}


def frame(performative: str) -> bytes:
    body = bytes.fromhex(performative)
    return (len(body) + 8).to_bytes(4, "big") + b"\x02\x00\x00\x01" + body


PADDED = {
    "a short list": ("005316 c0 03 01 5205", "005316 c0 05 03 5205 40 40"),
    "an empty list": ("005317 45", "005317 c0 02 01 40"),
    "a long list": ("005316 d0 00000006 00000001 5205", "005316 c0 05 03 5205 40 40"),
    "a list that grows long": (
        f"005316 c0 fe 01 a0 fb {'00' * 251}",
        f"005316 d0 00000103 00000003 a0 fb {'00' * 251} 4040",
    ),
    "a payload after the list": ("005318 c0 02 01 43 00112233", "005318 c0 02 01 43 00112233"),
    "what is no list of fields": ("00", "00"),
}


@pytest.mark.parametrize("what", PADDED)
async def test_fields_that_were_left_out_are_put_back(what: str) -> None:
    written, expected = (frame(performative) for performative in PADDED[what])
    stream = b"AMQP\x00\x01\x00\x00" + written + frame("") + written
    padder = Padder()
    pieces = [padder.feed(stream[place : place + 1]) for place in range(len(stream))]
    whole = b"AMQP\x00\x01\x00\x00" + expected + frame("") + expected
    assert b"".join(pieces) == Padder().feed(stream) == whole


@scenario
async def test_management_tells_of_hubs_and_partitions(stage: Stage) -> None:
    peer = stage.peer
    created = datetime(2026, 11, 1, 12, tzinfo=UTC)
    peer.create_hub("managed", 2, created_at=created)
    peer.publish("managed", "0", bodies(4), enqueued=created + timedelta(hours=1))
    peer.expire("managed", "0", 2)
    async with consumer(peer, "managed") as client:
        hub = await client.get_eventhub_properties()
        first, empty = [await client.get_partition_properties(identity) for identity in ("0", "1")]
        peer.add_partitions("managed")
        assert await client.get_partition_ids() == ["0", "1", "2"]
    assert hub == {"eventhub_name": "managed", "created_at": created, "partition_ids": ["0", "1"]}
    assert (first["beginning_sequence_number"], first["last_enqueued_sequence_number"]) == (2, 3)
    assert first["last_enqueued_time_utc"] == created + timedelta(hours=1)
    assert not first["is_empty"]
    assert empty["is_empty"]
    assert (empty["last_enqueued_sequence_number"], empty["last_enqueued_offset"]) == (-1, "-1")
    assert empty["last_enqueued_time_utc"].year == 1
    assert peer.end("managed") == {"0": 3, "1": -1, "2": -1}


@scenario
async def test_management_fails_when_told_to(stage: Stage) -> None:
    peer = stage.peer
    peer.create_hub("unmanaged", 1)
    async with consumer(peer, "unmanaged", retry_total=0) as client, consumer(peer, "nowhere", retry_total=0) as other:
        with pytest.raises(EventHubError, match="404"):
            await other.get_eventhub_properties()
        peer.fail_management(500, times=1)
        with pytest.raises(EventHubError, match="500"):
            await client.get_eventhub_properties()
        assert await client.get_partition_ids() == ["0"]


POSITIONS: dict[str, tuple[Callable[[list[EventData]], Any], bool, list[int]]] = {
    "the start": (lambda _: "-1", False, [0, 1, 2, 3, 4]),
    "after an offset": (lambda events: events[1].offset, False, [2, 3, 4]),
    "at an offset": (lambda events: events[1].offset, True, [1, 2, 3, 4]),
    "after the last offset": (lambda events: events[3].offset, False, [4]),
    "after a number": (lambda _: 1, False, [2, 3, 4]),
    "at a number": (lambda _: 1, True, [1, 2, 3, 4]),
    "after a time": (lambda events: events[1].enqueued_time, False, [2, 3, 4]),
    "at a time": (lambda events: events[1].enqueued_time, True, [1, 2, 3, 4]),
    "the end": (lambda _: "@latest", False, [4]),
}


@scenario
async def test_a_receiver_begins_where_it_asks_to(stage: Stage) -> None:
    peer = stage.peer
    peer.create_hub("positions", 1)
    moment = datetime(2026, 11, 22, tzinfo=UTC)
    peer.publish("positions", "0", bodies(4), enqueued=[moment + timedelta(seconds=second) for second in range(4)])
    first = stage.receive("positions")
    await first.has(4)
    assert [event.body_as_str() for event in first.events] == ["event 0", "event 1", "event 2", "event 3"]
    assert all(event.offset != str(event.sequence_number) for event in first.events)
    assert first.events[1].enqueued_time == moment + timedelta(seconds=1)
    receptions = {
        name: stage.receive(
            "positions", at(first.events), starting_position_inclusive=inclusive, client={"group": name}
        )
        for name, (at, inclusive, _) in POSITIONS.items()
    }
    await stage.attached("positions", 1 + len(POSITIONS))
    peer.publish("positions", "0", [b"event 4"])
    for name, (_, _, expected) in POSITIONS.items():
        await receptions[name].has(len(expected))
        assert receptions[name].sequences == expected, name


@scenario
async def test_a_position_beyond_the_end_is_refused_and_an_expired_one_begins_at_what_is_left(stage: Stage) -> None:
    peer = stage.peer
    peer.create_hub("edges", 1)
    peer.publish("edges", "0", bodies(10))
    peer.expire("edges", "0", 3)
    assert peer.drop_events("edges", "0", [2, 5, 6]) == 2
    beyond = stage.receive("edges", "999999", client={"retry_total": 0})
    later = stage.receive("edges", 10, client={"retry_total": 0})
    expired = stage.receive("edges", 1)
    error = await beyond.failed()
    assert isinstance(error, ConnectError)
    assert "com.microsoft:argument-error" in str(error)
    assert "The supplied offset '999999' is invalid. The last offset in the system is '" in str(error)
    assert "The supplied sequence number '10' is invalid" in str(await later.failed())
    await expired.has(5)
    assert expired.sequences == [3, 4, 7, 8, 9]


@scenario
async def test_an_owner_level_steals_the_link_and_a_lower_one_does_not(stage: Stage) -> None:
    peer = stage.peer
    peer.create_hub("stolen", 1)
    once = {"retry_total": 0, "load_balancing_interval": 60}
    plain = stage.receive("stolen", client=once)
    await stage.attached("stolen", 1)
    first = stage.receive("stolen", client=once, owner_level=1)
    assert "amqp:link:stolen" in str(await plain.failed())
    await stage.attached("stolen", 1)
    for reception in [stage.receive("stolen", client=once, owner_level=level) for level in (None, 0)]:
        assert "amqp:link:stolen" in str(await reception.failed())
    assert not first.errors
    second = stage.receive("stolen", client=once, owner_level=1)
    assert "amqp:link:stolen" in str(await first.failed())
    peer.publish("stolen", "0", bodies(1))
    await second.has(1)
    assert [delivery["owner_level"] for delivery in peer.delivered("stolen")] == [None, 1, 1]
    assert [delivery["events"] for delivery in peer.delivered("stolen")] == [0, 0, 1]


@scenario
async def test_a_sixth_receiver_is_refused_and_so_is_an_unknown_group(stage: Stage) -> None:
    peer = stage.peer
    peer.create_hub("crowd", 1, groups=["$Default"])
    for _ in range(5):
        stage.receive("crowd")
    await stage.attached("crowd", 5)
    once = {"retry_total": 0}
    sixth = stage.receive("crowd", client=once)
    stranger = stage.receive("crowd", client=once | {"group": "strangers"})
    assert "amqp:resource-limit-exceeded" in str(await sixth.failed())
    assert "amqp:not-found" in str(await stranger.failed())


@scenario
async def test_events_are_sent_one_by_one_and_in_batches(stage: Stage) -> None:
    peer = stage.peer
    peer.create_hub("sent", 2)
    receptions = [stage.receive("sent", partition_id=identity) for identity in ("0", "1")]
    async with producer(peer, "sent") as client:
        event = EventData(b"single")
        event.properties = {"kind": "test"}
        await client.send_event(event, partition_id="0")
        large = await client.create_batch(partition_id="0")
        large.add(EventData(b"x" * 900_000))  # more than one frame
        await client.send_batch(large)
        keyed = await client.create_batch(partition_key="a key")
        for body in bodies(3):
            keyed.add(EventData(body))
        await client.send_batch(keyed)
        for _ in range(2):
            await client.send_batch([EventData(b"by turn")])
    await until(lambda: sum(peer.end("sent").values()) == 5)
    await until(lambda: sum(len(reception.events) for reception in receptions) == 7)
    single, whole = receptions[0].events[:2]
    assert (single.body_as_str(), single.properties, single.partition_key) == ("single", {b"kind": b"test"}, None)
    assert whole.body_as_str() == "x" * 900_000
    (of_key,) = [found for one in receptions if (found := [e for e in one.events if e.partition_key == b"a key"])]
    assert [event.body_as_str() for event in of_key] == ["event 0", "event 1", "event 2"]
    assert all("by turn" in [event.body_as_str()[:7] for event in one.events] for one in receptions)


@scenario
async def test_dropped_connections_are_taken_up_again(stage: Stage) -> None:
    peer = stage.peer
    peer.create_hub("dropped", 1)
    reception = stage.receive("dropped", client={"retry_total": 10})
    peer.publish("dropped", "0", bodies(3))
    await reception.has(3)
    peer.refuse_connections(0.5)
    assert peer.drop_connections() >= 1
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", peer.port)
    peer.publish("dropped", "0", bodies(3))
    await reception.has(6)
    assert reception.sequences == [0, 1, 2, 3, 4, 5]
    first, second = peer.delivered("dropped")
    assert (first["attached"], first["highest"]) == (False, 2)
    assert (second["attached"], second["lowest"], second["highest"]) == (True, 3, 5)


@scenario
async def test_events_come_again_after_a_reconnect_and_on_the_same_link(stage: Stage) -> None:
    peer = stage.peer
    peer.create_hub("again", 1)
    reception = stage.receive("again")
    peer.publish("again", "0", bodies(4))
    await reception.has(4)
    assert peer.rewind("again", "0", 2) == 1
    await reception.has(6)
    assert reception.sequences == [0, 1, 2, 3, 2, 3]
    peer.overlap("again", 3)
    peer.drop_connections()
    await reception.has(9)
    assert reception.sequences[6:] == [1, 2, 3]


@scenario
async def test_passing_conditions_are_outlived(stage: Stage) -> None:
    peer = stage.peer
    conditions = {"0": "amqp:link:detach-forced", "1": "com.microsoft:server-busy"}
    peer.create_hub("passing", 2)
    receptions = [stage.receive("passing", partition_id=identity) for identity in conditions]
    await stage.attached("passing", 2)
    for identity, condition in conditions.items():
        assert peer.detach(condition, "for the test", hub="passing", partition=identity) == 1
        assert peer.detach(condition, hub="passing", partition=identity) == 0
        peer.publish("passing", identity, bodies(1))
    for reception in receptions:
        await reception.has(1)
    assert len(peer.delivered("passing")) == 4


@scenario
async def test_a_lasting_condition_is_told_to_the_client(stage: Stage) -> None:
    peer = stage.peer
    peer.create_hub("forbidden", 1)
    peer.refuse_links("amqp:unauthorized-access", "no right", hub="forbidden", times=1)
    reception = stage.receive("forbidden", client={"retry_total": 0})
    error = await reception.failed()
    assert "amqp:unauthorized-access" in str(error)
    peer.publish("forbidden", "0", bodies(1))
    await reception.has(1)  # at the next balance


@scenario
async def test_a_token_that_is_refused_is_told_to_the_client(stage: Stage) -> None:
    peer = stage.peer
    peer.create_hub("tokens", 1)
    peer.fail_cbs(401)
    reception = stage.receive("tokens", client={"retry_total": 0})
    assert isinstance(await reception.failed(), AuthenticationError)
    assert peer.delivered("tokens") == []
    peer.heal()
    await stage.attached("tokens", 1)


@scenario
async def test_a_hub_is_deleted_and_created_anew(stage: Stage) -> None:
    peer = stage.peer
    old, new = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC)
    peer.create_hub("anew", 1, created_at=old)
    peer.publish("anew", "0", bodies(5))
    reception = stage.receive("anew", client={"retry_total": 0})
    await reception.has(5)
    peer.recreate_hub("anew", created_at=new)
    assert "amqp:not-found" in str(await reception.failed())
    peer.publish("anew", "0", bodies(2))
    await reception.has(7)  # claimed again, from the start
    assert reception.sequences == [0, 1, 2, 3, 4, 0, 1]
    async with consumer(peer, "anew", retry_total=0) as client:
        assert (await client.get_eventhub_properties())["created_at"] == new
        peer.delete_hub("anew")
        with pytest.raises(EventHubError, match="404"):
            await client.get_eventhub_properties()
    with pytest.raises(PeerError):
        peer.end("anew")


@scenario
async def test_a_quiet_link_stays_up_and_a_black_hole_is_noticed(stage: Stage) -> None:
    peer = stage.peer
    peer.create_hub("quiet", 1)
    reception = stage.receive("quiet", client={"idle_timeout": 4, "retry_total": 0})
    await stage.attached("quiet", 1)
    await asyncio.sleep(10)  # two time-outs and a half without an event
    peer.publish("quiet", "0", bodies(1))
    await reception.has(1)
    assert len(peer.delivered("quiet")) == 1
    peer.pause()
    try:
        await reception.failed()
    finally:
        peer.resume()
    await until(lambda: len(links := peer.delivered("quiet")) > 1 and links[-1]["attached"])
    assert not peer.delivered("quiet")[0]["attached"]
    peer.publish("quiet", "0", bodies(1))
    await reception.has(2)


@scenario
async def test_a_client_that_stops_reading_is_not_flooded(stage: Stage) -> None:
    peer = stage.peer
    peer.create_hub("credit", 1)
    peer.generate("credit", "0", 1_000, b"event {{number}}")
    reception = stage.receive("credit", prefetch=20, max_batch_size=10)
    reception.free.clear()
    await until(lambda: bool(peer.delivered("credit")) and peer.delivered("credit")[0]["events"] >= 20)
    await asyncio.sleep(0.5)
    assert peer.delivered("credit")[0]["events"] <= 2 * 20 + 10
    reception.free.set()
    await reception.has(1_000)
    assert reception.sequences == list(range(1_000))
    assert reception.events[-1].body_as_str() == "event 999"


@scenario
async def test_a_receiver_is_told_of_the_last_event_if_it_asks(stage: Stage) -> None:
    peer = stage.peer
    peer.create_hub("metrics", 1)
    peer.publish("metrics", "0", bodies(2))
    asking = stage.receive("metrics", track_last_enqueued_event_properties=True, prefetch=1)
    silent = stage.receive("metrics")
    await asking.has(2)
    await silent.has(2)
    assert asking.events[0].raw_amqp_message.delivery_annotations is not None
    told: dict[Any, Any] = dict(asking.events[0].raw_amqp_message.delivery_annotations)
    assert told[b"last_enqueued_sequence_number"] == 1
    assert told[b"last_enqueued_offset"].decode() == asking.events[1].offset
    assert not silent.events[0].raw_amqp_message.delivery_annotations


@scenario
async def test_delivery_is_slowed_and_healed(stage: Stage) -> None:
    peer = stage.peer
    peer.create_hub("slow", 2)
    peer.slow("slow", "0", delay=60)
    peer.slow("slow", "1", rate=0.1)
    late, paced = (stage.receive("slow", partition_id=identity) for identity in ("0", "1"))
    await stage.attached("slow", 2)
    for identity in ("0", "1"):
        peer.publish("slow", identity, bodies(3))
    await paced.has(1)
    assert (late.sequences, paced.sequences) == ([], [0])
    peer.heal()
    await late.has(3)
    await paced.has(3)


@scenario
async def test_a_schedule_of_arrivals_is_played(stage: Stage) -> None:
    peer = stage.peer
    peer.create_hub("played", 2)
    (stage.folder / "body.json").write_bytes(b"from a file")
    lines: list[dict[str, Any]] = [{"at": 0.0, "partition": "0", "body": "ä"}]
    lines += [{"at": 50.0 + number, "partition": "0", "path": "body.json"} for number in range(3)]
    lines += [{"at": 60.0, "body": "anywhere"}]
    schedule = stage.folder / "schedule.jsonl"
    schedule.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    reception = stage.receive("played")
    assert peer.play("played", schedule, speed=100.0) == 5
    await until(lambda: peer.played("played")["published"] == 5)
    await reception.has(4)
    assert [event.body_as_str() for event in reception.events[:4]] == ["ä", *["from a file"] * 3]
    first, second = (event.enqueued_time for event in reception.events[:2])
    assert first is not None
    assert second is not None
    assert second - first >= timedelta(seconds=0.49)


async def test_a_killed_replica_is_replaced_by_another(azurite: Azurite, tmp_path: Path, running: Running) -> None:
    with Peer.start() as peer:
        await one_of_two_is_killed(peer, azurite, tmp_path)


def published(peer: Peer) -> int:
    return sum(last + 1 for last in peer.end("replicas").values())


async def one_of_two_is_killed(peer: Peer, azurite: Azurite, folder: Path) -> None:
    peer.create_hub("replicas", 4)
    async with ContainerClient.from_connection_string(azurite.connection_string, "replicas") as container:
        await container.create_container()
    outputs = [folder / name for name in ("one", "other")]
    command = [sys.executable, "-m", "eventhub_peer.replica", peer.connection_string("replicas")]
    command += [azurite.connection_string, "replicas"]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parent)}
    replicas = [subprocess.Popen([*command, str(output)], env=environment) for output in outputs]
    try:
        while not all(received(output) for output in outputs):  # until both have a share
            peer.generate("replicas", None, 40, b"event {{number}}")
            await until(lambda: len(received(*outputs)) == published(peer))
        replicas[0].kill()
        peer.generate("replicas", None, 400, b"event {{number}}")
        await until(lambda: len(received(*outputs)) == published(peer))
    finally:
        for replica in replicas:
            replica.kill()
            replica.wait()
    assert {delivery["owner_level"] for delivery in peer.delivered("replicas")} == {0}
