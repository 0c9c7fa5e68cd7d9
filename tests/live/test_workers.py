"""The processes that count: what ends one of them, and what becomes of the others and of everything beside it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hub_scenes import children
from perilous_tally import ORDERS, make, make_loading, make_once, refuse

from logcount.errors import Misconfigured
from logcount.model.events import LogEvent
from logcount.run import counting
from logcount.run.counting import PATIENCE_SECONDS, CountingWorkers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from logcount.run.counting import Tallied

PATIENCE = 1.5
"""How long a batch may take beside one that hangs: it, too, must come in time on a machine that is busy."""
HERE = str(Path(__file__).parent)


@pytest.fixture(autouse=True)
def _importable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the workers import what these tests count with."""
    monkeypatch.setenv("PYTHONPATH", HERE, prepend=os.pathsep)


def _events(*bodies: bytes, first: int = 0) -> list[LogEvent]:
    return [LogEvent(body, "hub", number) for number, body in enumerate(bodies, first)]


def _words(tallied: Tallied) -> list[object]:
    """Return of each event its number where it was counted, else why not."""
    return [tallies[0].tokens[0] if tallies[0].word == "counted" else tallies[0].reason for tallies in tallied]


REASONS = dict.fromkeys(ORDERS, "counting it ended the process that counted") | {b"hang": "counting it took too long"}


@pytest.mark.parametrize("order", ORDERS, ids=bytes.decode)
async def test_only_the_event_that_ends_its_worker_is_rejected(order: bytes) -> None:
    good = _events(*[b"good"] * 5)
    bad = _events(b"good", order, b"good")

    async with CountingWorkers(make, patience=PATIENCE if order == b"hang" else PATIENCE_SECONDS) as workers:
        beside = [workers.count(str(number), good) for number in range(4)]
        found, *others = await asyncio.gather(workers.count("0", bad), *beside, workers.count("4", good[:1]))
        after = await workers.count("0", good)

    assert _words(found) == [0, REASONS[order], 2]
    assert [_words(other) for other in others] == [list(range(5))] * 4 + [[0]]
    assert _words(after) == list(range(5))
    assert workers.restarts >= 1


async def test_no_event_is_rejected_for_another_while_many_end_their_worker() -> None:
    batches = [_events(b"kill" if number % 4 == 3 else b"good", first=number) for number in range(16)]
    reason = REASONS[b"kill"]

    async def count(workers: CountingWorkers, number: int, batch: Sequence[LogEvent]) -> list[object]:
        await asyncio.sleep(number * 0.02)  # some come while others are under suspicion
        return _words(await workers.count("0", batch))

    async with CountingWorkers(make) as workers:
        found = await asyncio.gather(*(count(workers, number, batch) for number, batch in enumerate(batches)))

    assert found == [[reason] if number % 4 == 3 else [number] for number in range(16)]


async def test_the_batches_of_another_worker_do_not_notice() -> None:
    async with CountingWorkers(make, number=2, patience=PATIENCE) as workers:
        await workers.count("a", _events(b"good"))  # the first partition's home is the first worker
        hung = asyncio.create_task(workers.count("a", _events(b"hang")))
        for _ in range(20):
            assert _words(await workers.count("b", _events(b"good"))) == [0]
        assert not hung.done()
        assert _words(await hung) == [REASONS[b"hang"]]


async def test_a_batch_is_given_up_without_harm_to_those_that_follow() -> None:
    async with CountingWorkers(make, patience=PATIENCE) as workers:
        given_up = [asyncio.create_task(workers.count("0", _events(b"hang"))) for _ in range(2)]
        await asyncio.sleep(0.1)
        for task in given_up:
            task.cancel()
        await asyncio.gather(*given_up, return_exceptions=True)
        assert _words(await workers.count("0", _events(b"good"))) == [0]


async def test_settings_that_cannot_be_counted_with_are_told_before_anything_is_read() -> None:
    with pytest.raises(Misconfigured, match="there is no such tokenizer"):
        async with CountingWorkers(refuse):
            pytest.fail("it was entered")


async def _told(workers: CountingWorkers) -> str:
    """Return the trouble, once there is one."""
    async with asyncio.timeout(180):
        while workers.trouble is None:
            await asyncio.sleep(0.01)
    return workers.trouble


