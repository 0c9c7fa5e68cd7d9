"""What is known of a chat template: what it writes for messages, by their surroundings.

Law: surroundings hold all that templates are known to look at; a cell that is met again and is another, or a count that
a whole rendering does not confirm, ends composing for the template.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import msgspec

if TYPE_CHECKING:
    from collections.abc import Sequence

    from logcount.counting.markers import Writing
    from logcount.counting.surroundings import Place


class Ref(NamedTuple):
    """A text of a message within a cell: its own (0), one before it (-1 …), or the conversation's first (None)."""

    message: int | None
    slot: int
    writing: Writing


class Cell:
    """What a template writes for a message in its surroundings; the same object wherever it is the same."""

    __slots__ = ("foreign", "pieces")

    def __init__(self, pieces: tuple[str | Ref, ...]) -> None:
        self.pieces = pieces
        self.foreign = tuple(
            dict.fromkeys(piece.message for piece in pieces if isinstance(piece, Ref) and piece.message != 0)
        )
        """The other messages whose texts stand in it."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What is known of a place."""

    cell: Cell
    hidden: bool
    """Whether the template leaves out some of the message."""
    tail: str = ""
    """What follows the last message's texts from the next cut on."""

    def holds_any(self, texts: Sequence[str]) -> bool:
        """Say whether one of some texts stands in it."""
        written = [self.tail, *(piece for piece in self.cell.pieces if isinstance(piece, str))]
        return any(text in one for text in texts for one in written)


class Composed(msgspec.Struct, frozen=True):
    """A conversation, counted by its messages."""

    tokens: int
    hidden: int
    """How many messages the template leaves out some of."""
    hides_tools: bool = False
    """Whether it leaves out a tool."""


@dataclass(slots=True, eq=False)
class Pattern:
    """What is known of a template under one set of tools and options."""

    shared: dict[Place, Entry] = field(default_factory=dict)
    """Entries in which nothing of the tools stands, under a template that writes them apart, for all sets of tools."""
    entries: dict[Place, Entry] = field(default_factory=dict)
    misses: int = 0
    hits: int = 0
    lessons: int = 0
    failures: int = 0
    hides_tools: bool = False
    tails: dict[str, int] = field(default_factory=dict)
    """The tokens of what follows conversations."""

    def entry(self, place: Place) -> Entry | None:
        """Return what is known of a place."""
        return self.shared.get(place) or self.entries.get(place)
