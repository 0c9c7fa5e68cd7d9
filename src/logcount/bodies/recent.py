"""Remembers what was used lately, in bounded room."""

from __future__ import annotations

from typing import Generic, TypeVar

Value = TypeVar("Value")


class Recent(Generic[Value]):
    """Remembers what was used lately: two generations, of which the elder is forgotten when the younger is full."""

    def __init__(self, room: int) -> None:
        self._room = room
        self._spent = 0
        self._young: dict[bytes, tuple[Value, int]] = {}
        self._old: dict[bytes, tuple[Value, int]] = {}

    def get(self, key: bytes) -> Value | None:
        """Return what is remembered by a key, and remember it for longer."""
        found = self._young.get(key)
        if found is None:
            found = self._old.get(key)
            if found is None:
                return None
            value, whole = found
            self.put(key, value, whole, whole)
        return found[0]

    def put(self, key: bytes, value: Value, weight: int, whole: int) -> None:
        """Remember a value, which takes so much of the room, and `whole` without what is remembered beside it."""
        if self._spent + weight > self._room:
            self._old, self._young, self._spent = self._young, {}, 0
        self._young[key] = value, whole
        self._spent += weight
