"""Batches of a partition are counted in the order in which they come, also after their worker ended."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from logcount.model.events import LogEvent
from logcount.run import counting
from logcount.run.counting import CountingWorkers
from logcount.workers.worker import Ended

if TYPE_CHECKING:
    import pytest


def _make(_progress: object) -> Any:
    raise AssertionError("nothing is counted in a process here")


async def test_later_batches_do_not_overtake_those_whose_worker_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    order, ending = list[int](), asyncio.Event()

    class Pretended:
        """A worker that answers at once, but for the first one, which ends without an answer."""

        number = 0

        def __init__(self, *_: object) -> None:
            Pretended.number += 1
            self._ends = Pretended.number == 1

        async def start(self) -> None:
            """Nothing is started."""

        async def end(self) -> None:
            """Nothing is ended."""

        async def ask(self, rows: list[tuple[bytes, int, None, None]]) -> list[list[Any]]:
            if self._ends:
                await ending.wait()
                raise Ended(-9)
            order.append(rows[0][1])
            await asyncio.sleep(0)
            return [[] for _ in rows]

    monkeypatch.setattr(counting, "Worker", Pretended)
    workers = CountingWorkers(_make)
    asked = []
    for number in range(100):
        asked.append(asyncio.create_task(workers.count("0", [LogEvent(b"", "hub", number)])))
        await asyncio.sleep(0)
        if number == 2:
            ending.set()
    await asyncio.gather(*asked)
    assert order == list(range(100))
