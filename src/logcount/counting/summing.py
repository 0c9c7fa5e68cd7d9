"""Adds up a conversation by what is known of its pattern, message by message, from the last one back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from logcount.counting.composition import Composed
from logcount.counting.shapes import take_apart
from logcount.counting.surroundings import NEAREST, places_of, turns_of

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Sequence

    from logcount.counting.composition import Cell, Entry, Pattern, Ref
    from logcount.counting.shapes import Message
    from logcount.counting.surroundings import Surroundings, Turn
    from logcount.traits import Traits

_MOST_COUNTS = 16
"""Cells of one message, and sums up to it, that are remembered."""
_REUSED = NEAREST + 3
"""Messages from the end up to which sums are remembered: from there a conversation is likely to go on."""


class Rendering(Protocol):
    """What composing asks of a template, under one set of tools and options, and of its tokenizer."""

    def render(self, messages: list[Message]) -> str:
        """Return what the template writes; raises `Uncountable` where it refuses."""
        ...

    def count(self, text: str) -> int:
        """Return the tokens of a text."""
        ...

    def seams(self, text: str) -> Sequence[int] | None:
        """Return where a text can be cut, whatever stands around the cuts; None where nobody knows."""
        ...

    def distrust(self, composed: int) -> None:
        """Tell that a template is not what it was taken for, after so many conversations were composed."""
        ...

    def hides_tools(self, shown: str) -> bool:
        """Say whether a tool is not in what the template wrote."""
        ...

    def tool_texts(self) -> Iterable[str] | None:
        """Return the texts that tools are made of; None where there is an added token in them."""
        ...


class Summing:
    """Counts one conversation; `message` gives a message by its number, which is seldom asked for."""

    __slots__ = ("_message", "_pattern", "_rendering", "_surroundings", "_traits")

    def __init__(
        self,
        pattern: Pattern,
        rendering: Rendering,
        message: Callable[[int], Message],
        surroundings: Surroundings,
        traits: Traits,
    ) -> None:
        self._pattern = pattern
        self._rendering = rendering
        self._message = message
        self._surroundings = surroundings
        self._traits = traits

    def conversation(self, last: Turn) -> Composed | None:
        """Return the count; None where a message stands where none like it was met.

        Raises:
            Uncountable: the tokenizer refuses a text.
        """
        tokens = hidden = from_end = 0
        pattern, surroundings = self._pattern, self._surroundings
        following = surroundings.end
        turn: Turn | None = last
        marks: list[tuple[Turn, Hashable, int, int]] = []
        while turn is not None:
            if from_end >= NEAREST:
                known = turn.sums.get((pattern, following))
                if known is not None:
                    tokens, hidden = tokens + known.tokens, hidden + known.hidden
                    break
                if from_end < _REUSED:
                    marks.append((turn, (pattern, following), tokens, hidden))
            entry = pattern.entry((turn.standing, min(from_end, NEAREST), following))
            if entry is None:
                return None
            tokens += self._tokens(turn, entry.cell)
            if from_end == 0:
                tokens += self._tail_tokens(entry)
            hidden += entry.hidden
            following = surroundings.before(following, turn.standing.shape)
            turn, from_end = turn.before, from_end + 1
        for marked, follows, tokens_after, hidden_after in marks:
            remember(marked.sums, follows, Composed(tokens - tokens_after, hidden - hidden_after))
        return Composed(tokens, hidden, pattern.hides_tools)

    def cells(self, last: Turn, number: int) -> list[Cell | None]:
        """Return the cells of the last messages, from the last one back."""
        cells: list[Cell | None] = []
        following = self._surroundings.end
        turn: Turn | None = last
        while turn is not None and len(cells) < number:
            entry = self._pattern.entry((turn.standing, min(len(cells), NEAREST), following))
            cells.append(entry.cell if entry is not None else None)
            following = self._surroundings.before(following, turn.standing.shape)
            turn = turn.before
        return cells

    def tail(self, last: Turn) -> tuple[str, int]:
        """Return what follows the last message's texts, and its tokens."""
        entry = self._entry(last)
        return entry.tail, self._tail_tokens(entry)

    def last(self, last: Turn) -> tuple[str, int]:
        """Return what is written for the last message and after it, and its tokens."""
        entry = self._entry(last)
        return self._text(last, entry.cell) + entry.tail, self._tokens(last, entry.cell) + self._tail_tokens(entry)

    def text(self, last: Turn) -> str | None:
        """Return what the template is held to write; None where that is not known."""
        entries = [self._pattern.entry(place) for place in places_of(last, self._surroundings)]
        texts = [self._text(turn, entry.cell) for turn, entry in zip(turns_of(last), entries, strict=True) if entry]
        return "".join(texts) + entries[-1].tail if entries[-1] and None not in entries else None

    def _entry(self, last: Turn) -> Entry:
        entry = self._pattern.entry((last.standing, 0, self._surroundings.end))
        if entry is None:
            raise LookupError("the conversation was not counted")
        return entry

    def _tail_tokens(self, entry: Entry) -> int:
        if not entry.tail:
            return 0
        tokens = self._pattern.tails.get(entry.tail)
        if tokens is None:
            tokens = self._rendering.count(entry.tail)
            remember(self._pattern.tails, entry.tail, tokens)
        return tokens

    def _tokens(self, turn: Turn, cell: Cell) -> int:
        key = (cell, *[_other(turn, place) for place in cell.foreign]) if cell.foreign else cell
        tokens = turn.counts.get(key)
        if tokens is None:
            tokens = self._rendering.count(self._text(turn, cell))
            remember(turn.counts, key, tokens)
        return tokens

    def _text(self, turn: Turn, cell: Cell) -> str:
        return "".join([piece if isinstance(piece, str) else self._written(turn, piece) for piece in cell.pieces])

    def _written(self, turn: Turn, ref: Ref) -> str:
        turn = turn if ref.message == 0 else _other(turn, ref.message)
        if turn.values is None:
            turn.values = take_apart(self._message(turn.number), self._traits).values
        return ref.writing(turn.values[ref.slot])


def _other(turn: Turn, place: int | None) -> Turn:
    """Return another message of a conversation: so many before one, or the first."""
    while turn.before is not None and place != 0:
        turn, place = turn.before, place if place is None else place + 1
    return turn


def remember(memory: dict[Any, Any], key: Hashable, value: Any) -> None:
    """Keep a value in a memory of a few."""
    if len(memory) >= _MOST_COUNTS:
        memory.clear()
    memory[key] = value
