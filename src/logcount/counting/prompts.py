"""Counts prompts, and writes answers after them: composed of what is known of their messages, else rendered whole."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any, cast

from logcount.bodies.threads import Said, Thread
from logcount.counting.composer import Composer, Scene
from logcount.counting.composition import Composed
from logcount.counting.shapes import Shapeless
from logcount.counting.shown import shows_messages, shows_tools

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
    from datetime import datetime

    from logcount.content import Chat
    from logcount.counting.shapes import Message
    from logcount.counting.surroundings import Turn
    from logcount.counting.tokenizer import Tokenizer
    from logcount.traits import Traits

_WHOLE_ONLY = frozenset({"documents", "continue_final_message"})
"""Options that change the conversation itself."""
_NOT_COMPOSED = (Shapeless, TypeError, ValueError, RecursionError)
"""What messages, tools and options raise that are no JSON, or too deep."""
_MOST_SCENES = 128
"""Sets of tools and options that are found without writing them out again."""


class Prompts:
    """Counts prompts with one tokenizer and its template.

    `prepare` makes of a message what servers hand to the template; `thought_end` says what it writes after a thought.
    """

    def __init__(
        self, tokenizer: Tokenizer, prepare: Callable[[Mapping[str, Any]], Message], thought_end: Callable[[Chat], str]
    ) -> None:
        self._tokenizer = tokenizer
        self._prepare = prepare
        self._thought_end = thought_end
        self._composers: dict[Traits, Composer] = {}
        self._traits: dict[bool, Traits] = {}
        self._scenes: dict[Hashable, tuple[Sequence[Any] | None, Scene]] = {}

    def count(self, chat: Chat, date: datetime) -> Composed:
        """Count a prompt, and what the template leaves out of it.

        Raises:
            Uncountable: the template or the tokenizer refuses it.
        """
        composer = self._composer(chat, date)
        if composer is not None:
            with suppress(*_NOT_COMPOSED):
                last = self._last(composer, chat.messages)
                composed = composer.count(
                    self._scene(composer, chat, date, open_reply=chat.open_reply), last, self._message(chat)
                )
                if composed is not None:
                    return composed
        return self._whole(chat, date)

    def answer(self, chat: Chat, said: Message, date: datetime) -> str | None:
        """Return what the template writes for an answer after the prompt; None where that cannot be told apart.

        Raises:
            Uncountable: the template refuses it.
        """
        said = self._prepare(said)
        composer = self._composer(chat, date)
        if composer is not None:
            with suppress(*_NOT_COMPOSED):
                last = self._last(composer, chat.messages)
                opened, closed = (
                    self._scene(composer, chat, date, open_reply=True),
                    self._scene(composer, chat, date, open_reply=False),
                )
                turn, message = composer.turn(last, said), self._message(chat, said)
                written = composer.answer(opened, closed, last, turn, message)
                if written is not None:
                    return written
        messages = [self._prepare(message) for message in chat.messages]
        before = _Rendering(self._tokenizer, chat, date, open_reply=True).render(messages)
        after = _Rendering(self._tokenizer, chat, date, open_reply=False).render([*messages, said])
        return after[len(before) :] if after.startswith(before) else None

    def _whole(self, chat: Chat, date: datetime) -> Composed:
        rendering = _Rendering(self._tokenizer, chat, date, open_reply=chat.open_reply)
        messages = [self._prepare(message) for message in chat.messages]
        shown = rendering.render(messages)
        hidden = not shows_messages(shown, messages, self._thought_end(chat))
        return Composed(rendering.count(shown), hidden, rendering.hides_tools(shown))

    def _composer(self, chat: Chat, date: datetime) -> Composer | None:
        """Return what composes such a conversation, if anything does."""
        if not _WHOLE_ONLY.isdisjoint(chat.options) or not chat.messages:
            return None
        traits = self._traits.get(bool(chat.tools))
        if traits is None:
            traits = self._traits[bool(chat.tools)] = self._tokenizer.traits(chat.tools)
        composer = self._composers.get(traits)
        if composer is None:
            rendering = _Rendering(self._tokenizer, chat, date, open_reply=chat.open_reply)
            composer = self._composers[traits] = Composer(traits, self._thought_end(chat), rendering)
        return composer if composer.trusted and traits.options.isdisjoint(chat.options) else None

    def _scene(self, composer: Composer, chat: Chat, date: datetime, *, open_reply: bool) -> Scene:
        """Return the scene of a conversation; tools that a client repeats are one object, by which it is found."""
        options = json.dumps(chat.options, sort_keys=True) if chat.options else ""
        dates = tuple([date.strftime(form) for form in composer.dates])
        key = id(chat.tools), options, open_reply, dates, composer
        known = self._scenes.get(key)
        if known is None or known[0] is not chat.tools:
            if len(self._scenes) >= _MOST_SCENES:
                self._scenes.clear()
            tools = json.dumps(chat.tools) if chat.tools else ""
            rendering = _Rendering(self._tokenizer, chat, date, open_reply=open_reply)
            known = self._scenes[key] = chat.tools, composer.scene(tools, (options, open_reply, dates), rendering)
        return known[1]

    def _message(self, chat: Chat, *more: Message) -> Callable[[int], Message]:
        number = len(chat.messages)
        return lambda place: self._prepare(chat.messages[place]) if place < number else more[place - number]

    def _last(self, composer: Composer, messages: Sequence[Any]) -> Turn:
        """Return the last message in its place, made of those before it that were not met yet."""
        if not isinstance(messages, Thread):
            turn = None
            for message in messages:
                turn = composer.turn(turn, self._prepare(message))
            return cast("Turn", turn)
        fresh = []
        said: Said | None = messages.last
        while said is not None and said.counter is not composer:
            fresh.append(said)
            said = said.before
        turn = said.counted if said is not None else None
        for new in reversed(fresh):
            turn = composer.turn(turn, self._prepare(messages[new.number]))
            new.counter, new.counted = composer, turn
        return cast("Turn", turn)


class _Rendering:
    """A template under one set of tools and options, and its tokenizer."""

    def __init__(self, tokenizer: Tokenizer, chat: Chat, date: datetime, *, open_reply: bool) -> None:
        self._tokenizer = tokenizer
        self._tools = chat.tools
        self._options = chat.options
        self._date = date
        self._open_reply = open_reply
        self.count = tokenizer.count
        self.seams = tokenizer.firm_seams
        self._any_seams = tokenizer.seams
        self.distrust = tokenizer.distrust_template

    def render(self, messages: list[Message]) -> str:
        """Return what the template writes."""
        return self._tokenizer.render(
            messages, tools=self._tools, open_reply=self._open_reply, options=self._options, date=self._date
        )

    def hides_tools(self, shown: str) -> bool:
        """Say whether a tool is not in what the template wrote."""
        return not shows_tools(shown, self._tools)

    def tool_texts(self) -> frozenset[str] | None:
        """Return the texts that the tools are made of, but for the words of their schema.

        None where there is an added token in them: then nobody knows where what is written of them is cut.
        """
        if self._any_seams(json.dumps(self._tools, ensure_ascii=False)) != []:
            return None
        return frozenset(_texts(self._tools)) - _SCHEMA_WORDS


_SCHEMA_WORDS = frozenset(
    {
        *("type", "function", "name", "description", "parameters", "properties", "required", "items", "enum", "strict"),
        *("object", "string", "integer", "number", "boolean", "array", "null", "default", "additionalProperties", ""),
    }
)


def _texts(value: Any) -> Iterator[str]:
    """Give every text in a JSON value, keys among them."""
    if isinstance(value, str):
        yield value
    parts = [*value.keys(), *value.values()] if isinstance(value, dict) else value
    for part in parts if isinstance(parts, list) else ():
        yield from _texts(part)
