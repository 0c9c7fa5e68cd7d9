"""Replicas of a count: partitions go from one `logcount run` to another and back."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

from hub_scenes import Replica

if TYPE_CHECKING:
    from hub_scenes import Claim, Plot, Scene

pytest_plugins = ["shared_stack"]

PARTITIONS = "0123"


def _held(replica: Replica, hub: Scene) -> set[str]:
    return set(replica.report(hub.hub)["partitions"])


def _shared(hub: Scene, *replicas: Replica) -> Claim:
    def is_so() -> bool:
        held = [_held(replica, hub) for replica in replicas]
        return set().union(*held) == set(PARTITIONS) and sum(map(len, held)) == len(PARTITIONS) and all(held)

    return "the partitions are shared out", is_so


def _publish(hub: Scene) -> None:
    for partition in PARTITIONS:
        hub.publish(partition, 60)


def comes_and_goes(hub: Scene) -> Plot:
    """Have a second replica come, have it or the first stand still, and have it go; every event is counted once."""
    hub.create(len(PARTITIONS))
    _publish(hub)
    first = Replica(hub.stack, hubs=[hub.hub])
    yield hub.counted()
    second = Replica(hub.stack, hubs=[hub.hub])
    yield second.up()
    _publish(hub)
    yield _shared(hub, first, second)
    _publish(hub)
    yield hub.counted()
    yield "both are well", lambda: first.ready() and second.ready()
    yield from _stands_still(hub, first, second)
    yield from second.stop()
    yield "the other takes over what was released", lambda: _held(first, hub) == set(PARTITIONS)
    _publish(hub)
    yield hub.counted()
    yield hub.emitted()
    yield "the one that is left is well", first.ready
    yield from first.stop()
    assert [hub.owner(partition) for partition in PARTITIONS] == [""] * len(PARTITIONS)
    _check(hub)


def _stands_still(hub: Scene, stopped: Replica, other: Replica) -> Plot:
    """Have a replica stopped for longer than its ownership lasts, with uncommitted events, and let it go on."""
    _publish(hub)
    stopped.process.send_signal(signal.SIGSTOP)
    _publish(hub)
    yield "the other takes everything", lambda: _held(other, hub) == set(PARTITIONS)
    yield hub.counted()
    stopped.process.send_signal(signal.SIGCONT)
    _publish(hub)
    yield _shared(hub, stopped, other)
    _publish(hub)
    yield hub.counted()
    yield "both are well", lambda: stopped.ready() and other.ready()


def _check(hub: Scene) -> None:
    """Check that each partition's records follow on one another, and that both replicas have written some."""
    for partition in PARTITIONS:
        records = hub.records(partition)
        assert [record["from"] for record in records] == [0, *(record["to"] + 1 for record in records[:-1])]
        assert hub.holes(partition) == []
    assert len({record["writer"] for partition in PARTITIONS for record in hub.records(partition)}) == 2
