"""Gives back to the system what loading took for a while: it is more than what stays, and nothing later needs it."""

from __future__ import annotations

import ctypes
from contextlib import suppress


def give_back() -> None:
    """Return the free pages of the heap, in some milliseconds; for after a load, and never between exchanges."""
    with suppress(AttributeError, OSError, TypeError):  # other C libraries have no such function
        ctypes.CDLL(None).malloc_trim(0)
