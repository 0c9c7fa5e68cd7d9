"""Tunes the memory management of a process after it has loaded its modules and tokenizers."""

from __future__ import annotations

import ctypes
import gc
from contextlib import suppress

_COLLECTIONS = (100_000, 50, 100)
"""Thresholds of the garbage collector: caches are large, and hardly any object is in a cycle."""
_MOST_KEPT_BYTES = 32 * 2**20
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
"""From glibc's `malloc.h`."""


def settle_memory() -> None:
    """Prepare for many batches of similar size: loaded objects stay, and the next batch reuses freed memory.

    By default, glibc returns memory to the system and requests it again page by page; the garbage collector would
    traverse every module, which blocks the event loop for 0.1 s.
    """
    gc.freeze()
    gc.set_threshold(*_COLLECTIONS)
    with suppress(AttributeError, OSError, TypeError):  # other C libraries do not have it
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_M_TRIM_THRESHOLD, _MOST_KEPT_BYTES)
        mallopt(_M_MMAP_THRESHOLD, _MOST_KEPT_BYTES)
