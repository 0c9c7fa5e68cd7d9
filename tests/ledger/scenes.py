"""Scenes: what cannot be left to chance, or is for the operator to decide; each asserts how it ends.

A scene is a function, so that the mutations can be shown to spoil it.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace
from simulation.world import BASE
from stage import link, stage

from logcount.ledger.record import Hole, time_text
from logcount.run.partition import Partition

if TYPE_CHECKING:
    from collections.abc import Callable

    from stage import Stage

SCENES: dict[str, Callable[[], None]] = {}


def scene(told: str) -> Callable[[Callable[[], None]], Callable[[], None]]:
    """Put a scene into the table, under what it shows."""

    def put(play: Callable[[], None]) -> Callable[[], None]:
        SCENES[told] = play
        return play

    return put


def _read(on: Stage, *batches: Any, **decisions: Any) -> str | None:
    process = on.process(**decisions)
    told: str | None = on.play(process, link(Partition("0", process.context), *batches))
    return told


@scene("a log's own last event, left out once and then given, may be left out once more")
def left_out_twice_not_in_a_row() -> None:
    with stage(events=3) as on:
        partition = Partition("0", on.process().context)
        process = on.processes[0]
        on.play(process, link(partition, on.events([0, 1])))
        for given, told in (([2], True), ([1], False), ([2], True), ([1, 2], False)):
            assert bool(on.play(process, link(partition, on.events(given)))) == told
            assert partition.halted is None
        assert [record.to for record in on.records()] == [1, 2]


@scene("a gap that has grown is asked for again before it is called absent")
def grown_gap() -> None:
    with stage(events=6) as on:
        partition = Partition("0", on.process().context)
        process = on.processes[0]
        on.broker.hub.partitions["0"].events[1] = None  # type: ignore[union-attr]
        for given in ([0, 2], [0, 4], [0, 2]):
            on.play(process, link(partition, on.events(given)))
        assert [(record.to, record.holes) for record in on.records()] == [
            (0, ()),
            (2, (Hole(on.records()[0].hub, 1, 1, "absent"),)),
        ]


@scene("an event under a number that is recorded, but taken later, is a stranger: the partition stands still")
def stranger_below_the_head() -> None:
    with stage(events=3) as on:
        assert _read(on, on.events([0, 1, 2])) is None
        log = on.broker.hub.partitions["0"]  # type: ignore[union-attr]
        log.events.clear()
        on.broker.produce("0", 3)
        assert "failover" in str(_read(on, on.events([1, 2])))
        assert len(on.records()) == 1


@scene("the log's own last event with another time is a stranger: the partition stands still")
def stranger_at_the_head() -> None:
    with stage(events=3) as on:
        assert _read(on, on.events([0, 1, 2])) is None
        (last,) = on.events([2])
        assert last.enqueued is not None
        assert "failover" in str(_read(on, [replace(last, enqueued=last.enqueued - timedelta(seconds=1))]))


@scene("a hub that holds the log's own last event, and gives another first twice, is not trusted")
def first_event_is_not_the_heads() -> None:
    with stage(events=3) as on:
        partition = Partition("0", on.process().context)
        process = on.processes[0]
        on.play(process, link(partition, on.events([0, 1])))
        assert "read again" in str(on.play(process, link(partition, on.events([2]))))
        assert "in its place" in str(on.play(process, link(partition, on.events([2]))))
        assert len(on.records()) == 1


@scene("a log whose last event has expired goes on with what is retained, and states the rest")
def last_event_expired() -> None:
    with stage(events=6) as on:
        assert _read(on, on.events([0, 1])) is None
        on.broker.expire("0", 4)
        assert _read(on, on.events([4, 5])) is None
        assert on.records()[-1].holes == (Hole(on.records()[0].hub, 2, 3, "expired"),)


def _fail_over(on: Stage, first: int = 0) -> None:
    """Let another hub, older than the ledger's events, take over the name; it lacks the last two events."""
    assert _read(on, on.events(range(first, 4))) is None
    on.broker.delete()
    on.broker.make(("0",), created=BASE - timedelta(days=1))
    on.wait(5.0)
    on.broker.produce("0", 6)


@scene("an older hub under the same name stops the partition")
def older_hub() -> None:
    with stage(events=4) as on:
        _fail_over(on)
        assert "failover" in str(_read(on, on.events([4, 5])))
        assert len(on.records()) == 1


@scene("told to go on, it goes by the numbers")
def older_hub_goes_on() -> None:
    with stage(events=4) as on:
        _fail_over(on)
        before = on.records()[0]
        process = on.process(other_hub="go on")
        on.world.fail = lambda why: None  # type: ignore[method-assign]  # the oracle expects a new hub to begin at 0
        on.play(process, link(Partition("0", process.context), on.events([2, 3, 4, 5])))
        after = on.records()[1]
        assert (after.hub, after.first, after.to, after.events) == (time_text(BASE - timedelta(days=1)), 4, 5, 2)
        assert after.prev == before.id


