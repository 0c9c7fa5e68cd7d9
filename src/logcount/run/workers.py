"""Workers: processes that count, so that the loop that receives is never held up, and no event can end the count.

Law: an event that ends its worker, or takes longer than is allowed, is found by halving and reported as rejected.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import pickle
import sys
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Self

from logcount.errors import Misconfigured, Unavailable, Unsettled
from logcount.model.points import Tally, minute_of
from logcount.run.worker import ANSWER, BUFFER_BYTES, SIZES

if TYPE_CHECKING:
    from types import TracebackType

    from logcount.model.events import LogEvent

Tallied = list[list[Tally]]
MakeTally = Callable[[], Callable[[Sequence["LogEvent"]], Tallied]]
"""Makes, in the worker, what counts a batch; it must be fit for pickling."""

PATIENCE_SECONDS = 120.0
"""How long one batch may take: thousands of times what a batch of the largest events took when it was measured."""


class Workers:
    """Counts batches in processes of their own; batches of one partition always in the same one, in order."""

    def __init__(
        self,
        make: MakeTally,
        *,
        number: int = 1,
        patience: float = PATIENCE_SECONDS,
        make_again: MakeTally | None = None,
    ) -> None:
        self.restarts = 0
        """How many workers had to be started anew."""
        self._make = pickle.dumps(make)
        self._make_again = pickle.dumps(make_again or make)
        """What a worker gets that takes the place of one that ended: it may do less, and so outlive the same events."""
        self._patience = patience
        self._workers = [_Worker(self._make, patience) for _ in range(number)]
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
        """Return what each event came to, whatever is in it.

        Raises:
            Misconfigured: the worker cannot count any more with these settings; nothing of the batch is counted.
            Unsettled: no worker can be had; nothing of the batch is counted.

        """
        home = self._homes.setdefault(partition, len(self._homes) % len(self._workers))
        while self._alone[home].locked():  # a batch that ended the worker is being counted again, by itself
            async with self._alone[home]:
                pass
        worker = self._workers[home]
        try:
            return await worker.count(batch)
        except _Ended:
            async with self._alone[home]:
                if self._workers[home] is worker:
                    await self._renew(home)
                return await self._count_alone(home, batch)

    async def _count_alone(self, home: int, batch: Sequence[LogEvent]) -> Tallied:
        """Count with nothing else in the worker, so that whatever ends it is among these."""
        try:
            return await self._workers[home].count(batch)
        except _Ended as ended:
            await self._renew(home)
            if len(batch) == 1:
                return [[Tally("rejected", minute_of(batch[0].enqueued), (), str(ended))]]
        middle = len(batch) // 2
        return [*await self._count_alone(home, batch[:middle]), *await self._count_alone(home, batch[middle:])]

    async def _renew(self, home: int) -> None:
        await self._workers[home].end()
        self._workers[home] = _Worker(self._make_again, self._patience)
        self.restarts += 1
        try:
            await self._workers[home].start()
        except (_Ended, OSError):
            raise Unsettled("a process that counts could not be started anew") from None


def _pipe() -> tuple[int, int]:
    """Return a pipe to read from and to write to, made as large as the system lets it where that can be asked."""
    ends = os.pipe()
    with suppress(AttributeError, OSError):
        fcntl.fcntl(ends[1], fcntl.F_SETPIPE_SZ, BUFFER_BYTES)
    return ends


class _Ended(Exception):
    """The worker ended, or was ended, before it answered; the text is the reason."""


class _Worker:
    """One process, and the batches that it has not answered yet, in their order."""

    def __init__(self, make: bytes, patience: float) -> None:
        self._make = make
        self._patience = patience
        self._asked: deque[asyncio.Future[Tallied]] = deque()
        self._why = "counting it ended the process that counted"

    async def start(self) -> None:
        (their_requests, requests), (answers, their_answers) = _pipe(), _pipe()
        theirs = their_requests, their_answers
        try:
            program = (sys.executable, "-m", "logcount.run.worker", *map(str, theirs))
            self._process = await asyncio.create_subprocess_exec(*program, pass_fds=theirs)
        finally:
            for descriptor in theirs:
                os.close(descriptor)
        loop, self._answers = asyncio.get_running_loop(), asyncio.StreamReader(limit=BUFFER_BYTES)
        source, target = open(answers, "rb", 0), open(requests, "wb", 0)  # noqa: SIM115 - closed by their transports
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(self._answers), source)
        self._requests, _ = await loop.connect_write_pipe(asyncio.BaseProtocol, target)
        self._reading = asyncio.create_task(self._read())
        await self._ask([self._make], b"")

    async def end(self) -> None:
        """Kill the process, whatever it is doing."""
        with suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()
        await self._reading
        self._requests.close()

    async def count(self, batch: Sequence[LogEvent]) -> Tallied:
        rows = [
            (len(event.data), event.position, event.enqueued.timestamp() if event.enqueued else None, event.problem)
            for event in batch
        ]
        return await self._ask([event.data for event in batch], pickle.dumps(rows, pickle.HIGHEST_PROTOCOL))

    async def _ask(self, data: Sequence[bytes], rows: bytes) -> Tallied:
        if self._reading.done():
            raise _Ended(self._why)
        answer: asyncio.Future[Tallied] = asyncio.get_running_loop().create_future()
        self._asked.append(answer)
        self._requests.writelines([SIZES.pack(len(rows), sum(map(len, data))), rows, *data])
        return await answer

    async def _read(self) -> None:
        """Hand each answer to who waits for it; when there are no more, tell those who still wait."""
        try:
            while True:
                whole, data = await self._next_answer()
                answer = self._asked.popleft()
                if answer.done():  # whoever asked does not wait any more
                    continue
                if whole:
                    tallied = pickle.loads(data)  # noqa: S301 - our own process wrote it
                    answer.set_result([[Tally._make(tally) for tally in tallies] for tallies in tallied])
                else:
                    answer.set_exception(Misconfigured(data.decode()))
        except TimeoutError:
            self._why = "counting it took too long"
        except (asyncio.IncompleteReadError, OSError):
            pass
        finally:
            for answer in self._asked:
                if not answer.done():
                    answer.set_exception(_Ended(self._why))

    async def _next_answer(self) -> tuple[bool, bytes]:
        """Return the next answer; one that is asked for may take so long, and not longer.

        Raises:
            TimeoutError: it takes longer.

        """
        while True:
            waiting = self._asked[0] if self._asked else None
            try:
                async with asyncio.timeout(self._patience):
                    whole, size = ANSWER.unpack(await self._answers.readexactly(ANSWER.size))
                break
            except TimeoutError:
                if waiting is not None and self._asked[0] is waiting:
                    raise
        return whole, await self._answers.readexactly(size)
