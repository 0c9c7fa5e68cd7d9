"""Counts in worker processes, so that counting never blocks the receiving loop, and no event can end the live count.

Law: an event that ends its worker, or takes longer than allowed, is found by halving and reported as rejected.
"""

from __future__ import annotations

import asyncio
import pickle
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Self

from logcount.errors import Misconfigured, Unavailable, Unsettled
from logcount.model.events import LogEvent
from logcount.model.points import Tally, minute_of
from logcount.workers.worker import Ended, Worker

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType

Tallied = list[list[Tally]]
"""The tallies of each event of a batch."""

CountBatch = Callable[[Sequence[LogEvent]], Tallied]

PATIENCE_SECONDS = 120.0
"""How long one batch may take: thousands of times the measured time of a batch of the largest events."""

SOURCE = "event hub"
"""The `source` of events in a worker, which needs only their number and time."""


class CountingWorkers:
    """Counts batches in worker processes; batches of one partition always in the same process, in order.

    Args:
        make: returns the function that counts a batch; called in the worker, so it must be picklable.
        number: the number of workers.
        patience: the most seconds that one batch may take.
        make_again: replaces `make` in a worker that replaces one that ended; it may do less, to survive the same
            events.
    """

    def __init__(
        self,
        make: Callable[[], CountBatch],
        *,
        number: int = 1,
        patience: float = PATIENCE_SECONDS,
        make_again: Callable[[], CountBatch] | None = None,
    ) -> None:
        self.restarts = 0
        """The number of workers that had to be started again."""
        first = pickle.dumps(_InWorker(make))
        self._make_again = pickle.dumps(_InWorker(make_again or make))
        self._patience = patience
        self._workers = [Worker(first, patience) for _ in range(number)]
        self._alone = [asyncio.Lock() for _ in range(number)]
        self._homes: dict[str, int] = {}

    async def __aenter__(self) -> Self:
        """Start every worker.

        Raises:
            Misconfigured: one cannot count with these settings.
            Unavailable: one does not start.

        """
        started = await asyncio.gather(*(worker.start() for worker in self._workers), return_exceptions=True)
        for error in started:
            if error is not None:
                await asyncio.gather(*(worker.end() for worker in self._workers), return_exceptions=True)
                raise error if isinstance(error, Misconfigured) else Unavailable("a process that counts does not start")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await asyncio.gather(*(worker.end() for worker in self._workers))

    async def count(self, partition: str, batch: Sequence[LogEvent]) -> Tallied:
        """Return the tallies of each event, whatever its content.

        Raises:
            Misconfigured: the worker can no longer count with these settings; nothing of the batch is counted.
            Unsettled: no worker could be started; nothing of the batch is counted.

        """
        home = self._homes.setdefault(partition, len(self._homes) % len(self._workers))
        while self._alone[home].locked():  # a batch that ended the worker is being counted again, alone
            async with self._alone[home]:
                pass
        worker = self._workers[home]
        try:
            return await _count(worker, batch)
        except Ended:
            async with self._alone[home]:
                if self._workers[home] is worker:
                    await self._renew(home)
                return await self._count_alone(home, batch)

    async def _count_alone(self, home: int, batch: Sequence[LogEvent]) -> Tallied:
        """Count with nothing else in the worker, so that an event that ends it is in this batch."""
        try:
            return await _count(self._workers[home], batch)
        except Ended as ended:
            await self._renew(home)
            if len(batch) == 1:
                late = ended.status is None
                why = "counting it took too long" if late else "counting it ended the process that counted"
                return [[Tally("rejected", minute_of(batch[0].enqueued), (), why)]]
        middle = len(batch) // 2
        return [*await self._count_alone(home, batch[:middle]), *await self._count_alone(home, batch[middle:])]

    async def _renew(self, home: int) -> None:
        await self._workers[home].end()
        self._workers[home] = Worker(self._make_again, self._patience)
        self.restarts += 1
        try:
            await self._workers[home].start()
        except (Ended, OSError):
            raise Unsettled("a process that counts could not be started again") from None


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

    def __init__(self, make: Callable[[], CountBatch]) -> None:
        self._make = make

    def __call__(self) -> Callable[[Iterable[_Row]], list[list[tuple[object, ...]]]]:
        count = self._make()

        def work(rows: Iterable[_Row]) -> list[list[tuple[object, ...]]]:
            return [[tuple(tally) for tally in tallies] for tallies in count([_event(*row) for row in rows])]

        return work


def _event(data: bytes, number: int, enqueued: float | None, problem: str | None) -> LogEvent:
    time = None if enqueued is None else datetime.fromtimestamp(enqueued, UTC)
    return LogEvent(data, SOURCE, number, time, problem)
