"""Workers: processes that count, so that the loop that receives is never held up, and no event can end the count.

Law: an event that ends its worker, or takes longer than is allowed, is found by halving and reported as rejected.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from logcount.events import LogEvent
from logcount.points import Tally

if TYPE_CHECKING:
    from types import TracebackType

Tallied = list[list[Tally]]
MakeTally = Callable[[], Callable[[Sequence[LogEvent]], Tallied]]
"""Makes, in the worker, what counts a batch; it must be fit for pickling."""

SOURCE = "event hub"
"""What events are of in a worker, which asks only for their number and time."""

PATIENCE_SECONDS = 120.0
"""How long one batch may take: thousands of times what a batch of the largest events took when it was measured."""

_Row = tuple[bytes, int, "float | None"]

_tally: Callable[[Sequence[LogEvent]], Tallied] | None = None
"""What counts, in a worker: one for the life of its process."""


class Workers:
    """Counts batches in processes of their own; batches of one partition always in the same one, in order."""

    def __init__(self, make: MakeTally, *, number: int = 1, patience: float = PATIENCE_SECONDS) -> None:
        self._make = make
        self._patience = patience
        self._pools = [self._pool() for _ in range(number)]
        self._alone = [asyncio.Lock() for _ in range(number)]
        self._homes: dict[str, int] = {}
        self.restarts = 0
        """How many workers had to be started anew."""

    async def __aenter__(self) -> Workers:
        """Start every worker, so that a fault in its making is known before anything is read."""
        loop = asyncio.get_running_loop()
        await asyncio.gather(*(loop.run_in_executor(pool, _ready) for pool in self._pools))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        for pool in self._pools:
            _end(pool)

    async def count(self, partition: str, batch: Sequence[LogEvent]) -> Tallied:
        """Return what each event came to; never raises for what is in an event."""
        home = self._homes.setdefault(partition, len(self._homes) % len(self._pools))
        rows = [(event.data, event.position, event.enqueued.timestamp() if event.enqueued else None) for event in batch]
        alone = self._alone[home]
        if alone.locked():  # a batch that ended the worker is being counted again, by itself
            async with alone:
                pass
        pool = self._pools[home]
        try:
            return await self._try(home, rows)
        except (BrokenProcessPool, TimeoutError):
            async with alone:
                if self._pools[home] is pool:
                    self._renew(home)
                return await self._count_alone(home, rows)

    async def _try(self, home: int, rows: list[_Row]) -> Tallied:
        work = asyncio.get_running_loop().run_in_executor(self._pools[home], _work, rows)
        return await asyncio.wait_for(work, self._patience)

    async def _count_alone(self, home: int, rows: list[_Row]) -> Tallied:
        """Count with nothing else in the worker, so that whatever ends it is among these."""
        try:
            return await self._try(home, rows)
        except (BrokenProcessPool, TimeoutError) as error:
            self._renew(home)
            if len(rows) == 1:
                took_long = isinstance(error, TimeoutError)
                reason = "counting it took too long" if took_long else "counting it ended the process that counted"
                return [[Tally("rejected", int((rows[0][2] or 0) // 60), (), reason)]]
        middle = len(rows) // 2
        return [*await self._count_alone(home, rows[:middle]), *await self._count_alone(home, rows[middle:])]

    def _renew(self, home: int) -> None:
        _end(self._pools[home])
        self._pools[home] = self._pool()
        self.restarts += 1

    def _pool(self) -> ProcessPoolExecutor:
        context = multiprocessing.get_context("spawn")  # tokenizers hang after a fork
        return ProcessPoolExecutor(1, context, _start, (self._make,))


def _end(pool: ProcessPoolExecutor) -> None:
    """Kill a pool's worker, whatever it is doing."""
    for process in list((pool._processes or {}).values()):
        process.kill()
    pool.shutdown(wait=False)  # those who wait are told that it broke: cancelled, they would take it for their own end


def _start(make: MakeTally) -> None:
    """Make ready in the worker: signals are its parent's business, and it ends when its parent does."""
    global _tally  # noqa: PLW0603 - what a pool's initializer leaves for its tasks can only be a global
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    threading.Thread(target=_follow_parent, daemon=True).start()
    _tally = make()


def _follow_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _ready() -> None:
    """Do nothing: that this returns says that the worker has started."""


def _work(rows: list[_Row]) -> Tallied:
    if _tally is None:
        raise RuntimeError("a worker counts only after it was started")
    return _tally([LogEvent(data, SOURCE, position, _time(enqueued)) for data, position, enqueued in rows])


def _time(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
