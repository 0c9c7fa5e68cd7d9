"""Several `logcount run` of one hub: partitions go from one to another, and every event is counted once."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

from hub_scenes import Replica, Scene, play, secrets_in

if TYPE_CHECKING:
    from hub_scenes import Claim, Plot
    from live_stack import Stack

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


def _comes_and_goes(hub: Scene) -> Plot:
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


def _stands_still(hub: Scene, stopped: Replica, other: Replica) -> Plot:
    """Have a replica stopped for longer than its ownership lasts, with events in hand, and let it go on."""
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


def test_partitions_change_hands_and_every_event_is_counted_once(stack: Stack) -> None:
    hub = Scene(stack, "shared-out")

    outcome = play({"shared out": _comes_and_goes(hub)})["shared out"]

    if outcome is not None:
        raise outcome
    for partition in PARTITIONS:
        records = hub.records(partition)
        assert [record["from"] for record in records] == [0, *(record["to"] + 1 for record in records[:-1])]
        assert hub.holes(partition) == []
    assert len({record["writer"] for partition in PARTITIONS for record in hub.records(partition)}) == 2
    assert not secrets_in(stack.logs())
