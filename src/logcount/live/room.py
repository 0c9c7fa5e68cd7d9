"""Room: bounds the bytes of events that are being counted, whatever the number of partitions."""

from __future__ import annotations

import asyncio


class Room:
    """Lets events in while there is room; one larger than all the room is let in alone."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._taken = 0
        self._freed = asyncio.Condition()

    async def enter(self, size: int) -> None:
        """Wait until there is room for so many bytes, and take it."""
        async with self._freed:
            await self._freed.wait_for(lambda: self._taken == 0 or self._taken + size <= self._size)
            self._taken += size

    async def leave(self, size: int) -> None:
        """Give room back."""
        async with self._freed:
            self._taken -= size
            self._freed.notify_all()
