"""A cache with a bound in bytes; no other cache is used."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Generic, TypeVar

from xxhash import xxh3_128_digest

if TYPE_CHECKING:
    from collections.abc import Callable

Key = TypeVar("Key")
Value = TypeVar("Value")

ENTRY_BYTES = 130
"""Bytes per dictionary entry right after the dictionary grew, the worst case; right before, it is half."""

_seed = secrets.randbits(64)


def digest(data: bytes | memoryview | str) -> bytes:
    """Return a 128-bit hash of some data.

    The seed is random in each process, so that an attacker cannot prepare two inputs with the same hash.

    Raises:
        UnicodeError: a text holds half a surrogate pair.
    """
    return xxh3_128_digest(data.encode() if isinstance(data, str) else data, _seed)


class BoundedCache(Generic[Key, Value]):
    """Caches values by key in two generations; when the younger is full, the older is dropped.

    Values used since the last change of generations are kept. `room` is the bound in bytes of both together; `size`
    returns the bytes of a key and its value, without the dictionary entry. A value larger than half a generation is not
    kept.
    """

    def __init__(self, room: int, size: Callable[[Key, Value], int]) -> None:
        self.young: dict[Key, Value] = {}
        """Recently used values: look here first, then call `recall`."""
        self._old: dict[Key, Value] = {}
        self._size = size
        self._room = room // 2
        self._taken = 0

    def get(self, key: Key) -> Value | None:
        """Return the value of a key, or None."""
        value = self.young.get(key)
        return self.recall(key) if value is None else value

    def recall(self, key: Key) -> Value | None:
        """Return a value that was not used recently, and move it to the young generation."""
        value = self._old.get(key)
        if value is not None:
            self.put(key, value)
        return value

    def put(self, key: Key, value: Value) -> None:
        """Store a value."""
        size = self._size(key, value) + ENTRY_BYTES
        if size > self._room // 2:
            return
        if self._taken + size > self._room:
            self._old, self.young, self._taken = self.young, {}, 0
        self.young[key] = value
        self._taken += size

    def clear(self) -> None:
        """Drop everything."""
        self.young, self._old, self._taken = {}, {}, 0
