"""A process that reads and counts parts of an archive: it takes them from a pipe, and answers over another.

Started by `workers` as `python -m logcount.parallel.worker`. Frames come from the parent alone: the first holds a
pickle of what makes the counting, each further one that of a part. It ends when its parent does: the pipe is closed.
"""

from __future__ import annotations

import ctypes
import os
import pickle
import signal
import struct
from contextlib import suppress
from typing import TYPE_CHECKING, BinaryIO

from logcount.errors import LogcountError

if TYPE_CHECKING:
    from collections.abc import Callable

    from logcount.parallel.answers import Answer

SIZE = struct.Struct("<Q")
"""Before each frame: its bytes."""

OUT_OF_MEMORY = 71
"""The exit status where there was no more memory to be had."""

_PR_SET_PDEATHSIG = 1
"""From Linux's `sys/prctl.h`: the signal that a process gets when its parent ends."""


def main() -> None:
    """Count until the parent closes the pipe."""
    with suppress(AttributeError, OSError, TypeError):  # only Linux has it; elsewhere the pipe must do
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    requests, answers = _own_pipes()
    try:
        count = _counting(read_frame(requests))
        while True:
            write_frame(answers, pickle.dumps(_answer(count, read_frame(requests)), pickle.HIGHEST_PROTOCOL))
    except (EOFError, BrokenPipeError, KeyboardInterrupt):
        os._exit(0)  # closing what is left would fail again
    except MemoryError:
        os._exit(OUT_OF_MEMORY)


def _own_pipes() -> tuple[BinaryIO, BinaryIO]:
    """Take the pipes to the parent, and leave nothing that a library could read from or write to by accident."""
    requests, answers = os.dup(0), os.dup(1)
    with open(os.devnull, "rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    os.dup2(2, 1)
    return open(requests, "rb"), open(answers, "wb")


def _counting(make: bytes) -> Callable[[object], Answer | None] | None:
    try:
        counting: Callable[[object], Answer | None] = pickle.loads(make)()  # noqa: S301 - the parent's
    except LogcountError:
        return None  # the parent comes to the same error, and says so
    return counting


def _answer(count: Callable[[object], Answer | None] | None, part: bytes) -> Answer | None:
    """Count a part; None where the parent must, because an error belongs to its place in the archive."""
    try:
        return count(pickle.loads(part)) if count else None  # noqa: S301 - the parent's
    except LogcountError:
        return None


def read_frame(stream: BinaryIO) -> bytes:
    """Return the next frame; raises EOFError where there is none, or not the whole of it."""
    head = stream.read(SIZE.size)
    size = SIZE.unpack(head)[0] if len(head) == SIZE.size else -1
    data = stream.read(size) if size >= 0 else b""
    if len(data) != size:
        raise EOFError
    return data


def write_frame(stream: BinaryIO, data: bytes) -> None:
    """Write a frame."""
    stream.write(SIZE.pack(len(data)))
    stream.write(data)
    stream.flush()


if __name__ == "__main__":
    main()
