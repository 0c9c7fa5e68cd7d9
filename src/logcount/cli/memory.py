"""Settles the memory of a process that has loaded what it needs."""

from __future__ import annotations

import ctypes
import gc
from contextlib import suppress

_COLLECTIONS = (100_000, 50, 100)
"""Objects until a collection, and such until deeper ones: much is remembered, and hardly any of it is circular."""
_MOST_KEPT_BYTES = 32 * 2**20
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
"""From glibc's `malloc.h`."""


def settle_memory() -> None:
    """Prepare for many batches of the same size: what is loaded stays, and what one batch frees is for the next.

    glibc would give memory back and ask for it again page by page; the collector would look through every module, which
    holds a loop up for a tenth of a second.
    """
    gc.freeze()
    gc.set_threshold(*_COLLECTIONS)
    with suppress(AttributeError, OSError, TypeError):  # other C libraries have no such knob
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_M_TRIM_THRESHOLD, _MOST_KEPT_BYTES)
        mallopt(_M_MMAP_THRESHOLD, _MOST_KEPT_BYTES)
