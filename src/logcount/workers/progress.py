"""What a worker process is doing just now, in 16 bytes of memory that its parent sees, also after its death."""

from __future__ import annotations

import mmap
import os
import tempfile
from contextlib import contextmanager
from struct import Struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_FIELDS = Struct("<qq")
"""The step, and how many things are being loaded."""

NOWHERE = -1
"""The step of a worker that has not begun its piece of work."""


class Progress:
    """Steps of the present piece of work, and whether something that the work needs is being loaded."""

    def __init__(self, descriptor: int) -> None:
        self._memory = mmap.mmap(descriptor, _FIELDS.size)
        self._loading = 0

    def begin(self, step: int) -> None:
        """Say that a step begins; takes a quarter of a microsecond."""
        _FIELDS.pack_into(self._memory, 0, step, self._loading)

    @contextmanager
    def loading(self) -> Iterator[None]:
        """Say that something is loaded that does not depend on the piece of work."""
        self._change_loading(1)
        try:
            yield
        finally:
            self._change_loading(-1)

    def read(self) -> tuple[int, bool]:
        """Return the step, and whether something is being loaded."""
        step, loading = _FIELDS.unpack_from(self._memory)
        return step, loading > 0

    def _change_loading(self, by: int) -> None:
        self._loading += by
        _FIELDS.pack_into(self._memory, 0, self.read()[0], self._loading)


def make_memory() -> int:
    """Return a descriptor of memory for a progress; it has no name, and ends with the last who holds it."""
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("progress")
    else:
        with tempfile.TemporaryFile() as file:
            descriptor = os.dup(file.fileno())
    os.ftruncate(descriptor, _FIELDS.size)
    return descriptor


def nothing() -> Progress:
    """Return a progress that nobody sees, for work in the process that asks for it."""
    descriptor = make_memory()
    try:
        return Progress(descriptor)
    finally:
        os.close(descriptor)
