"""Counts conversations with one chat template, message by message where that is proven to give the same.

What is known of a template grows with the patterns that it is shown. It is trusted after a trial: conversations that
were made up are composed, and must be what the template writes to the character. From then on one in a thousand is
rendered as a whole, too.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol, cast

from logcount.counting.composition import (
    NEAREST,
    Cell,
    Composed,
    Entry,
    Pattern,
    Ref,
    Turn,
    Unlearnable,
    beside,
    lesson,
    place_of,
    places_of,
    turns_of,
)
from logcount.counting.markers import MARKED
from logcount.counting.shapes import Kind, Shape, Shapeless, Taken, take_apart
from logcount.counting.trial import conversations
from logcount.errors import Uncountable

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Sequence

    from logcount.counting.composition import Place
    from logcount.counting.shapes import Message
    from logcount.traits import Traits

_AUDITED = 1000
"""One in so many composed conversations is rendered as a whole."""
_MOST_PATTERNS = 64
"""Sets of tools and options whose patterns are remembered: callers choose them, and could choose new ones each time."""
_MOST_PLACES = 20_000
"""Places of one pattern that are remembered."""
_MOST_SHAPES = 20_000
_MOST_COUNTS = 16
"""Cells of one message, and sums up to it, that are remembered."""
_PATIENCE = 20
"""Lessons that may fail before there was one that did not."""
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

    def hides_tools(self, shown: str) -> bool:
        """Say whether a tool is not in what the template wrote."""
        ...

    def tool_texts(self) -> Iterable[str]:
        """Return the texts that tools are made of: what holds none of them is the same whatever the tools are."""
        ...


@dataclass(frozen=True, slots=True)
class Scene:
    """A set of tools and options, by which patterns are told apart, and the template under them."""

    tools: Hashable
    options: Hashable
    rendering: Rendering


class Composer:
    """Counts with one template, whose traits are known."""

    def __init__(self, traits: Traits, thought_end: str, rendering: Rendering) -> None:
        self._traits = traits
        self._thought_end = thought_end
        self._patterns: dict[Hashable, Pattern] = {}
        self._shapes: dict[Hashable, Shape] = {}
        self._shared: dict[Hashable, dict[Place, Entry]] = {}
        self._entries: dict[Entry, Entry] = {}
        self._cells: dict[tuple[str | Ref, ...], Cell] = {}
        self._composed = 0
        self.trusted = traits.opaque is None and all(map(traits.is_plain, MARKED))
        """Whether the template was not found to be other than it is taken for."""
        if self.trusted and not self._passes(rendering):
            # Many templates write the arguments of a call one by one.
            self._traits = replace(traits, takes_arguments_apart=True)
            self._shapes.clear()
            self.trusted = self._passes(rendering)

    def turn(self, before: Turn | None, message: Message) -> Turn:
        """Return a message in its place.

        Raises:
            Shapeless: it is one that is not composed.
        """
        taken = take_apart(message, self._traits)
        return Turn(before, self._shape(taken), taken.values, parity=self._traits.parity)

    def count(self, scene: Scene, last: Turn, message: Callable[[int], Message]) -> Composed | None:
        """Count a conversation, given its last message; None where it has to be rendered as a whole.

        `message` gives a message by its number.

        Raises:
            Uncountable: the tokenizer refuses a text.
        """
        counted = self._counted(scene, last, message) if self.trusted else None
        if counted is None:
            return None
        self._composed += 1
        if self._composed % _AUDITED == 0 and not self._confirms(last, message, scene.rendering, counted[1]):
            return None
        last.forget()
        return counted[1]

    def answer(
        self, opened: Scene, closed: Scene, last: Turn, said: Turn, message: Callable[[int], Message]
    ) -> str | None:
        """Return what the template writes for an answer after all that it wrote before; None where nobody knows.

        `opened` is the scene of the prompt, `closed` that of a conversation that ends with the answer.
        """
        before = self._counted(opened, last, message) if self.trusted else None
        after = self._counted(closed, said, message) if before is not None else None
        if before is None or after is None:
            return None
        (counting, asked), (recounting, whole) = before, after
        tail, turn = counting.tail(last), recounting.own_text(said)
        count = opened.rendering.count
        same = asked.tokens - count(tail) == whole.tokens - recounting.own_tokens(said)
        return turn[len(tail) :] if same and turn.startswith(tail) else None

    def _counted(
        self, scene: Scene, last: Turn, message: Callable[[int], Message]
    ) -> tuple[_Counting, Composed] | None:
        pattern = self._pattern(scene.tools, scene.options)
        counting = _Counting(pattern, message, scene.rendering, self._traits)
        composed = counting.conversation(last)
        if composed is None and self._learn(pattern, last, message, scene.rendering):
            composed = counting.conversation(last)
        return None if composed is None else (counting, composed)

    def _learn(self, pattern: Pattern, last: Turn, message: Callable[[int], Message], rendering: Rendering) -> bool:
        """Learn the places of a conversation from the template; say whether that was possible."""
        if pattern.failures > _PATIENCE + pattern.lessons or len(pattern.entries) + len(pattern.shared) > _MOST_PLACES:
            return False
        if self._take_lesson(pattern, last, message, rendering):
            pattern.lessons += 1
            return True
        pattern.failures += 1
        return False

    def _take_lesson(
        self, pattern: Pattern, last: Turn, message: Callable[[int], Message], rendering: Rendering
    ) -> bool:
        try:
            places, turns = places_of(last), turns_of(last)
            messages = [message(number) for number in range(len(turns))]
            learned, shown = lesson(messages, turns, rendering.render, rendering.seams, self._thought_end)
        except (Unlearnable, Uncountable):
            return False
        pattern.hides_tools = pattern.hides_tools or rendering.hides_tools(shown)
        texts = [text for text in rendering.tool_texts() if text in shown]
        for place, entry in zip(places, map(self._same, learned), strict=True):
            alone = pattern.hides_tools or entry.holds_any(texts)
            entries = pattern.entries if alone else pattern.shared
            if entries.setdefault(place, entry) is not entry:
                self.trusted = False
        return self.trusted

    def _passes(self, rendering: Rendering) -> bool:
        """Compose made-up conversations, and see that each is what the template writes."""
        pattern = Pattern()
        for messages in conversations():
            try:
                last = self._last(messages)
                shown = rendering.render(messages)
            except (Shapeless, Uncountable):
                continue
            counting = _Counting(pattern, messages.__getitem__, rendering, self._traits)
            if counting.text(last) is None and not self._take_lesson(pattern, last, messages.__getitem__, rendering):
                if not self.trusted or _has_arguments(last):
                    return False
            elif counting.text(last) != shown:
                return False
        return True

    def _last(self, messages: Iterable[Message]) -> Turn:
        turn = None
        for message in messages:
            turn = self.turn(turn, message)
        if turn is None:
            raise Shapeless
        return turn

    def _confirms(
        self, last: Turn, message: Callable[[int], Message], rendering: Rendering, composed: Composed
    ) -> bool:
        shown = rendering.render([message(number) for number in range(last.number + 1)])
        self.trusted = rendering.count(shown) == composed.tokens
        return self.trusted

    def _pattern(self, tools: Hashable, options: Hashable) -> Pattern:
        pattern = self._patterns.get((tools, options))
        if pattern is None:
            if len(self._patterns) >= _MOST_PATTERNS:
                self._patterns.clear()
                self._shared.clear()
            shared = self._shared.setdefault((bool(tools), options), {})
            pattern = self._patterns[tools, options] = Pattern(shared)
        return pattern

    def _shape(self, taken: Taken) -> Shape:
        shape = self._shapes.get(taken.form)
        if shape is None:
            if len(self._shapes) >= _MOST_SHAPES:  # those in use stay what they are, and are learned anew
                self._shapes.clear()
            shape = self._shapes[taken.form] = Shape(taken.form, frozenset((taken.outline,)), taken.slots, taken.role)
        return shape

    def _same(self, entry: Entry) -> Entry:
        """Return the one object for an entry that was met before."""
        if len(self._entries) >= _MOST_SHAPES:
            self._entries.clear()
            self._cells.clear()
        cell = self._cells.setdefault(entry.cell.pieces, entry.cell)
        entry = Entry(cell, entry.hidden, entry.tail)
        return self._entries.setdefault(entry, entry)


def _has_arguments(last: Turn) -> bool:
    return any(slot.kind is Kind.JSON for turn in turns_of(last) for slot in turn.shape.slots)


class _Counting:
    """Counts one conversation by what is known of its pattern."""

    def __init__(
        self, pattern: Pattern, message: Callable[[int], Message], rendering: Rendering, traits: Traits
    ) -> None:
        self._pattern = pattern
        self._message = message
        self._rendering = rendering
        self._traits = traits

    def conversation(self, last: Turn) -> Composed | None:
        """Return the count; None where a message stands where none like it was met."""
        tokens = hidden = from_end = 0
        right: tuple[Shape, ...] = ()
        later: frozenset[Hashable] = frozenset()
        turn: Turn | None = last
        marks: list[tuple[Turn, Hashable, int, int]] = []
        while turn is not None:
            if from_end >= NEAREST:
                follows: Hashable = (self._pattern, right, later)
                known = turn.sums.get(follows)
                if known is not None:
                    tokens, hidden = tokens + known.tokens, hidden + known.hidden
                    break
                if from_end < _REUSED:
                    marks.append((turn, follows, tokens, hidden))
            entry = self._pattern.entry(place_of(turn, from_end, right, later))
            if entry is None:
                return None
            tokens += self._tokens(turn, entry.cell)
            if from_end == 0 and entry.tail:
                tokens += self._rendering.count(entry.tail)
            hidden += entry.hidden
            right, later = beside(turn.shape, right), later | turn.shape.outlines
            turn, from_end = turn.before, from_end + 1
        for marked, follows, tokens_after, hidden_after in marks:
            _remember(marked.sums, follows, Composed(tokens - tokens_after, hidden - hidden_after))
        return Composed(tokens, hidden, self._pattern.hides_tools)

    def tail(self, last: Turn) -> str:
        """Return what follows the last message's texts."""
        return self._last(last).tail

    def own_text(self, last: Turn) -> str:
        """Return what is written for the last message, and after it."""
        entry = self._last(last)
        return self._text(last, entry.cell) + entry.tail

    def own_tokens(self, last: Turn) -> int:
        """Return the tokens of that."""
        entry = self._last(last)
        return self._tokens(last, entry.cell) + (self._rendering.count(entry.tail) if entry.tail else 0)

    def _last(self, last: Turn) -> Entry:
        return cast("Entry", self._pattern.entry(place_of(last, 0, (), frozenset())))

    def text(self, last: Turn) -> str | None:
        """Return what the template is held to write; None where that is not known."""
        try:
            places = places_of(last)
        except Unlearnable:
            return None
        entries = [self._pattern.entry(place) for place in places]
        texts = [self._text(turn, entry.cell) for turn, entry in zip(turns_of(last), entries, strict=True) if entry]
        return "".join(texts) + entries[-1].tail if entries[-1] and None not in entries else None

    def _tokens(self, turn: Turn, cell: Cell) -> int:
        key = (cell, *self._others(turn, cell)) if cell.foreign else cell
        tokens = turn.counts.get(key)
        if tokens is None:
            tokens = self._rendering.count(self._text(turn, cell))
            _remember(turn.counts, key, tokens)
        return tokens

    def _others(self, turn: Turn, cell: Cell) -> list[Turn]:
        return [_other(turn, place) for place in cell.foreign]

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


def _remember(memory: dict[Hashable, Any], key: Hashable, value: Any) -> None:
    if len(memory) >= _MOST_COUNTS:
        memory.clear()
    memory[key] = value
