"""Outages of what a live count needs, orders to stop in the midst of them, and replicas that come and go.

Each strikes logcounts of its own, and all are played side by side: mostly they wait.
"""

from __future__ import annotations

import os
import signal
import time
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from changing_hands import comes_and_goes
from hub_scenes import KILLED_SECONDS, Replica, Scene, ended, play, secrets_in
from ingestion import Fault, running_ingestion
from tcp_gate import gate_to

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from hub_scenes import Plot
    from live_stack import Stack
    from tcp_gate import Gate

pytest_plugins = ["shared_stack"]


class Site:
    """What one logcount needs, each behind a gate of its own: hub, store, and an ingestion server."""

    def __init__(self, stack: Stack, name: str, folder: Path, running: ExitStack) -> None:
        folder.mkdir()
        ingestion = running.enter_context(running_ingestion())
        self.hub_gate: Gate = running.enter_context(gate_to(stack.peer.port))
        self.store_gate: Gate = running.enter_context(gate_to(stack.azurite.port))
        self.stack = replace(stack, folder=folder, ingestion=ingestion, _started=[])
        running.callback(self.stack.close)
        self.ingestion = ingestion
        self.peer = stack.peer
        self.hub = Scene(self.stack, name)

    def start(self, **settings: Any) -> Replica:
        """Start a logcount that reaches everything through the gates."""
        azurite = self.stack.azurite
        through = replace(azurite, port=self.store_gate.port)
        connection = self.peer.connection_string(self.hub.hub).replace(f":{self.peer.port};", f":{self.hub_gate.port};")
        named = {
            "eventhub__balance_seconds": 3,  # six times this and a partition is no longer this process's to release
            "eventhub__connection_string": connection,
            "storage__connection_string": through.connection_string,
            "storage__ledger": f"{through.url}/{self.stack.container}",
        }
        return Replica(self.stack, hubs=[self.hub.hub], **(named | settings))

    def settled(self, replica: Replica, signal_number: int = signal.SIGTERM) -> Plot:
        """Ask a logcount to stop; it must be gone before it would be killed, with the status that is due."""
        seconds = yield from ended(replica.process, signal_number)
        due = {signal.SIGTERM: 0, signal.SIGINT: 130}[signal.Signals(signal_number)]
        assert (replica.process.returncode, seconds < KILLED_SECONDS) == (due, True), f"{seconds:.1f} s\n{replica.log}"


PLOTS: dict[str, Callable[[Site], Plot]] = {}


def outage(plot: Callable[[Site], Plot]) -> Callable[[dict[str, Exception | None]], None]:
    """Make a test of a plot; it is played beside the others."""
    name = plot.__name__
    PLOTS[name] = plot

    def test(outcomes: dict[str, Exception | None]) -> None:
        if (error := outcomes[name]) is not None:
            raise error

    test.__name__ = name
    return test


@pytest.fixture(scope="module")
def outcomes(stack: Stack, request: pytest.FixtureRequest) -> Iterator[dict[str, Exception | None]]:
    """Play what was chosen, side by side, each with a logcount of its own."""
    chosen = {item.name for item in request.session.items if item.path == request.path}
    with ExitStack() as running:
        plots = {}
        for name in (name for name in PLOTS if name in chosen):
            hub = name.removeprefix("test_").replace("_", "-")
            plots[name] = PLOTS[name](Site(stack, hub, stack.folder / hub, running))
        yield play(plots)


@outage
def test_counting_goes_on_while_ingestion_is_away_and_emission_catches_up(site: Site) -> Plot:
    hub = site.hub
    hub.create(2)
    hub.publish("0", 50)
    replica = site.start()
    yield hub.counted()
    yield hub.emitted()
    site.ingestion.fail(Fault(drops=True))
    site.ingestion.fail(Fault(status=500, accepts=True))
    site.ingestion.fail(Fault(status=503), times=None)
    hub.publish("0", 500)
    hub.publish("1", 300)
    yield hub.counted()
    yield "health says why", lambda: "appinsights" in replica.report(hub.hub)["troubles"] and not replica.ready()
    site.ingestion.recover()
    yield hub.emitted()
    assert hub.accepted()[1] > 0  # what was taken without an answer came again, and is known by record and number
    yield "health is well again", replica.ready
    ends = {"0": 549, "1": 299}
    yield "checkpoints follow", lambda: _checkpoints(hub) == ends
    yield from site.settled(replica)


