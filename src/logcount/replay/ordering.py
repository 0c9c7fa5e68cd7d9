"""Puts what worker processes make of the parts of an archive in order."""

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

_WAITING = 4
"""How many parts for each worker are handed out before their turn: what they came to waits in memory."""
_WAKE_SECONDS = 0.25
"""How often a waiting loop looks about: a signal that comes as it lies down would else be seen with the next answer."""

Asked = asyncio.Task["PartResult | None"]


class PartWorkers:
    """Counts parts in processes of their own, as many at a time as there are workers.

    They are started when there is a part for them.

    Args:
        make: makes, in each worker, what counts a part; it must be fit for pickling.
        number: how many workers there are at most.
    """

    def __init__(self, make: Callable[[], Callable[[Any], PartResult | None]], number: int) -> None:
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
        """End every worker, whatever it is doing."""
        for asked in self._asked:
            asked.cancel()
        await asyncio.gather(*self._asked, return_exceptions=True)
        await asyncio.gather(*(worker.end() for worker in self._workers))

    def ask(self, part: object) -> Asked:
        """Let a part be counted.

        Its result is None where the part can only be counted in order: there an error is told in its place. It raises
        Unavailable where the worker ended.
        """
        asked = asyncio.create_task(self._count(part))
        self._asked.add(asked)
        asked.add_done_callback(self._let_go)
        return asked

    def _let_go(self, asked: Asked) -> None:
        self._asked.discard(asked)
        if not asked.cancelled():
            asked.exception()  # looked at, for the case that nobody waits for it any more

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
        except LogcountError:  # this process comes to the same error, and tells it
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
    """Replay an archive whose parts the workers count; `write` takes the lines of a part, and the records before it.

    Raises:
        Unreadable: something could not be read; everything else is counted.
        Misconfigured: a tokenizer or a path is wrong; what comes before it is counted.
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
    """Takes parts before their turn and hands them out, as far as what they come to may wait."""

    def __init__(self, delivery: Delivery, workers: PartWorkers) -> None:
        self._delivery = delivery
        self._workers = workers
        self._waiting: deque[tuple[Any, Asked | None]] = deque()
        self._ended = False
        self._error: LogcountError | None = None

    async def next(self) -> tuple[Any, Asked | None] | None:
        """Return the part whose turn it is, and what was asked of it; None at the end, raising what ended it."""
        while self._takes_more():
            try:
                part = await self._delivery.next_part()
            except LogcountError as error:  # it is its turn when all before it are counted
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
        return not self._waiting or self._waiting[-1][1] is not None  # what is read here may not be passed over


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
