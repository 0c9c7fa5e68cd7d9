"""Composes the count of a conversation from its messages: each is counted once, where it stands in any conversation.

A template is a program that nobody here runs in the head. So a conversation of a pattern that was never met is rendered
with markers in place of its texts, and cut where counts add up (see `Tokenizer.seams`): what stands between two
cuts is a message's cell. A cell is used again wherever a message of the same shape has the same surroundings.

Law: surroundings hold all that templates are known to look at; a cell that is met again and is another, or a count that
a whole rendering does not confirm, ends composing for the template.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from logcount.counting.markers import Writing, count_markers, find_markers, marked
from logcount.counting.shown import shows_messages

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

    from logcount.counting.markers import Found
    from logcount.counting.shapes import Message, Shape

NEAREST = 2
"""Messages from either end of a conversation that are told apart by their place."""
_MOST = 20_000
"""Standings that are remembered."""
_SHORT = 200
"""Characters of a message's texts that are kept though they were counted."""
_FURTHEST = 16
"""Messages without texts beyond which surroundings are not looked for any further."""


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


class Standing:
    """A message's shape, and what it depends on of all that was said before: one object for all that are alike."""

    __slots__ = ("earlier", "from_start", "left", "passed", "shape", "then")

    def __init__(
        self,
        shape: Shape,
        from_start: tuple[int, bool],
        left: tuple[Shape, ...] | None,
        earlier: frozenset[Hashable],
    ) -> None:
        self.shape = shape
        self.from_start = from_start
        """How many messages there are before it, as far as that is told apart, and whether it has an odd place."""
        self.left = left
        """The shapes before it, nearest first; None where they are too many."""
        self.earlier = earlier
        """The outlines of all messages before it."""
        self.passed = earlier | shape.outlines
        self.then: dict[Shape, Standing] = {}
        """The standing of the next message, where it depends on this alone."""


class Following:
    """What a message depends on of all that is said after it: one object for all that are alike."""

    __slots__ = ("later", "right", "then")

    def __init__(self, right: tuple[Shape, ...], later: frozenset[Hashable]) -> None:
        self.right = right
        """The shapes after it, nearest first, up to the first with texts."""
        self.later = later
        """The outlines of all messages after it."""
        self.then: dict[Shape, Following] = {}
        """What follows the message before, by this one's shape."""


Place = tuple[Standing, int, Following]
"""A message's surroundings, by which its cell is known, with how many messages follow it, `NEAREST` at most."""


class Turn:
    """A message where it stands in a conversation, and all that was said before it."""

    __slots__ = ("before", "counts", "number", "standing", "sums", "values")

    def __init__(self, before: Turn | None, standing: Standing, values: tuple[Any, ...]) -> None:
        self.before = before
        self.standing = standing
        self.values: tuple[Any, ...] | None = values
        """Its texts, until they are counted; short ones for longer, for other messages may hold them."""
        self.number: int = 0 if before is None else before.number + 1
        self.counts: dict[Hashable, int] = {}
        """The tokens of its cells."""
        self.sums: dict[Hashable, Composed] = {}
        """What all up to it comes to, by what follows."""

    def forget(self) -> None:
        """Forget the texts of the last messages, which were counted; not the short ones, for others may hold them."""
        turn: Turn | None = self
        while turn is not None and turn.values:
            if sum([len(value) for value in turn.values if isinstance(value, str)]) > _SHORT:
                turn.values = None
            turn = turn.before


class Surroundings:
    """Makes what messages depend on, the same object wherever it is the same."""

    def __init__(self, *, parity: bool) -> None:
        self._parity = parity
        self._standings: dict[Hashable, Standing] = {}
        self._followings: dict[Hashable, Following] = {}
        self.end = Following((), frozenset())
        """What follows the last message."""

    def standing(self, before: Turn | None, shape: Shape) -> Standing:
        """Return how a message stands after others."""
        last = before.standing if before is not None else None
        if before is None or last is None:
            return self._standing(shape, (0, False), (), frozenset())
        known = last.then.get(shape)
        if known is not None:
            return known
        number = before.number + 1
        from_start = min(number, NEAREST), self._parity and number % 2 == 1
        left = _window(before, shape)
        standing = self._standing(shape, from_start, left, last.passed)
        if (
            left is not None
            and len(left) == 1
            and number >= NEAREST
            and last.from_start[0] == NEAREST
            and not self._parity
        ):
            last.then[shape] = standing
        return standing

    def before(self, following: Following, shape: Shape) -> Following:
        """Return what follows the message before one of this shape."""
        known = following.then.get(shape)
        if known is None:
            right = (shape,) if shape.slots else (shape, *following.right)
            key = right, following.later | shape.outlines
            known = following.then[shape] = self._followings.setdefault(key, Following(*key))
        return known

    def _standing(self, *parts: Any) -> Standing:
        standing = self._standings.get(parts)
        if standing is None:
            if len(self._standings) >= _MOST:  # those in use stay what they are, and are learned anew
                self._standings.clear()
                self._followings.clear()
                self.end.then.clear()
            standing = self._standings[parts] = Standing(*parts)
        return standing


