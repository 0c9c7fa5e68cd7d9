"""A worker: one process, and the work items that it has not answered yet, in order."""

from __future__ import annotations

import asyncio
import fcntl
import os
import pickle
import sys
import time
from collections import deque
from contextlib import suppress
from typing import Any, cast

from logcount.workers.process import ANSWER, BUFFER_BYTES, SIZE
from logcount.workers.progress import NOWHERE, Progress, make_memory

LOADING_SECONDS = 120.0
"""How long loading may take: the largest tokenizer takes ten seconds on a slow core."""

_LOOK_SECONDS = 0.25
"""How often a worker's progress is looked at."""

ENDING_SECONDS = 5.0
"""How long a process may take to end after it has closed its pipe."""


class Ended(Exception):
    """The process ended, or took too long, before it answered."""

    def __init__(self, status: int | None, step: int | None = None) -> None:
        super().__init__("took too long" if status is None else f"ended with status {status}")
        self.status = status
        """The exit status, negative for a signal; None where it took too long."""
        self.step = step
        """The step of the piece of work that it was at; None where it was at another piece, or was loading."""


class Worker:
    """Runs work items in its own process, one after another.

    Args:
        make: a pickle of what makes the work: a callable that is given a `Progress` and returns a callable of a piece.
        patience: how many seconds a step of a piece may take, None is as long as it likes; loading may take longer.
    """

    def __init__(self, make: bytes, patience: float | None = None) -> None:
        self._make = make
        self._patience = patience
        self._progress: Progress | None = None
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
        memory = make_memory()
        self._progress = Progress(memory)
        theirs = their_requests, their_answers, memory
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
        except Exception as error:
            self._ended = Ended(await self._exit_status())
            sys.stderr.write(f"an answer of a process that counts cannot be read: {type(error).__name__}\n")
        finally:
            step, loading = self._read_progress()
            at: int | None = None if loading or step == NOWHERE else step
            for answer in self._asked:
                if not answer.done():
                    answer.set_exception(Ended(self._ended.status, at))
                at = None  # the others were not begun

    def _read_progress(self) -> tuple[int, bool]:
        return self._progress.read() if self._progress else (NOWHERE, False)

    async def _exit_status(self) -> int:
        process = cast("asyncio.subprocess.Process", self._process)
        try:
            return await asyncio.wait_for(process.wait(), ENDING_SECONDS)
        except TimeoutError:
            process.kill()
            return await process.wait()

    async def _next_answer(self) -> tuple[bool, bytes]:
        """Return the next answer.

        Raises:
            TimeoutError: a step of the piece takes too long.
        """
        head = asyncio.ensure_future(self._answers.readexactly(ANSWER.size))
        try:
            await self._wait_patiently(head)
        finally:
            head.cancel()
        whole, size = ANSWER.unpack(head.result())
        return whole, await self._answers.readexactly(size)

    async def _wait_patiently(self, head: asyncio.Future[bytes]) -> None:
        """Wait for as long as the worker gets on, or has nothing to do."""
        seen, since = None, time.monotonic()
        while not (await asyncio.wait({head}, timeout=_LOOK_SECONDS))[0]:
            now = self._asked[0] if self._asked else None, self._read_progress()
            if now != seen or now[0] is None:
                seen, since = now, time.monotonic()
            limit = self._patience and (LOADING_SECONDS if now[1][1] else self._patience)
            if limit and time.monotonic() - since > limit:
                raise TimeoutError


def _pipe() -> tuple[int, int]:
    """Return the read and write ends of a pipe, enlarged to `BUFFER_BYTES` if the system allows it."""
    ends = os.pipe()
    with suppress(AttributeError, OSError):
        fcntl.fcntl(ends[1], fcntl.F_SETPIPE_SZ, BUFFER_BYTES)
    return ends
