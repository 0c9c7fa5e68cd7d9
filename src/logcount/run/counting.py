"""Counts in worker processes, so that counting never blocks the receiving loop, and no event can end the live count.

Law: an event is rejected only if it alone ended several fresh workers in which others came through, or took too long
twice. Else it is the machine: the count waits, says so, and goes on.
"""

from __future__ import annotations

import asyncio
import pickle
import random
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Self

from logcount.errors import Misconfigured, Unavailable
from logcount.model.events import LogEvent
from logcount.model.points import Tally, minute_of
from logcount.workers.worker import Ended, Worker

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType

    from logcount.workers.progress import Progress

Tallied = list[list[Tally]]
"""The tallies of each event of a batch."""

CountBatch = Callable[[Sequence[LogEvent]], Tallied]
MakeCount = Callable[["Progress"], CountBatch]
"""Makes, in a worker, what counts a batch and says which event it is at; it must be fit for pickling."""

PATIENCE_SECONDS = 12.0
"""How long one event may take. One that takes longer is tried once more, so that the others wait for 30 s at most."""

DEATHS, DEATHS_WITHOUT_WITNESS = 3, 10
"""How often an event may end its worker before it is rejected: where others came through meanwhile, and where there are
no others."""

_LATE = 2
"""How often it may take too long."""

LARGEST_WITNESS = 64 * 1024
"""Bytes of an event that is kept to see whether a worker can count at all."""

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
"""Seconds between two starts of workers that die without an event's fault; doubled from the first to the longest."""

SOURCE = "event hub"
"""The `source` of events in a worker, which needs only their number and time."""


class CountingWorkers:
    """Counts batches in worker processes; batches of one partition always in the same process, in order.

    Args:
        make: makes, in the worker, what counts a batch.
        number: how many workers there are.
        patience: how many seconds one event may take.
        make_again: what a worker gets that takes the place of one that ended: it may do less, and so outlive the same
            events.
    """

    def __init__(
        self,
        make: MakeCount,
        *,
        number: int = 1,
        patience: float = PATIENCE_SECONDS,
        make_again: MakeCount | None = None,
    ) -> None:
        self.restarts = 0
        """How many workers had to be started again."""
        self.trouble: str | None = None
        """Why nothing is counted just now; None while all is well."""
        first = pickle.dumps(_InWorker(make))
        self._make_again = pickle.dumps(_InWorker(make_again or make))
        self._patience = patience
        self._workers = [Worker(first, patience) for _ in range(number)]
        self._alone = [asyncio.Lock() for _ in range(number)]
        self._homes: dict[str, int] = {}
        self._witness: LogEvent | None = None
        """An event that came through."""

    async def __aenter__(self) -> Self:
        """Start every worker.

        Raises:
            Misconfigured: one cannot count with these settings.
            Unavailable: one cannot be started.

        """
        started = await asyncio.gather(*(worker.start() for worker in self._workers), return_exceptions=True)
        for error in started:
            if isinstance(error, Ended):  # killed as it started: another is started when there is something to count
                continue
            if error is not None:
                await asyncio.gather(*(worker.end() for worker in self._workers), return_exceptions=True)
                raise error if isinstance(error, Misconfigured) else Unavailable("a process that counts does not start")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await asyncio.gather(*(worker.end() for worker in self._workers))

    async def count(self, partition: str, batch: Sequence[LogEvent]) -> Tallied:
        """Return what each event came to, whatever is in it; wait for as long as no worker can be had.

        Raises:
            Misconfigured: the worker cannot count any more with these settings; nothing of the batch is counted.

        """
        home = self._homes.setdefault(partition, len(self._homes) % len(self._workers))
        while self._alone[home].locked():  # a batch that ended the worker is being counted again, alone
            async with self._alone[home]:
                pass
        worker = self._workers[home]
        try:
            tallied = await _count(worker, batch)
        except Ended as ended:
            async with self._alone[home]:
                if self._workers[home] is worker:
                    await self._renew(home)
                return await self._count_alone(home, batch, ended)
        self._remember(batch, tallied)
        return tallied

    async def _count_alone(self, home: int, batch: Sequence[LogEvent], first: Ended) -> Tallied:
        """Count with nothing else in the worker, so that whatever ends it is the event that it was at."""
        left, done, faults = list(batch), Tallied(), _Faults()
        ended = first
        while True:
            left, more = await self._judge(home, left, ended, faults)
            done += more
            if not left:
                return done
            try:
                tallied = await _count(self._workers[home], left)
            except Ended as again:
                ended = again
                await self._renew(home)
                if ended.step is None:  # it was loading, or had not begun
                    self.trouble = "workers keep dying before they count: out of memory?"
                    await asyncio.sleep(faults.pause())
            else:
                self._remember(left, tallied)
                return done + tallied

    async def _judge(
        self, home: int, left: list[LogEvent], ended: Ended, faults: _Faults
    ) -> tuple[list[LogEvent], Tallied]:
        """Return what is left to count after a worker ended at one of these events, and the results so far."""
        if ended.step is None or ended.step >= len(left):
            return left, []
        before, event = left[: ended.step], left[ended.step]
        faults.add(event, ended)
        done = await self._count_alone(home, before, Ended(ended.status)) if before else []
        if not faults.condemn(event, witnessed=await self._witnessed(home)):
            return left[ended.step :], done
        late = ended.status is None
        why = "counting it took too long" if late else "counting it ended the process that counted"
        return left[ended.step + 1 :], [*done, [Tally("rejected", minute_of(event.enqueued), (), why)]]

    async def _witnessed(self, home: int) -> bool:
        """Say whether an event that came through before does so now: if not, the machine is at fault."""
        if self._witness is None:
            return False
        try:
            await _count(self._workers[home], [self._witness])
        except Ended:
            await self._renew(home)
            return False
        return True

    def _remember(self, batch: Sequence[LogEvent], tallied: Tallied) -> None:
        """Keep an event that came through, best one that a tokenizer counted."""
        self.trouble = None
        for event, tallies in zip(batch, tallied, strict=True):
            if len(event.data) <= LARGEST_WITNESS and any(one.tokenizer or self._witness is None for one in tallies):
                self._witness = event
                return

    async def _renew(self, home: int) -> None:
        """Put a fresh worker in the place of one that ended, however long that takes."""
        pause = FIRST_PAUSE
        while True:
            await self._workers[home].end()
            self._workers[home] = Worker(self._make_again, self._patience)
            self.restarts += 1
            with suppress(Ended, OSError):
                await self._workers[home].start()
                return
            self.trouble = "workers keep dying as they start: out of memory?"
            await asyncio.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311 - jitter
            pause = min(2 * pause, LONGEST_PAUSE)


