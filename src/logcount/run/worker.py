"""A process that counts: reads batches of events from a pipe, and answers over another with what each came to.

Started by `workers` as `python -m logcount.run.worker REQUESTS ANSWERS`. It ends when its parent does: the pipe is
then closed. The first frame holds a pickle of what makes the counting; frames come from the parent alone.
"""

from __future__ import annotations

import ctypes
import os
import pickle
import signal
import struct
import sys
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, BinaryIO

from logcount.errors import Misconfigured
from logcount.model.events import LogEvent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from logcount.model.points import Tally

Row = tuple[int, int, "float | None", "str | None"]
"""Of an event: its number of bytes, its sequence number, when it was enqueued (seconds since 1970), its problem."""

SIZES = struct.Struct("<II")
"""Before each request: the bytes of the pickled rows, and those of the events, which follow one another."""

ANSWER = struct.Struct("<?I")
"""Before each answer: whether it is tallies (else why none can be made), and its bytes."""

BUFFER_BYTES = 1024 * 1024
"""What a pipe is asked to hold: the most that Linux gives anybody, and a batch of 300 ordinary events."""

SOURCE = "event hub"
"""What events are of here, where only their number and time are asked for."""

_PR_SET_PDEATHSIG = 1
"""From Linux's `sys/prctl.h`: the signal that a process gets when its parent ends."""


def main() -> None:
    """Count until the parent closes the pipe."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # both go to the whole group of a terminal: they are for the parent
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    with suppress(AttributeError, OSError):  # only Linux has it; elsewhere one that hangs outlives its parent
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    with open(int(sys.argv[1]), "rb", BUFFER_BYTES) as requests, open(int(sys.argv[2]), "wb") as answers:
        _, make = _read(requests)
        try:
            tally: Callable[[Sequence[LogEvent]], list[list[Tally]]] = pickle.loads(make)()  # noqa: S301 - the parent's
            _write(answers, True, _pickled([]))
            while True:
                rows, data = _read(requests)
                _write(answers, True, _pickled(tally(_events(pickle.loads(rows), data))))  # noqa: S301
        except Misconfigured as error:
            _write(answers, False, str(error).encode())
        except (EOFError, BrokenPipeError):
            os._exit(0)  # closing what is left would fail again
        except Exception as error:
            sys.stderr.write(f"a process that counts ended: {type(error).__name__}\n")
            sys.exit(1)


def _read(requests: BinaryIO) -> tuple[bytes, memoryview]:
    head = requests.read(SIZES.size)
    if len(head) < SIZES.size:
        raise EOFError
    first, second = SIZES.unpack(head)
    rows, data = requests.read(first), requests.read(second)
    if len(data) < second:
        raise EOFError
    return rows, memoryview(data)


def _events(rows: Iterable[Row], data: memoryview) -> list[LogEvent]:
    events, start = [], 0
    for size, number, enqueued, problem in rows:
        time = None if enqueued is None else datetime.fromtimestamp(enqueued, UTC)
        events.append(LogEvent(bytes(data[start : start + size]), SOURCE, number, time, problem))
        start += size
    return events


def _pickled(tallied: list[list[Tally]]) -> bytes:
    return pickle.dumps([[tuple(tally) for tally in tallies] for tallies in tallied], pickle.HIGHEST_PROTOCOL)


def _write(answers: BinaryIO, whole: bool, data: bytes) -> None:
    answers.write(ANSWER.pack(whole, len(data)) + data)
    answers.flush()


if __name__ == "__main__":
    main()