@outage
def test_a_stop_without_ingestion_leaves_the_rest_to_the_next_run(site: Site) -> Plot:
    hub = site.hub
    hub.create(4)
    replica = site.start()
    site.ingestion.fail(Fault(status=503), times=None)
    for partition in "0123":
        hub.publish(partition, 100)
    yield hub.counted()
    hub.publish("0", 10)
    yield from site.settled(replica)
    assert [hub.owner(partition) for partition in "0123"] == [""] * 4
    assert hub.accepted() == (0, 0)
    site.ingestion.recover()
    second = site.start()
    yield hub.counted()
    yield hub.emitted()
    yield from site.settled(second)


@outage
def test_a_stop_with_a_sink_that_hangs_is_in_time(site: Site) -> Plot:
    hub = site.hub
    hub.create(2)
    site.ingestion.fail(Fault(hangs=True), times=None)
    hub.publish("0", 100)
    hub.publish("1", 100)
    replica = site.start()
    yield hub.counted()
    hub.publish("0", 10)
    yield from site.settled(replica)
    assert [hub.owner(partition) for partition in "01"] == ["", ""]


@outage
def test_nothing_is_counted_that_cannot_be_recorded(site: Site) -> Plot:
    hub = site.hub
    hub.create(2)
    hub.publish("0", 50)
    replica = site.start(run__settle_events=50)
    yield hub.counted()
    site.store_gate.shut()
    hub.publish("0", 3000)
    yield "health says why", lambda: "ledger" in replica.report(hub.hub)["troubles"] and not replica.ready()
    asked = time.monotonic()
    yield "some seconds pass", lambda: time.monotonic() - asked > 3
    partition = replica.report(hub.hub)["partitions"]["0"]
    assert partition["settled_to"] == 49
    assert partition["received_to"] < 400  # what was uncommitted and what had been sent ahead, not all
    site.store_gate.open()
    yield hub.counted()
    yield "health is well again", replica.ready
    yield hub.emitted()
    yield from site.settled(replica)


@outage
def test_a_stop_without_the_store_is_in_time_and_nothing_is_lost(site: Site) -> Plot:
    hub = site.hub
    hub.create(2)
    hub.publish("0", 50)
    replica = site.start()
    yield hub.counted()
    site.store_gate.darken()
    hub.publish("0", 100)
    hub.publish("1", 100)
    yield "something is uncommitted", lambda: replica.report(hub.hub)["partitions"]["0"]["received_to"] > 49
    yield from site.settled(replica)
    site.store_gate.open()
    second = site.start()
    yield hub.counted()
    yield hub.emitted()
    yield from site.settled(second)


@outage
def test_a_hub_that_is_a_black_hole_is_given_up_and_found_again(site: Site) -> Plot:
    hub = site.hub
    hub.create(2)
    hub.publish("0", 50)
    replica = site.start()
    yield hub.counted()
    site.hub_gate.darken()
    hub.publish("0", 50)
    hub.publish("1", 50)
    yield "health says why", lambda: not replica.ready()
    asked = time.monotonic()
    yield "longer than the idle time passes", lambda: time.monotonic() - asked > 12
    site.hub_gate.open()
    yield hub.counted()
    yield hub.emitted()
    yield "health is well again", replica.ready
    yield from site.settled(replica)


@outage
def test_a_stop_while_the_hub_is_a_black_hole_settles_what_is_uncommitted(site: Site) -> Plot:
    hub = site.hub
    hub.create(2)
    replica = site.start(run__settle_seconds=300)
    hub.publish("0", 50)
    hub.publish("1", 50)
    yield "all is uncommitted", lambda: _received(replica, hub) == {"0": 49, "1": 49}
    site.hub_gate.darken()
    yield from site.settled(replica)
    assert hub.is_counted()
    assert hub.is_emitted()
    assert [hub.owner(partition) for partition in "01"] == ["", ""]


