"""A worker process: reads work items from a pipe, and writes their results to another.

Started by `worker` as `python -m logcount.workers.process REQUESTS ANSWERS PROGRESS`, three descriptors. It ends when
its parent does: the pipe is then closed. Frames come from the parent alone: the first holds a pickle of what makes the
work, given a `Progress`; each further one that of a piece.
"""

from __future__ import annotations

import ctypes
import os
import pickle
import signal
import struct
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any, BinaryIO

from logcount.errors import LogcountError
from logcount.workers.progress import NOWHERE, Progress

if TYPE_CHECKING:
    from collections.abc import Callable

SIZE = struct.Struct("<Q")
"""Before each request: its size in bytes."""

ANSWER = struct.Struct("<?Q")
"""Before each answer: whether it is a result, else a raised error; and its size in bytes."""

BUFFER_BYTES = 1024 * 1024
"""The requested pipe capacity: Linux's limit for unprivileged processes, and a batch of 300 ordinary events."""

OUT_OF_MEMORY = 71
"""The exit status after running out of memory."""

_PR_SET_PDEATHSIG = 1
"""From Linux's `sys/prctl.h`: the signal that a process gets when its parent ends."""


def main() -> None:
    """Work until the parent closes the pipe."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a signal to the whole process group is for the parent
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    with suppress(AttributeError, OSError, TypeError):  # only Linux has it; elsewhere a hanging process lives on
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    with suppress(OSError):
        os.dup2(2, 1)  # output of libraries must not be in the parent's stdout
    with open(int(sys.argv[1]), "rb", BUFFER_BYTES) as requests, open(int(sys.argv[2]), "wb") as answers:
        try:
            _serve(requests, answers, Progress(int(sys.argv[3])))
        except (EOFError, BrokenPipeError):
            os._exit(0)  # closing the pipes would fail again
        except MemoryError:
            os._exit(OUT_OF_MEMORY)
        except Exception as error:
            sys.stderr.write(f"a process that counts ended: {type(error).__name__}\n")
            sys.exit(1)


def _serve(requests: BinaryIO, answers: BinaryIO, progress: Progress) -> None:
    try:
        with progress.loading():
            work: Callable[[Any], Any] = pickle.loads(_read(requests))(progress)  # noqa: S301 - the parent's
    except LogcountError as error:
        _write(answers, False, error)
        return
    _write(answers, True, None)
    while True:
        progress.begin(NOWHERE)
        piece = pickle.loads(_read(requests))  # noqa: S301 - the parent's
        try:
            result = work(piece)
        except LogcountError as error:
            _write(answers, False, error)
        else:
            _write(answers, True, result)
        del piece


def _read(requests: BinaryIO) -> bytes:
    head = requests.read(SIZE.size)
    size = SIZE.unpack(head)[0] if len(head) == SIZE.size else -1
    data = requests.read(size) if size >= 0 else b""
    if len(data) != size:
        raise EOFError
    return data


def _write(answers: BinaryIO, whole: bool, value: object) -> None:
    data = pickle.dumps(value, pickle.HIGHEST_PROTOCOL)
    answers.write(ANSWER.pack(whole, len(data)))
    answers.write(data)
    answers.flush()


if __name__ == "__main__":
    main()
