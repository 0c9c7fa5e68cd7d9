"""Takes the results of an archive's parts from worker processes in the order of the archive."""

from __future__ import annotations

import asyncio
import pickle
from collections import deque
from typing import TYPE_CHECKING, Any, Self

from logcount.errors import LogcountError, Unavailable
from logcount.workers.process import OUT_OF_MEMORY
from logcount.workers.worker import Ended, Worker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import TracebackType

    from logcount.replay.parts import Delivery, Line, PartResult
    from logcount.replay.replay import Replay
    from logcount.workers.progress import Progress

_WAITING = 4
"""How many parts per worker are counted before their turn: their results wait in memory."""
_WAKE_SECONDS = 0.25
"""How often a waiting event loop wakes: a signal just before it sleeps is else handled only with the next answer."""

Asked = asyncio.Task["PartResult | None"]


class PartWorkers:
    """Counts parts in worker processes, one part per worker at a time.

    A worker is started when there is a part for it.

    Args:
        make: returns the function that counts a part; called in each worker, so it must be picklable.
        number: the most workers.
    """

    def __init__(self, make: Callable[[Progress], Callable[[Any], PartResult | None]], number: int) -> None:
        self.number = number
        self._make = pickle.dumps(make, pickle.HIGHEST_PROTOCOL)
        self._free = asyncio.Semaphore(number)
        self._workers: list[Worker] = []
        self._idle: list[Worker] = []
        self._asked: set[Asked] = set()
        self._cannot_count = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        """Kill every worker."""
        for asked in self._asked:
            asked.cancel()
        await asyncio.gather(*self._asked, return_exceptions=True)
        await asyncio.gather(*(worker.end() for worker in self._workers))

    def ask(self, part: object) -> Asked:
        """Start counting a part.

        The result is None if the part must be counted in order, where its error is reported in place. It raises
        Unavailable if the worker ended.
        """
        asked = asyncio.create_task(self._count(part))
        self._asked.add(asked)
        asked.add_done_callback(self._let_go)
        return asked

    def _let_go(self, asked: Asked) -> None:
        self._asked.discard(asked)
        if not asked.cancelled():
            asked.exception()  # retrieved, so that asyncio does not warn if no caller waits

    async def _count(self, part: object) -> PartResult | None:
        async with self._free:
            worker = self._idle.pop() if self._idle else await self._start()
            if worker is None:
                return None
            try:
                result: PartResult | None = await worker.ask(part)
            except LogcountError:
                result = None
            except Ended as ended:
                raise Unavailable(_why(ended)) from None
            finally:
                self._idle.append(worker)
            return result

    async def _start(self) -> Worker | None:
        if self._cannot_count:
            return None
        worker = Worker(self._make)
        self._workers.append(worker)
        try:
            await worker.start()
        except LogcountError:  # this process gets the same error, and reports it
            self._cannot_count = True
            return None
        except Ended as ended:
            raise Unavailable(_why(ended)) from None
        except OSError as error:
            raise Unavailable(f"a process that counts could not be started: {error.strerror}") from None
        return worker


async def replay_parts(
    delivery: Delivery, replay: Replay, workers: PartWorkers, write: Callable[[Iterable[Line], int], None]
) -> None:
    """Replay an archive whose parts the workers count; `write` takes a part's lines and the records before it.

    Raises:
        Unreadable: something could not be read; everything else is counted.
        Misconfigured: a tokenizer or a path is wrong; everything before it is counted.
        Unavailable: a worker ended.
    """
    ahead = _Ahead(delivery, workers)
    while turn := await ahead.next():
        part, asked = turn
        records = delivery.records_before(part)
        if records is None:
            continue
        result = await _result(asked) if asked else None
        if result is None or not delivery.accept(part, result.trace):
            await delivery.deliver(part, replay.handle)
            continue
        write(result.lines, records)
        replay.merge(result.summary, records)
        for batch in result.ahead:
            replay.join(batch, records)
    delivery.finish()


class _Ahead:
    """Sends parts to the workers before their turn, as long as their results may wait in memory."""

    def __init__(self, delivery: Delivery, workers: PartWorkers) -> None:
        self._delivery = delivery
        self._workers = workers
        self._waiting: deque[tuple[Any, Asked | None]] = deque()
        self._ended = False
        self._error: LogcountError | None = None

    async def next(self) -> tuple[Any, Asked | None] | None:
        """Return the next part, with its task if a worker counts it; None at the end; raises the archive's error."""
        while self._takes_more():
            try:
                part = await self._delivery.next_part()
            except LogcountError as error:  # raised when all parts before it are counted
                self._error, part = error, None
            if part is None:
                self._ended = True
            else:
                self._waiting.append((part, self._workers.ask(part) if part.portable else None))
        if self._waiting:
            return self._waiting.popleft()
        if self._error:
            raise self._error
        return None

    def _takes_more(self) -> bool:
        if self._ended or len(self._waiting) >= _WAITING * self._workers.number:
            return False
        return not self._waiting or self._waiting[-1][1] is not None  # a part read here blocks those after it


async def _result(asked: Asked) -> PartResult | None:
    while not asked.done():
        await asyncio.wait([asked], timeout=_WAKE_SECONDS)
    return asked.result()


def _why(ended: Ended) -> str:
    status = ended.status or 0
    if status == OUT_OF_MEMORY:
        return "a process that counts ran out of memory: fewer --workers need less"
    if status < 0:
        return f"a process that counts was ended by signal {-status}: if memory ran out, fewer --workers need less"
    return f"a process that counts ended with status {status}"
