"""Workers: processes that read and count parts of an archive, each led by a thread that waits for its answers.

They are started when there is a part for them, never by forking (a tokenizer that was used does not survive that), and
in a session of their own: an interrupt from the terminal is for the parent, which ends them.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Lock, local
from typing import TYPE_CHECKING, Any, BinaryIO, Self, cast

from logcount.errors import Unavailable
from logcount.parallel.worker import OUT_OF_MEMORY, read_frame, write_frame

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future
    from types import TracebackType

    from logcount.parallel.answers import Answer, Part


class _Worker:
    """One process, and the pipes to it."""

    def __init__(self, make: bytes) -> None:
        path = os.pathsep.join(filter(None, sys.path))  # what is imported there is what is imported here
        self._process = subprocess.Popen(
            (sys.executable, "-P", "-m", "logcount.parallel.worker"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=os.environ | {"PYTHONPATH": path},
            start_new_session=True,
        )
        self._requests, self._answers = cast("BinaryIO", self._process.stdin), cast("BinaryIO", self._process.stdout)
        self._make: bytes | None = make

    def count(self, part: bytes) -> Answer | None:
        try:
            if self._make is not None:
                write_frame(self._requests, self._make)
                self._make = None
            write_frame(self._requests, part)
            answer: Answer | None = pickle.loads(read_frame(self._answers))  # noqa: S301 - our own process wrote it
        except (EOFError, OSError):
            raise Unavailable(_why(self._process.wait())) from None
        return answer

    def kill(self) -> None:
        self._process.kill()

    def close(self) -> None:
        self._process.wait()
        for pipe in (self._requests, self._answers):
            with suppress(OSError):  # what is left in it would fail again
                pipe.close()


class Workers:
    """Counts parts in processes of their own, as many at a time as there are workers.

    Args:
        make: makes, in each worker, what counts a part; it must be fit for pickling.
        number: how many workers there are at most.
    """

    def __init__(self, make: Callable[[], Callable[[Any], Answer | None]], number: int) -> None:
        self.number = number
        self._make = pickle.dumps(make, pickle.HIGHEST_PROTOCOL)
        self._threads = ThreadPoolExecutor(number, "worker")
        self._own = local()
        self._lock = Lock()
        self._ended = False
        self._workers: list[_Worker] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """End every worker, whatever it is doing."""
        with self._lock:
            self._ended = True
            for worker in self._workers:
                worker.kill()
        self._threads.shutdown(cancel_futures=True)
        for worker in self._workers:
            worker.close()

    def ask(self, part: Part) -> Future[Answer | None]:
        """Let a part be counted.

        Its result is None where the part can only be counted in order. It raises Unavailable where the worker ended.
        """
        return self._threads.submit(self._count, pickle.dumps(part, pickle.HIGHEST_PROTOCOL))

    def _count(self, part: bytes) -> Answer | None:
        worker: _Worker | None = getattr(self._own, "worker", None)
        if worker is None:
            worker = self._own.worker = self._start()
        return worker.count(part)

    def _start(self) -> _Worker:
        with self._lock:
            if self._ended:
                raise Unavailable("the processes that count are ended")
            try:
                worker = _Worker(self._make)
            except OSError as error:
                raise Unavailable(f"a process that counts could not be started: {error.strerror}") from None
            self._workers.append(worker)
        return worker


def _why(status: int) -> str:
    if status == OUT_OF_MEMORY:
        return "a process that counts ran out of memory: fewer --workers need less"
    if status < 0:
        return f"a process that counts was ended by signal {-status}: if memory ran out, fewer --workers need less"
    return f"a process that counts ended with status {status}"
