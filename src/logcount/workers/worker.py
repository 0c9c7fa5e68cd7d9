"""A worker: one process, and the work items that it has not answered yet, in order."""

from __future__ import annotations

import asyncio
import fcntl
import os
import pickle
import sys
from collections import deque
from contextlib import suppress
from typing import Any, cast

from logcount.workers.process import ANSWER, BUFFER_BYTES, SIZE

ENDING_SECONDS = 5.0
"""How long a process may take to end after it has closed its pipe."""


class Ended(Exception):
    """The process ended, or took too long, before it answered."""

    def __init__(self, status: int | None) -> None:
        super().__init__("took too long" if status is None else f"ended with status {status}")
        self.status = status
        """The exit status, negative for a signal; None where it took too long."""


class Worker:
    """Runs work items in its own process, one after another.

    Args:
        make: a pickle of a callable that returns the work function, which takes one work item.
        patience: the most seconds that a work item may take; None is no limit.
    """

    def __init__(self, make: bytes, patience: float | None = None) -> None:
        self._make = make
        self._patience = patience
        self._process: asyncio.subprocess.Process | None = None
        self._requests: asyncio.WriteTransport | None = None
        self._reading: asyncio.Task[None] | None = None
        self._asked: deque[asyncio.Future[Any]] = deque()
        self._ended = Ended(None)

    async def start(self) -> None:
        """Start the process, and make the work function in it.

        Raises:
            LogcountError: making the work function raised it.
            Ended: the process ended meanwhile.
            OSError: it cannot be started.
        """
        (their_requests, requests), (answers, their_answers) = _pipe(), _pipe()
        theirs = their_requests, their_answers
        try:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-P", "-m", "logcount.workers.process", *map(str, theirs)),
                stdin=asyncio.subprocess.DEVNULL,
                env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},  # the same code as here
                pass_fds=theirs,
                start_new_session=True,  # an interrupt from the terminal is for the parent, which ends its workers
            )
        except BaseException:
            for descriptor in (requests, answers):
                os.close(descriptor)
            raise
        finally:
            for descriptor in theirs:
                os.close(descriptor)
        loop, self._answers = asyncio.get_running_loop(), asyncio.StreamReader(limit=BUFFER_BYTES)
        source, target = open(answers, "rb", 0), open(requests, "wb", 0)  # noqa: SIM115 - closed by their transports
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(self._answers), source)
        self._requests, _ = await loop.connect_write_pipe(asyncio.BaseProtocol, target)
        self._reading = asyncio.create_task(self._read())
        await self._send(self._make)

    async def end(self) -> None:
        """Kill the process."""
        if self._process is None:
            return
        with suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()
        if self._reading is not None:
            await self._reading
        if self._requests is not None:
            self._requests.close()

    async def ask(self, item: object) -> Any:
        """Return the result of a work item.

        Raises:
            LogcountError: the work function raised it.
            Ended: the process ended before it answered.
        """
        return await self._send(pickle.dumps(item, pickle.HIGHEST_PROTOCOL))

    async def _send(self, data: bytes) -> Any:
        if self._requests is None or self._reading is None or self._reading.done():
            raise self._ended
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._asked.append(answer)
        self._requests.write(SIZE.pack(len(data)))
        self._requests.write(data)
        return await answer

    async def _read(self) -> None:
        """Pass each answer to its caller; at the end, raise `Ended` in the callers that still wait."""
        try:
            while True:
                whole, data = await self._next_answer()
                answer = self._asked.popleft()
                if answer.done():  # the caller does not wait any more
                    continue
                value = pickle.loads(data)  # noqa: S301 - our own process wrote it
                if whole:
                    answer.set_result(value)
                else:
                    answer.set_exception(value)
        except TimeoutError:
            pass
        except (asyncio.IncompleteReadError, OSError):
            self._ended = Ended(await self._exit_status())
        finally:
            for answer in self._asked:
                if not answer.done():
                    answer.set_exception(self._ended)

    async def _exit_status(self) -> int:
        process = cast("asyncio.subprocess.Process", self._process)
        try:
            return await asyncio.wait_for(process.wait(), ENDING_SECONDS)
        except TimeoutError:
            process.kill()
            return await process.wait()

    async def _next_answer(self) -> tuple[bool, bytes]:
        """Return the next answer; a work item may take `patience` seconds.

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


def _pipe() -> tuple[int, int]:
    """Return the read and write ends of a pipe, enlarged to `BUFFER_BYTES` if the system allows it."""
    ends = os.pipe()
    with suppress(AttributeError, OSError):
        fcntl.fcntl(ends[1], fcntl.F_SETPIPE_SZ, BUFFER_BYTES)
    return ends
