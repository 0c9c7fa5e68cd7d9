"""What workers may be made to do in place of counting: each as a function that they import."""

from __future__ import annotations

import os
import signal
import sys
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from logcount.errors import Misconfigured

if TYPE_CHECKING:
    from collections.abc import Callable

    from logcount.workers.progress import Progress


@dataclass(frozen=True)
class Anything:
    """A part, whatever is in it."""

    portable: bool = True


def run_out_of_memory(_part: object) -> None:
    raise MemoryError


def leave(_part: object) -> None:
    os._exit(3)


def be_killed(_part: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def find_a_setting_wrong(_part: object) -> None:
    raise Misconfigured("a tokenizer is not here")


def say_something(_part: object) -> None:
    sys.stdout.write("on standard output, where the answers are not\n")
    sys.stdout.flush()


def making(count: Callable[[object], None]) -> Callable[[Progress], Callable[[object], None]]:
    """Return what makes it in a worker."""
    return partial(_make, count)


def _make(count: Callable[[object], None], _progress: Progress) -> Callable[[object], None]:
    return count


def cannot_be_made(_progress: Progress) -> Callable[[object], None]:
    """Fail as a part counter fails whose tokenizer is not fetched."""
    raise Misconfigured("a tokenizer is not here")
