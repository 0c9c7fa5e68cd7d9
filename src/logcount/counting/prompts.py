"""Prompts: a conversation is prepared as servers prepare it, rendered whole, and counted.

Law: what a template does with content parts and roles is found out by rendering small probes once; what it leaves out
of a conversation is a doubt of the count.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from logcount.counting.shown import shows_messages, shows_tools
from logcount.errors import Uncountable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from logcount.model.content import Chat
    from logcount.ports import Tokenizer

Message = dict[str, Any]

UNDATED = datetime(2026, 1, 1, tzinfo=UTC)
"""Stands in for the date of an exchange that has none, so that its count does not depend on today."""

_LONGEST_KEPT = 2**20
"""Characters of a rendered prompt that is kept until its replies are counted; a longer one is rendered again."""

_MOST_WRITTEN = 2**26
"""Characters that are rendered for one exchange, some seconds' work. Each choice with a thought or a call needs all of
the conversation again."""

_VALUE_COST = 1_000
"""Characters that take as long as a message does by itself, some 10 µs; an option is counted alike."""


@dataclass(frozen=True, slots=True)
class Counted:
    """What a prompt counts."""

    tokens: int
    hides_message: bool
    hides_tools: bool


class Prompts:
    """Counts prompts with one tokenizer and its template."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        self._takes_parts: bool | None = None
        self._takes_developer: bool | None = None
        self._latest: tuple[Chat, datetime, str] | None = None
        self._written = 0

    def count(self, chat: Chat, date: datetime, thought_end: str) -> Counted:
        """Count a prompt; `thought_end` is what the template writes after a thought.

        Raises:
            Uncountable: the template or the tokenizer refuses it.
        """
        self.forget()
        messages = self._prepared(chat)
        text = self._render(chat, messages, date, open_reply=chat.open_reply)
        hides_message = not shows_messages(text, messages, thought_end)
        return Counted(self._tokenizer.count(text), hides_message, not shows_tools(text, chat.tools))

    def answer(self, chat: Chat, said: Message, date: datetime) -> str | None:
        """Return what the template writes for an answer after the prompt; None where that cannot be told apart.

        Raises:
            Uncountable: the template refuses it.
        """
        if self._written > _MOST_WRITTEN:
            raise Uncountable("too many choices after so long a conversation")
        messages = self._prepared(chat)
        latest = self._latest
        if latest is not None and latest[0] is chat and latest[1] == date:
            before = latest[2]
        else:
            before = self._render(chat, messages, date, open_reply=True)
        after = self._render(chat, [*messages, self.prepare(said)], date, open_reply=False)
        return after[len(before) :] if after.startswith(before) else None

    def forget(self) -> None:
        """Let go of the prompt that was rendered last, and begin to add up what is rendered for the next exchange."""
        self._latest = None
        self._written = 0

    def attempt(self, messages: list[Message]) -> str:
        """Render a probe; nothing where the template refuses it."""
        try:
            return self._tokenizer.render(messages, date=UNDATED)
        except Uncountable:
            return ""

    def prepare(self, message: Mapping[str, Any]) -> Message:
        """Return a message as servers hand it to a template."""
        content = message.get("content")
        role = message.get("role")
        if type(message) is dict and type(content) is str and role != "developer" and "tool_calls" not in message:
            return message
        prepared = dict(message)
        if isinstance(content, list):
            prepared["content"] = self._parts(content)
        elif content is None:
            prepared["content"] = ""
        if role == "developer" and not self._shows_developer():
            prepared["role"] = "system"
        calls = message.get("tool_calls")
        if calls and isinstance(calls, list | tuple):
            prepared["tool_calls"] = [_with_parsed_arguments(call) for call in calls]
        else:
            prepared.pop("tool_calls", None)
        return prepared

    def _prepared(self, chat: Chat) -> list[Message]:
        return [self.prepare(message) for message in chat.messages]

    def _render(self, chat: Chat, messages: Sequence[Message], date: datetime, *, open_reply: bool) -> str:
        text = self._tokenizer.render(
            messages, tools=chat.tools, open_reply=open_reply, options=chat.options, date=date
        )
        self._written += len(text) + _VALUE_COST * (len(messages) + len(chat.options))
        if open_reply and len(text) <= _LONGEST_KEPT:
            self._latest = chat, date, text
        return text

    def _parts(self, content: list[Any]) -> Any:
        """Return content parts as they are where the template reads them, else their text, a line each."""
        texts = [part for part in content if isinstance(part, dict) and isinstance(part.get("text"), str)]
        if self._reads_parts():
            return [{**part, "type": "text"} for part in texts]
        return "\n".join(part["text"] for part in texts)

    def _reads_parts(self) -> bool:
        if self._takes_parts is None:
            parts = [{"type": "text", "text": "Pa"}, {"type": "text", "text": "Pb"}]
            shown = self.attempt([{"role": "user", "content": parts}])
            self._takes_parts = "Pa" in shown and "Pb" in shown and "'type'" not in shown and '"type"' not in shown
        return self._takes_parts

    def _shows_developer(self) -> bool:
        if self._takes_developer is None:
            shown = self.attempt([{"role": "developer", "content": "Dv"}, {"role": "user", "content": "Qa"}])
            self._takes_developer = "Dv" in shown
        return self._takes_developer


def _with_parsed_arguments(call: Any) -> Any:
    """Return a tool call with its arguments as an object: they travel as JSON text, and templates take objects."""
    function = call.get("function") if isinstance(call, dict) else None
    if not isinstance(function, dict) or not isinstance(function.get("arguments"), str):
        return call
    try:
        arguments = json.loads(function["arguments"] or "{}")
    except (ValueError, RecursionError):
        return call
    return {**call, "function": {**function, "arguments": arguments}}
