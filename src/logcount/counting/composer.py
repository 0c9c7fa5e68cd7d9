"""Counts conversations with one chat template, message by message where that is proven to give the same.

What is known of a template grows with the patterns that it is shown. It is trusted after a trial: conversations that
were made up are composed, and must be what the template writes to the character. From then on one in a thousand is
rendered as a whole, too.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from logcount.counting.composition import Entry, Pattern
from logcount.counting.lessons import Unlearnable, lesson
from logcount.counting.markers import MARKED
from logcount.counting.shapes import Kind, Shape, Shapeless, take_apart
from logcount.counting.summing import Summing
from logcount.counting.surroundings import Surroundings, TooFar, Turn, places_of, turns_of
from logcount.counting.trial import conversations
from logcount.errors import Uncountable

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable

    from logcount.counting.composition import Cell, Composed, Ref
    from logcount.counting.shapes import Message, Taken
    from logcount.counting.summing import Rendering
    from logcount.counting.surroundings import Place
    from logcount.traits import Traits

_AUDITED = 1000
"""One in so many composed conversations is rendered as a whole."""
_MOST_PATTERNS = 64
"""Sets of tools and options whose patterns are remembered: callers choose them, and could choose new ones each time."""
_MOST_PLACES = 20_000
"""Places of one pattern that are remembered."""
_MOST_SHAPES = 20_000
_COMPARED = 8
"""Messages before an answer that must be written alike with and without it, one by one; the others in their sum."""
_FIRST_LESSONS = 100
"""Lessons that are taken though fewer conversations were known than had to be learned."""
_LONGEST_LESSON = 400
"""Messages of a conversation beyond which nothing is learned from it."""
_PATIENCE = 20
"""Lessons that may fail before there was one that did not."""


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """A template under one set of tools and options, and what is known of it."""

    pattern: Pattern
    rendering: Rendering


class Composer:
    """Counts with one template, whose traits are known."""

    def __init__(self, traits: Traits, thought_end: str, rendering: Rendering) -> None:
        self._traits = traits
        self._thought_end = thought_end
        self._surroundings = Surroundings(parity=traits.parity)
        self._patterns: dict[Hashable, Pattern] = {}
        self._shared: dict[Hashable, dict[Place, Entry]] = {}
        self._shapes: dict[Hashable, Shape] = {}
        self._entries: dict[Entry, Entry] = {}
        self._cells: dict[tuple[str | Ref, ...], Cell] = {}
        self._latest: tuple[Scene, Turn, Composed] | None = None
        self._composed = 0
        self.dates = traits.dates
        """The forms in which the template writes the date."""
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
        return Turn(before, self._surroundings.standing(before, self._shape(taken)), taken.values)

    def scene(self, tools: Hashable, options: Hashable, rendering: Rendering) -> Scene:
        """Return what is known of the template under a set of tools and options, by which patterns are told apart."""
        pattern = self._patterns.get((tools, options))
        if pattern is None:
            if len(self._patterns) >= _MOST_PATTERNS:
                self._patterns.clear()
                self._shared.clear()
            alike = not tools or (self._traits.tools_apart and rendering.tool_texts() is not None)
            shared = self._shared.setdefault((bool(tools), options), {}) if alike else {}
            pattern = self._patterns[tools, options] = Pattern(shared)
        return Scene(pattern, rendering)

    def count(self, scene: Scene, last: Turn, message: Callable[[int], Message]) -> Composed | None:
        """Count a conversation, given its last message; None where it has to be rendered as a whole.

        `message` gives a message by its number.

        Raises:
            Uncountable: the tokenizer refuses a text.
        """
        composed = self._added_up(scene, last, message)
        if composed is None:
            return None
        self._composed += 1
        if self._composed % _AUDITED == 0 and not self._confirms(scene, last, message, composed):
            return None
        last.forget()
        self._latest = scene, last, composed
        return composed

    def answer(
        self, opened: Scene, closed: Scene, last: Turn, said: Turn, message: Callable[[int], Message]
    ) -> str | None:
        """Return what the template writes for an answer after all that it wrote before; None where nobody knows.

        `opened` is the scene of the prompt, `closed` that of a conversation that ends with the answer.

        Raises:
            Uncountable: the tokenizer refuses a text.
        """
        if self._latest is not None and self._latest[0] is opened and self._latest[1] is last:
            before: Composed | None = self._latest[2]
        else:
            before = self._added_up(opened, last, message)
        after = self._added_up(closed, said, message) if before is not None else None
        if before is None or after is None:
            return None
        open_sum, closed_sum = self._summing(opened, message), self._summing(closed, message)
        tail, tail_tokens = open_sum.tail(last)
        written, written_tokens = closed_sum.last(said)
        same = before.tokens - tail_tokens == after.tokens - written_tokens
        same = same and open_sum.cells(last, _COMPARED) == closed_sum.cells(said, _COMPARED + 1)[1:]
        return written[len(tail) :] if same and written.startswith(tail) else None

    def _summing(self, scene: Scene, message: Callable[[int], Message]) -> Summing:
        return Summing(scene.pattern, scene.rendering, message, self._surroundings, self._traits)

    def _added_up(self, scene: Scene, last: Turn, message: Callable[[int], Message]) -> Composed | None:
        """Return what a conversation comes to, after a lesson if its pattern is new."""
        if not self.trusted:
            return None
        summing = self._summing(scene, message)
        composed = summing.conversation(last)
        if composed is not None:
            scene.pattern.hits += 1
        elif self._learn(scene, last, message):
            composed = summing.conversation(last)
        return composed

    def _learn(self, scene: Scene, last: Turn, message: Callable[[int], Message]) -> bool:
        """Learn the places of a conversation from the template; say whether that was possible."""
        pattern = scene.pattern
        pattern.misses += 1
        if pattern.misses == 1 or last.number >= _LONGEST_LESSON:  # tools that are met only once are not worth it
            return False
        if pattern.lessons > pattern.hits + _FIRST_LESSONS:  # conversations of which each is unlike all others
            return False
        if pattern.failures > _PATIENCE + pattern.lessons or len(pattern.entries) + len(pattern.shared) > _MOST_PLACES:
            return False
        if self._take_lesson(scene, last, message):
            pattern.lessons += 1
            return True
        pattern.failures += 1
        return False

    def _take_lesson(self, scene: Scene, last: Turn, message: Callable[[int], Message]) -> bool:
        pattern, rendering = scene.pattern, scene.rendering
        try:
            places, turns = places_of(last, self._surroundings), turns_of(last)
            messages = [message(number) for number in range(len(turns))]
            learned, shown = lesson(messages, turns, rendering.render, rendering.seams, self._thought_end)
        except (TooFar, Unlearnable, Uncountable):
            return False
        pattern.hides_tools = pattern.hides_tools or rendering.hides_tools(shown)
        texts = rendering.tool_texts() if self._traits.tools_apart and not pattern.hides_tools else None
        texts = None if texts is None else [text for text in texts if text in shown]
        for place, entry in zip(places, map(self._same, learned), strict=True):
            alone = texts is None or entry.holds_any(texts)
            entries = pattern.entries if alone else pattern.shared
            if entries.setdefault(place, entry) is not entry:
                self._distrust(rendering)
        return self.trusted

    def _passes(self, rendering: Rendering) -> bool:
        """Compose made-up conversations, and see that each is what the template writes."""
        scene = Scene(Pattern({}), rendering)
        for messages in conversations():
            try:
                last = self._last(messages)
                shown = rendering.render(messages)
                known = self._summing(scene, messages.__getitem__).text(last)
            except (Shapeless, TooFar, Uncountable):
                continue
            if known is None and not self._take_lesson(scene, last, messages.__getitem__):
                if not self.trusted or _has_arguments(last):
                    return False
            elif self._summing(scene, messages.__getitem__).text(last) != shown:
                return False
        return True

    def _last(self, messages: Iterable[Message]) -> Turn:
        turn = None
        for message in messages:
            turn = self.turn(turn, message)
        if turn is None:
            raise Shapeless
        return turn

    def _confirms(self, scene: Scene, last: Turn, message: Callable[[int], Message], composed: Composed) -> bool:
        shown = scene.rendering.render([message(number) for number in range(last.number + 1)])
        if scene.rendering.count(shown) != composed.tokens:
            self._distrust(scene.rendering)
        return self.trusted

    def _distrust(self, rendering: Rendering) -> None:
        if self.trusted and self._composed:
            rendering.distrust(self._composed)
        self.trusted = False

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
    return any(slot.kind is Kind.JSON for turn in turns_of(last) for slot in turn.standing.shape.slots)
