"""What Event Hubs does to a consumer, a hub for each case, counted by one `logcount run` that lives through it all."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from azure.eventhub import EventHubProducerClient
from azure.eventhub.amqp import AmqpAnnotatedMessage
from eventhub_peer import Peer
from hub_scenes import MARKER, Replica, Scene, play, secrets_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hub_scenes import Claim, Plot
    from live_stack import Stack

pytest_plugins = ["shared_stack"]

START: Claim = ("logcount is started", lambda: True)
"""What is yielded when a hub is as logcount is to find it."""

CONDITIONS = (
    "com.microsoft:server-busy",
    "amqp:link:detach-forced",
    "amqp:unauthorized-access",
)

LARGE_EVENTS, LARGE_BYTES = 200, 200_000

PEAK_MB = 600
"""What the process and its worker may need for all these hubs together, 40 MB of the largest events among them; 280
were measured, and 234 for one hub of 120 MB of such events with a prefetch of 50."""


class Stage:
    """The scenes that were chosen, and the logcounts that count their hubs: storms strike a peer of their own."""

    def __init__(self, stack: Stack, stormy: Stack, chosen: set[str]) -> None:
        self.peer = stack.peer
        self.storms = stormy.peer
        plots, self.scenes = {}, {}
        for name, plot in ((name, plot) for name, plot in (ALONE | TOGETHER).items() if name in chosen):
            hub = name.removeprefix("test_").replace("_", "-")
            self.scenes[name] = Scene(stack if name in ALONE else stormy, hub)
            plots[name] = plot(self.scenes[name], self)
            assert next(plots[name]) is START
        self.outcomes: dict[str, Exception | None] = {}
        self.replica, self.weathered = self._start(stack, ALONE), self._start(stormy, TOGETHER)
        storms = self._play_storms({name: plots[name] for name in plots if name in TOGETHER})
        self.outcomes |= play({name: plots[name] for name in plots if name in ALONE} | {"storms": storms})
        self.peak_mb = self.replica.peak_mb()
        self.outcomes |= play({"stop": self.replica.stop(), "storms' stop": self.weathered.stop()})

    def _start(self, stack: Stack, plots: dict[str, Plotted]) -> Replica:
        hubs = [scene.hub for name, scene in self.scenes.items() if name in plots]
        return Replica(stack, hubs=hubs, eventhub__idle_seconds=60)  # no link is to break but by a plot

    def _play_storms(self, plots: dict[str, Plot]) -> Plot:
        for name, plot in plots.items():
            try:
                yield from plot
            except Exception as error:
                self.outcomes[name] = error
            else:
                self.outcomes[name] = None

    def troubles(self, scene: Scene) -> dict[str, Any]:
        """Return what the logcount says does not answer, of one hub."""
        replica = self.replica if scene.stack.peer is self.peer else self.weathered
        told: dict[str, Any] = replica.report(scene.hub)["troubles"]
        return told


Plotted = Callable[[Scene, Stage], "Plot"]
ALONE: dict[str, Plotted] = {}
TOGETHER: dict[str, Plotted] = {}


def scene(plot: Plotted) -> Callable[[Stage], None]:
    """Make a test of a plot; it is played beside the others."""
    return _listed(plot, ALONE)


def storm(plot: Plotted) -> Callable[[Stage], None]:
    """Make a test of a plot whose faults strike every hub of its peer; one such is played after another."""
    return _listed(plot, TOGETHER)


def _listed(plot: Plotted, where: dict[str, Plotted]) -> Callable[[Stage], None]:
    name = plot.__name__
    where[name] = plot

    def test(stage: Stage) -> None:
        if (error := stage.outcomes[name]) is not None:
            raise error

    test.__name__ = name
    return test


@pytest.fixture(scope="module")
def stage(stack: Stack, request: pytest.FixtureRequest) -> Iterator[Stage]:
    """Play the scenes that were chosen."""
    folder = stack.folder / "storms"
    folder.mkdir()
    with Peer.start() as peer:
        stormy = replace(stack, peer=peer, folder=folder, _started=[])
        try:
            yield Stage(stack, stormy, {item.name for item in request.session.items if item.path == request.path})
        finally:
            stormy.close()


@scene
def test_a_hub_made_again_is_counted_beside_the_one_before(hub: Scene, stage: Stage) -> Plot:
    hub.create(2)
    hub.publish("0", 100)
    hub.publish("1", 30)
    yield START
    yield hub.counted()
    stage.peer.recreate_hub(hub.hub)
    hub.made_again()
    hub.publish("0", 20)
    hub.publish("1", 90)
    yield hub.counted()
    for partition in "01":
        records = hub.records(partition)
        assert len({record["hub"] for record in records}) == 2
        assert hub.holes(partition) == []
        assert records[-1]["to"] == {"0": 19, "1": 89}[partition]
    yield hub.emitted()


@scene
def test_a_hub_made_again_with_more_events_keeps_the_holes_of_the_one_before(hub: Scene, stage: Stage) -> Plot:
    hub.create()
    hub.publish("0", 50)
    stage.peer.expire(hub.hub, "0", 10)
    hub.forget("0", range(10))
    yield START
    yield hub.counted()
    stage.peer.delete_hub(hub.hub)
    yield "the hub is missed", lambda: "event hub" in stage.troubles(hub)
    hub.create()
    hub.made_again()
    hub.publish("0", 200)
    yield hub.counted()
    assert hub.holes() == [(0, 9, "before")]
    assert len({record["hub"] for record in hub.records()}) == 2
    yield "all is well again", lambda: not stage.troubles(hub)


@scene
def test_partitions_that_are_added_are_noticed_and_begin_at_record_0(hub: Scene, stage: Stage) -> Plot:
    hub.create(1)
    hub.publish("0", 40)
    yield START
    yield hub.counted()
    stage.peer.add_partitions(hub.hub, 2)
    hub.publish("1", 30)
    hub.publish("2", 20)
    yield hub.counted()
    assert [hub.records(partition)[0]["from"] for partition in "012"] == [0, 0, 0]
    assert hub.holes("1") == hub.holes("2") == []


@scene
def test_events_that_the_broker_leaves_out_are_a_hole_once_they_were_asked_for_twice(hub: Scene, stage: Stage) -> Plot:
    hub.create()
    hub.publish("0", 60)
    stage.peer.drop_events(hub.hub, "0", [20, 21, 22, 40])
    hub.forget("0", [20, 21, 22, 40])
    yield START
    yield hub.counted()
    assert hub.holes() == [(20, 22, "absent"), (40, 40, "absent")]
    assert hub.links() >= 3


@scene
def test_one_slow_partition_does_not_hold_up_the_others(hub: Scene, stage: Stage) -> Plot:
    hub.create(2)
    stage.peer.slow(hub.hub, "0", rate=5)
    hub.publish("0", 200)
    hub.publish("1", 600)
    yield START
    yield hub.counted("1")
    assert hub.events("0") < 200
    stage.peer.slow(hub.hub, "0")
    yield hub.counted()


@scene
def test_the_largest_events_are_counted_in_bounded_memory(hub: Scene, stage: Stage) -> Plot:
    hub.create()
    hub.publish("0", 1)
    filler = b"y" * (LARGE_BYTES - 400)
    template = b'{"v":1,"apiId":"%s","status":200,"responseBody":"%s' % (hub.hub.encode(), filler)
    template += rb'{\"model\":\"m\",\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":1,\"total_tokens\":4}}"}'
    stage.peer.generate(hub.hub, "0", LARGE_EVENTS, template)
    yield START
    yield "the large ones are counted", lambda: hub.events() == LARGE_EVENTS + 1


@scene
def test_poison_is_rejected_with_its_reason_and_its_place(hub: Scene, stage: Stage) -> Plot:
    hub.create()
    poison = [
        f"not JSON {MARKER}".encode(),
        bytes(range(256)),
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"",
        b"42",
        f'{{"v":1,"requestId":"{MARKER}'.encode(),
    ]
    hub.publish("0", 5)
    for body in poison:
        stage.peer.publish(hub.hub, "0", [body])
        hub.publish("0", 1)
    _send_values(stage.peer.connection_string(hub.hub))
    hub.publish("0", 5)
    places = set(range(5, 5 + 2 * len(poison), 2)) | {5 + 2 * len(poison), 6 + 2 * len(poison)}
    yield START
    yield "all is in the ledger", lambda: hub.events() == 10 + 2 * len(poison) + 2
    told = [told for record in hub.records() for told in record["rejected"]]
    spans = [(span["from"], span["to"]) for one in told for span in one["at"]]
    assert {number for first, last in spans for number in range(first, last + 1)} == places
    assert sum(one["events"] for one in told) == hub.total("0", "Rejected Events") == len(places)
    assert hub.total("0") == sum(hub.published["0"].values())
    assert all(one["reason"] and MARKER not in one["reason"] for one in told)
    assert any("not bytes" in one["reason"] for one in told)


def _send_values(connection: str) -> None:
    """Send what only AMQP can: bodies that are values."""
    with EventHubProducerClient.from_connection_string(connection) as producer:
        for value in ({"a": 1}, "text"):
            producer.send_event(AmqpAnnotatedMessage(value_body=value), partition_id="0")


@scene
def test_numbers_that_go_back_are_repeats(hub: Scene, stage: Stage) -> Plot:
    hub.create()
    hub.publish("0", 300)
    yield START
    yield hub.counted()
    stage.peer.rewind(hub.hub, "0", 100)
    hub.publish("0", 50)
    yield hub.counted()
    stage.peer.rewind(hub.hub, "0", 350)
    hub.publish("0", 50)
    yield hub.counted()
    yield "repeats are told", lambda: stage.replica.report(hub.hub)["repeats_dropped"] >= 450
    yield hub.emitted()


@scene
def test_a_link_that_begins_too_early_brings_repeats_alone(hub: Scene, stage: Stage) -> Plot:
    hub.create()
    hub.publish("0", 100)
    stage.peer.overlap(hub.hub, 40)
    yield START
    yield hub.counted()
    for _ in range(2):
        stage.peer.detach("amqp:link:detach-forced", hub=hub.hub)
        hub.publish("0", 30)
        yield hub.counted()
    assert hub.links() >= 3


@scene
def test_links_detached_on_any_condition_are_made_anew(hub: Scene, stage: Stage) -> Plot:
    hub.create()
    hub.publish("0", 20)
    yield START
    for condition in CONDITIONS:
        yield hub.counted()
        hub.publish("0", 20)
        assert stage.peer.detach(condition, "as the test wants it", hub=hub.hub) == 1
        hub.publish("0", 20)
    yield hub.counted()
    yield "all is well again", lambda: not stage.troubles(hub)
    yield hub.emitted()


@scene
def test_links_that_are_refused_are_told_of_and_tried_again(hub: Scene, stage: Stage) -> Plot:
    hub.create(2)
    hub.publish("0", 20)
    yield START
    yield hub.counted()
    stage.peer.refuse_links("amqp:unauthorized-access", "no claim", hub=hub.hub, partition="0", times=2)
    stage.peer.detach("com.microsoft:server-busy", hub=hub.hub, partition="0")
    hub.publish("0", 20)
    hub.publish("1", 20)
    yield "health says why", lambda: "event hub, partition 0" in stage.troubles(hub)
    yield hub.counted()
    yield "all is well again", lambda: not stage.troubles(hub)


@storm
def test_dropped_and_refused_connections_are_made_again(hub: Scene, stage: Stage) -> Plot:
    hub.create(2)
    yield START
    hub.publish("0", 40)
    yield hub.counted()
    stage.storms.refuse_connections(2.0)
    assert stage.storms.drop_connections()
    hub.publish("1", 40)
    yield hub.counted()
    yield "all is well again", lambda: not stage.troubles(hub)
    yield hub.emitted()


@storm
def test_tokens_that_are_refused_for_a_while_are_asked_for_again(hub: Scene, stage: Stage) -> Plot:
    hub.create(1)
    hub.publish("0", 40)
    yield START
    yield hub.counted()
    stage.storms.fail_cbs(401, "the token is expired")
    stage.storms.drop_connections()
    hub.publish("0", 40)
    yield "health says why", lambda: bool(stage.troubles(hub))
    stage.storms.heal()
    yield hub.counted()
    yield "all is well again", lambda: not stage.troubles(hub)


@storm
def test_a_hub_that_cannot_be_asked_is_read_on_and_a_new_link_waits_for_its_answer(hub: Scene, stage: Stage) -> Plot:
    hub.create(2)
    hub.publish("0", 40)
    yield START
    hub.publish("0", 40)  # once these are counted, the link stands again that the storm before has broken
    yield hub.counted()
    yield "all is well", lambda: not stage.troubles(hub)
    stage.storms.fail_management(500)
    hub.publish("0", 40)
    yield "health says why", lambda: "event hub" in stage.troubles(hub)
    yield hub.counted()
    assert stage.storms.detach("com.microsoft:server-busy", hub=hub.hub, partition="0") == 1
    hub.publish("0", 40)
    asked = time.monotonic()
    yield "time for a new link passes", lambda: time.monotonic() - asked > 5
    assert not hub.is_counted()
    stage.storms.heal()
    yield hub.counted()
    yield "all is well again", lambda: not stage.troubles(hub)


@pytest.mark.parametrize("stop", ["stop", "storms' stop"])
def test_the_count_lived_through_all_of_it_and_stopped_as_it_should(stage: Stage, stop: str) -> None:
    if (error := stage.outcomes[stop]) is not None:
        raise error


def test_memory_was_bounded(stage: Stage) -> None:
    assert stage.peak_mb < PEAK_MB, f"{stage.peak_mb:.0f} MB at the peak"


def test_no_log_holds_a_key_or_a_body(stage: Stage) -> None:
    for log in (stage.replica.log, stage.weathered.log):
        assert "counting" in log
        assert not secrets_in(log)