@outage
def test_what_is_uncommitted_is_settled_and_emitted_and_checkpointed_before_the_end(site: Site) -> Plot:
    hub = site.hub
    hub.create(2)
    replica = site.start(run__settle_seconds=300)
    hub.publish("0", 50)
    hub.publish("1", 50)
    yield "all is uncommitted", lambda: _received(replica, hub) == {"0": 49, "1": 49}
    assert hub.events() == 0
    yield from site.settled(replica, signal.SIGINT)
    assert hub.is_counted()
    assert hub.is_emitted()
    assert _checkpoints(hub) == {"0": 49, "1": 49}
    assert [hub.owner(partition) for partition in "01"] == ["", ""]


@outage
def test_a_stop_during_the_start_is_in_time(site: Site) -> Plot:
    site.hub.create(2)
    site.store_gate.darken()
    replica = site.start()
    yield "it asks for the store", lambda: _listens(replica)
    yield from site.settled(replica)


@outage
def test_a_store_that_cannot_be_reached_at_the_start_is_named(site: Site) -> Plot:
    site.hub.create(2)
    site.store_gate.shut()
    replica = site.start()
    yield "it gives up", lambda: replica.process.poll() is not None
    assert replica.process.returncode == 1
    assert f"container '{site.stack.container}'" in replica.log
    assert "Traceback" not in replica.log


@outage
def test_a_stop_while_the_disk_of_the_ledger_hangs_is_in_time(site: Site) -> Plot:
    hub = site.hub
    hub.create(1)
    hub.publish("0", 10)
    site.stack.ledger = str(site.stack.folder / "ledger")
    replica = site.start(storage__ledger=site.stack.ledger)
    yield hub.counted()
    os.mkfifo(site.stack.folder / "ledger" / hub.log() / "1")  # whoever reads record 1 waits for a writer
    hub.publish("0", 10)
    yield "something is uncommitted", lambda: _received(replica, hub) == {"0": 19}
    yield from site.settled(replica)


@outage
def test_an_interrupt_during_the_start_ends_with_its_status(site: Site) -> Plot:
    site.hub.create(2)
    site.store_gate.darken()
    replica = site.start()
    yield "it asks for the store", lambda: _listens(replica)
    yield from site.settled(replica, signal.SIGINT)


@outage
def test_a_stop_before_a_hub_was_reached_leaves_no_partition_owned(site: Site) -> Plot:
    hub = site.hub
    hub.create(2)
    site.hub_gate.darken()
    replica = site.start()
    yield replica.up()
    yield from site.settled(replica)
    assert [hub.owner(partition) for partition in "01"] == ["", ""]


@outage
def test_partitions_change_hands_and_every_event_is_counted_once(site: Site) -> Plot:
    yield from comes_and_goes(site.hub)


def _received(replica: Replica, hub: Scene) -> dict[str, int]:
    report = replica.report(hub.hub)
    return {name: one["received_to"] for name, one in report["partitions"].items()}


def _checkpoints(hub: Scene) -> dict[str, int]:
    with hub.stack.container_client() as client:
        blobs = list(client.list_blobs(name_starts_with="127.0.0.1", include=["metadata"]))
    mine = [blob for blob in blobs if f"/{hub.hub}/" in blob.name and "/checkpoint/" in blob.name]
    return {blob.name.rsplit("/", 1)[-1]: int(blob.metadata["sequencenumber"]) for blob in mine}


def _listens(replica: Replica) -> bool:
    """Say whether a process catches SIGTERM by now."""
    status = Path(f"/proc/{replica.process.pid}/status").read_text(encoding="ascii")
    caught = next(line for line in status.splitlines() if line.startswith("SigCgt"))
    return bool(int(caught.split()[1], 16) & 1 << signal.SIGTERM - 1)


def test_no_log_of_an_outage_holds_a_key_or_a_body(stack: Stack, outcomes: dict[str, Exception | None]) -> None:
    logs = [path.read_text(encoding="utf-8") for path in stack.folder.glob("*/logcount-*.log")]
    assert logs
    assert not [log for log in logs if secrets_in(log)]