async def test_events_are_not_to_blame_where_no_worker_starts(tmp_path: Path) -> None:
    stamp = tmp_path / "stamp"
    async with CountingWorkers(partial(make_once, stamp)) as workers:
        assert _words(await workers.count("0", _events(b"good"))) == [0]
        waiting = asyncio.create_task(workers.count("0", _events(b"kill", b"good")))
        assert await _told(workers) == "workers keep dying as they start: out of memory?"
        while not waiting.done():
            stamp.unlink(missing_ok=True)
            await asyncio.sleep(0.01)
        assert _words(await waiting) == [REASONS[b"kill"], 1]
        assert workers.trouble is None


async def test_events_are_not_to_blame_where_workers_die_as_they_load(tmp_path: Path) -> None:
    stamp = tmp_path / "stamp"
    async with CountingWorkers(partial(make_loading, stamp)) as workers:
        waiting = asyncio.create_task(workers.count("0", _events(*[b"good"] * 3)))
        assert await _told(workers) == "workers keep dying before they count: out of memory?"
        stamp.touch()
        assert _words(await waiting) == [0, 1, 2]
        assert workers.trouble is None


async def test_events_are_not_to_blame_where_workers_are_killed_from_outside() -> None:
    others = children(os.getpid())
    async with CountingWorkers(make) as workers:
        stop = asyncio.Event()

        async def kill() -> None:
            while not stop.is_set():
                for child in set(children(os.getpid())).difference(others):
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(child, signal.SIGKILL)
                await asyncio.sleep(0.5)

        killing = asyncio.create_task(kill())
        asked = [asyncio.create_task(workers.count(str(n), _events(*[b"slow"] * 40))) for n in range(3)]
        while workers.restarts < 4:
            await asyncio.sleep(0.05)
        stop.set()
        await killing
        assert [_words(tallied) for tallied in await asyncio.gather(*asked)] == [list(range(40))] * 3


async def test_a_worker_that_is_killed_as_it_starts_is_started_again() -> None:
    others = children(os.getpid())  # servers that other tests go on needing
    starting = asyncio.create_task(CountingWorkers(make).__aenter__())
    while not (started := set(children(os.getpid())).difference(others)):
        await asyncio.sleep(0.001)
    os.kill(started.pop(), signal.SIGKILL)
    workers = await starting
    try:
        assert _words(await workers.count("0", _events(b"good"))) == [0]
    finally:
        await workers.__aexit__(None, None, None)


async def test_an_event_that_is_alone_and_ends_every_worker_is_rejected_in_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(counting, "DEATHS_WITHOUT_WITNESS", 4)
    async with CountingWorkers(make) as workers:
        assert _words(await workers.count("0", _events(b"kill"))) == [REASONS[b"kill"]]
        assert workers.restarts == 4


async def test_what_the_source_could_not_read_is_rejected_for_that() -> None:
    event = LogEvent(b"", "hub", 7, problem="the event's body is not bytes")

    async with CountingWorkers(make) as workers:
        assert _words(await workers.count("0", [event])) == ["the event's body is not bytes"]


PARENT = """
import asyncio, sys
from perilous_tally import make
from logcount.model.events import LogEvent
from logcount.run.counting import CountingWorkers

async def main(body):
    async with CountingWorkers(make, number=2) as workers:
        print("up", flush=True)
        await workers.count("0", [LogEvent(body, "hub", 0)])
        await asyncio.sleep(1000)

if __name__ == "__main__":
    asyncio.run(main(sys.argv[1].encode()))
"""


@pytest.mark.parametrize("doing", ["good", "hang"])
def test_workers_end_with_their_parent(tmp_path: Path, doing: str) -> None:
    script = tmp_path / "parent.py"
    script.write_text(PARENT, encoding="utf-8")
    with subprocess.Popen([sys.executable, script, doing], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == b"up\n"
        workers = children(parent.pid)
        assert len(workers) >= 2
        time.sleep(0.3)  # it counts by now
        parent.send_signal(signal.SIGKILL)

    deadline = time.monotonic() + 180
    while any(Path(f"/proc/{worker}").exists() for worker in workers):
        assert time.monotonic() < deadline, "a worker outlived its parent"
        time.sleep(0.05)