class _Faults:
    """How often each event of a batch was the one that a worker was at as it ended."""

    def __init__(self) -> None:
        self._deaths: Counter[int] = Counter()
        self._late: Counter[int] = Counter()
        self._pause = FIRST_PAUSE

    def pause(self) -> float:
        """Return how many seconds to wait after a death that is no event's fault, longer each time."""
        pause, self._pause = self._pause, min(2 * self._pause, LONGEST_PAUSE)
        return pause * random.uniform(0.5, 1.0)  # noqa: S311 - jitter

    def add(self, event: LogEvent, ended: Ended) -> None:
        (self._late if ended.status is None else self._deaths)[event.position] += 1

    def condemn(self, event: LogEvent, *, witnessed: bool) -> bool:
        """Say whether an event is rejected."""
        most = DEATHS if witnessed else DEATHS_WITHOUT_WITNESS
        return self._late[event.position] >= _LATE or self._deaths[event.position] >= most


_Row = tuple[bytes, int, "float | None", "str | None"]
"""An event as it crosses a pipe: data, sequence number, when it was enqueued (seconds since 1970), problem."""


async def _count(worker: Worker, batch: Sequence[LogEvent]) -> Tallied:
    rows: list[_Row] = [
        (event.data, event.position, event.enqueued.timestamp() if event.enqueued else None, event.problem)
        for event in batch
    ]
    tallied = await worker.ask(rows)
    return [[Tally._make(tally) for tally in tallies] for tallies in tallied]


class _InWorker:
    """Makes the worker's function for rows, from the one that makes the counting function."""

    def __init__(self, make: MakeCount) -> None:
        self._make = make

    def __call__(self, progress: Progress) -> Callable[[Iterable[_Row]], list[list[tuple[object, ...]]]]:
        count = self._make(progress)

        def work(rows: Iterable[_Row]) -> list[list[tuple[object, ...]]]:
            return [[tuple(tally) for tally in tallies] for tallies in count([_event(*row) for row in rows])]

        return work


def _event(data: bytes, number: int, enqueued: float | None, problem: str | None) -> LogEvent:
    time = None if enqueued is None else datetime.fromtimestamp(enqueued, UTC)
    return LogEvent(data, SOURCE, number, time, problem)