@scene("told to begin anew, it begins at the hub's first event, and the older holes stay")
def older_hub_anew() -> None:
    with stage(events=4) as on:
        on.broker.expire("0", 1)
        _fail_over(on, first=1)
        process = on.process(other_hub="anew")
        on.world.fail = lambda why: None  # type: ignore[method-assign]  # the oracle knows no older hub after a newer
        on.play(process, link(Partition("0", process.context), on.events(range(6))))
        before, after = on.records()
        assert (after.first, after.to, after.events, after.holes) == (0, 5, 6, before.holes)
        assert before.holes == (Hole(before.hub, 0, 0, "before"),)


def _lose_the_ledger(on: Stage) -> None:
    on.objects.held.clear()
    on.oracle.chains.clear()
    on.oracle._cursors.clear()
    on.oracle._bytes.clear()


@scene("a checkpoint beyond the ledger stops the partition")
def checkpoint_beyond_the_ledger() -> None:
    with stage(events=6) as on:
        assert _read(on, on.events([0, 1, 2])) is None
        assert on.broker.checkpoints["0"][0] == 2
        _lose_the_ledger(on)
        assert "another ledger" in str(_read(on, on.events([0, 1, 2])))
        assert not on.records()


@scene("told to begin at the ledger's end, it counts what is retained")
def checkpoint_ignored() -> None:
    with stage(events=6) as on:
        _read(on, on.events([0, 1, 2]))
        _lose_the_ledger(on)
        assert _read(on, on.events(range(6)), begin_at="ledger") is None
        assert [(record.first, record.to, record.holes) for record in on.records()] == [(0, 5, ())]


@scene("told to begin at the checkpoint, it states what it leaves out")
def checkpoint_trusted() -> None:
    with stage(events=6) as on:
        _read(on, on.events([0, 1, 2]))
        _lose_the_ledger(on)
        on.world.fail = lambda why: None  # type: ignore[method-assign]  # the oracle sees that those are retained
        assert _read(on, on.events([2, 3, 4, 5]), begin_at="checkpoint") is None
        (record,) = on.records()
        assert (record.first, record.to, record.events) == (0, 5, 3)
        assert record.holes == (Hole(record.hub, 0, 2, "before"),)


@scene("a cursor without its record stops the partition, and is put back where the operator says so")
def cursor_beyond_the_ledger() -> None:
    with stage(events=3) as on:
        _read(on, on.events([0]))
        _read(on, on.events([0, 1, 2]))
        for name in [name for name in on.objects.held if name.rsplit("/", 1)[-1].isdigit()]:
            del on.objects.held[name]
        assert "not in the ledger" in str(_read(on, on.events([0, 1, 2])))
        on.oracle.chains.clear()
        on.oracle._cursors.clear()
        on.world.fail = lambda why: None  # type: ignore[method-assign]  # the oracle sees the cursor go back
        assert _read(on, on.events([0, 1, 2]), begin_at="ledger") is None
        assert on.oracle.cursor("0", "appinsights") == 0


@scene("an answer of the hub that is older than the ledger's last record is not taken for a failover")
def stale_hub_state() -> None:
    with stage(events=2, partitions=2) as on:
        first = on.process()
        one, other = Partition("0", first.context), Partition("1", first.context)
        on.play(first, link(one, on.events([0, 1])))
        on.play(first, link(other))
        second = on.process()
        first.loop.create_task(link(other))  # asks the hub what it is, and remembers
        on.wait(0.5)
        on.broker.delete()
        on.broker.make(("0", "1"))
        on.broker.produce("0", 2)
        on.wait(0.1)
        second.loop.create_task(link(Partition("0", second.context), on.events([0, 1])))
        on.wait(1.0)
        assert len(on.records()) == 2
        task = first.loop.create_task(link(one))
        on.wait(1.0)
        assert one.halted is None
        on.wait(60.0)
        assert task.result() is None


@scene("a link whose log has gone on to another hub is told so by an empty batch")
def quiet_link_ends() -> None:
    async def take(partition: Partition, *batch: Any) -> None:
        await partition.start()
        await partition.take(batch)

    with stage(events=1, settle_seconds=15.0) as on:
        assert _read(on, on.events([0])) is None
        one, other = on.process(), on.process()
        late, quiet = Partition("0", one.context), Partition("0", other.context)
        for process, partition in ((one, late), (other, quiet)):
            on.broker.delete()
            on.broker.make(("0",))
            on.broker.produce("0", 1)
            process.loop.create_task(take(partition, *on.events([0])))
            on.wait(5.0)
        one.loop.create_task(late.leave())
        on.wait(60.0)
        assert [record.n for record in on.records()] == [0, 1]
        told = other.loop.create_task(quiet.take([]))
        on.wait(1.0)
        assert "gone on to another hub" in str(told.exception())
