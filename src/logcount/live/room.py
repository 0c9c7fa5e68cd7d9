"""Room: bounds the bytes of events that are being counted, whatever the number of partitions."""

from __future__ import annotations

import asyncio


class Room:
    """Lets events in while there is room; a piece larger than all the room is let in alone."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._taken = 0
        self._freed = asyncio.Event()

    async def enter(self, size: int) -> None:
        """Wait until there is room for so many bytes, and take it."""
        while self._taken and self._taken + size > self._size:
            self._freed.clear()
            await self._freed.wait()
        self._taken += size

    def leave(self, size: int) -> None:
        """Give room back."""
        self._taken -= size
        self._freed.set()
