"""No sink: points stay in the ledger only, for users who read it directly."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from logcount.model.points import Item, Mark, Point


class NoSink:
    """Accepts and drops every item; a `Sink` whose cursor shows what would have been sent."""

    name = "none"
    trouble = None

    async def send(self, items: Sequence[Item]) -> list[Mark]:
        """Accept."""
        return []

    async def tell(self, points: Sequence[Point]) -> None:
        """Do nothing."""

    async def close(self) -> None:
        """Do nothing."""
