"""A cache with a bound in bytes: the only one there is."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Generic, TypeVar

from xxhash import xxh3_128_digest

if TYPE_CHECKING:
    from collections.abc import Callable

Key = TypeVar("Key")
Value = TypeVar("Value")

ENTRY_BYTES = 130
"""Bytes of an entry in a dictionary that was just enlarged, which is when it is emptiest; half of that before."""

_seed = secrets.randbits(64)


def digest(data: bytes | memoryview | str) -> bytes:
    """Return 128 bits that stand for some data.

    They are seeded at random in each process, so that nobody can prepare two inputs that share them.

    Raises:
        UnicodeError: a text holds half a surrogate pair.
    """
    return xxh3_128_digest(data.encode() if isinstance(data, str) else data, _seed)


class BoundedCache(Generic[Key, Value]):
    """Remembers values by key: two generations, of which the older is forgotten when the younger is full.

    Whatever was asked for since the last change of generations is kept. `room` is the bound in bytes of both
    together; `size` says how many bytes a key and its value take, besides the entry in a dictionary. What would fill
    half of a generation is not kept.
    """

    def __init__(self, room: int, size: Callable[[Key, Value], int]) -> None:
        self.young: dict[Key, Value] = {}
        """What was asked for lately: the first place to look, before `recall`."""
        self._old: dict[Key, Value] = {}
        self._size = size
        self._room = room // 2
        self._taken = 0

    def get(self, key: Key) -> Value | None:
        """Return what is remembered by a key."""
        value = self.young.get(key)
        return self.recall(key) if value is None else value

    def recall(self, key: Key) -> Value | None:
        """Return a value that was not asked for lately, and remember it for longer."""
        value = self._old.get(key)
        if value is not None:
            self.put(key, value)
        return value

    def put(self, key: Key, value: Value) -> None:
        """Remember a value."""
        size = self._size(key, value) + ENTRY_BYTES
        if size > self._room // 2:
            return
        if self._taken + size > self._room:
            self._old, self.young, self._taken = self.young, {}, 0
        self.young[key] = value
        self._taken += size

    def clear(self) -> None:
        """Forget everything."""
        self.young, self._old, self._taken = {}, {}, 0
