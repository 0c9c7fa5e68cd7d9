"""Surroundings: what a template may look at when it writes a message, beside the message itself.

They are the message's place, near the ends of a conversation, the shapes next to it, and the outlines of all before and
after it. Each is one object wherever it is the same, so that to know a message's surroundings costs next to nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Hashable

    from logcount.counting.composition import Composed
    from logcount.counting.shapes import Shape

NEAREST = 2
"""Messages from either end of a conversation that are told apart by their place."""
_MOST = 20_000
"""Standings that are remembered."""
_SHORT = 200
"""Characters of a message's texts that are kept though they were counted."""
_FURTHEST = 16
"""Messages without texts beyond which surroundings are not looked for any further."""


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


class TooFar(Exception):
    """A message's surroundings reach too far."""


def places_of(last: Turn, surroundings: Surroundings) -> list[Place]:
    """Return the surroundings of every message of a conversation, given its last one.

    Raises:
        TooFar: some of them do.
    """
    places: list[Place] = []
    following = surroundings.end
    turn: Turn | None = last
    while turn is not None:
        if turn.standing.left is None or len(following.right) > _FURTHEST:
            raise TooFar
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