def _window(turn: Turn | None, shape: Shape) -> tuple[Shape, ...] | None:
    """Return the shapes before a message, nearest first, up to the first of another role with texts.

    None where that is too far. A message of the same role does not count: the second result of two calls still
    belongs to the calls.
    """
    shapes: list[Shape] = []
    while turn is not None:
        if len(shapes) >= _FURTHEST:
            return None
        other = turn.standing.shape
        shapes.append(other)
        if other.slots and other.role != shape.role:
            break
        turn = turn.before
    return tuple(shapes)


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
    """Entries in which nothing of the tools stands: they are the same under all sets of tools."""
    entries: dict[Place, Entry] = field(default_factory=dict)
    misses: int = 0
    lessons: int = 0
    failures: int = 0
    hides_tools: bool = False
    tails: dict[str, int] = field(default_factory=dict)
    """The tokens of what follows conversations."""

    def entry(self, place: Place) -> Entry | None:
        """Return what is known of a place."""
        return self.shared.get(place) or self.entries.get(place)


class Unlearnable(Exception):
    """What a template wrote cannot be cut by messages."""


def places_of(last: Turn, surroundings: Surroundings) -> list[Place]:
    """Return the surroundings of every message of a conversation, given its last one.

    Raises:
        Unlearnable: some of them reach too far.
    """
    places: list[Place] = []
    following = surroundings.end
    turn: Turn | None = last
    while turn is not None:
        if turn.standing.left is None or len(following.right) > _FURTHEST:
            raise Unlearnable
        places.append((turn.standing, min(len(places), NEAREST), following))
        following = surroundings.before(following, turn.standing.shape)
        turn = turn.before
    places.reverse()
    return places


def turns_of(last: Turn) -> list[Turn]:
    """Return every message of a conversation, given its last one."""
    turns = [last]
    while (before := turns[-1].before) is not None:
        turns.append(before)
    turns.reverse()
    return turns


def lesson(
    messages: Sequence[Message],
    turns: Sequence[Turn],
    render: Callable[[list[Message]], str],
    seams: Callable[[str], Sequence[int] | None],
    thought_end: str,
) -> tuple[list[Entry], str]:
    """Learn a conversation's cells from its template; return them, and what it wrote.

    Raises:
        Unlearnable: they cannot be told apart.
        Uncountable: the template refuses it.
    """
    slots = [turn.standing.shape.slots for turn in turns]
    plain, spaced = (
        [marked(message, number, slots[number], spaced=spaced) for number, message in enumerate(messages)]
        for spaced in (False, True)
    )
    if count_markers(json.dumps(plain)) != sum(map(len, slots)):
        raise Unlearnable
    shown = render(plain)
    found = find_markers(shown, render(spaced), slots)
    cuts = seams(shown)
    if found is None or cuts is None:
        raise Unlearnable
    cells, tail = _laid_out(shown, found, sorted(cuts), turns)
    hidden = [not shows_messages(shown, [message], thought_end) for message in plain]
    last = len(turns) - 1
    entries = [
        Entry(Cell(tuple(cells.get(number, ()))), hidden[number], tail if number == last else "")
        for number in range(len(turns))
    ]
    return entries, shown


def _laid_out(
    shown: str, found: Sequence[Found], cuts: Sequence[int], turns: Sequence[Turn]
) -> tuple[dict[int, list[str | Ref]], str]:
    """Return the pieces of each message's cell, and what follows the last one."""
    runs: list[tuple[int, int, list[Found]]] = []
    """Home, start and markers of each stretch of text between two cuts."""
    end = 0
    for one in found:
        home = max(one.message, runs[-1][0]) if runs else one.message
        cut = _cut(cuts, end, one.start) if runs and home != runs[-1][0] else None
        if not runs:
            runs.append((home, 0, [one]))
        elif cut is not None:
            runs.append((home, cut, [one]))
        else:
            _, start, others = runs.pop()
            runs.append((home, start, [*others, one]))
        end = one.end
    tail = _cut(cuts, end, len(shown)) if runs else 0
    tail = len(shown) if tail is None else tail
    _check_reach([home for home, _, _ in runs], turns)
    ends = [*(start for _, start, _ in runs[1:]), tail]
    cells = {
        home: _pieces(shown, start, stop, markers, home, turns)
        for (home, start, markers), stop in zip(runs, ends if runs else [], strict=True)
    }
    return cells, shown[tail:]


def _cut(cuts: Sequence[int], start: int, end: int) -> int | None:
    return next((cut for cut in cuts if start <= cut <= end), None)


def _check_reach(homes: Sequence[int], turns: Sequence[Turn]) -> None:
    """See that whatever stands between two cells is in the surroundings of the second."""
    last = len(turns) - 1
    reaches = [*zip([-1, *homes], homes, strict=False), (homes[-1] if homes else -1, last)]
    for before, home in reaches:
        if home - before - 1 > len(turns[home].standing.left or ()):
            raise Unlearnable


def _pieces(
    shown: str, start: int, stop: int, markers: Sequence[Found], home: int, turns: Sequence[Turn]
) -> list[str | Ref]:
    pieces: list[str | Ref] = []
    at = start
    for one in markers:
        if one.start > at:
            pieces.append(shown[at : one.start])
        pieces.append(Ref(_distance(one.message, home, turns), one.slot, one.writing))
        at = one.end
    if stop > at:
        pieces.append(shown[at:stop])
    return pieces


def _distance(message: int, home: int, turns: Sequence[Turn]) -> int | None:
    """Return how to name a message from another one's cell."""
    if home - message <= len(turns[home].standing.left or ()):
        return message - home
    if message == 0:
        return None
    raise Unlearnable
