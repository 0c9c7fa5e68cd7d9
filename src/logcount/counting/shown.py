"""Tells whether a rendered conversation shows all that it was made of: what a template leaves out is a doubt.

Law: linear in the length of the conversation, which is why the texts are looked for one after the other.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_NEAR = 10_000
"""Characters after one text within which the next begins, in a template that keeps the order of messages."""
_IN_VAIN = 100
"""Looks through all of a conversation that may find nothing: no template moves more than a few texts."""


def shows_messages(shown: str, messages: Sequence[Mapping[str, Any]], thought_end: str) -> bool:
    """Say whether every message is there, and every tool call by its name.

    Of what the assistant said, that is enough which follows a thought: templates forget earlier thoughts.
    """
    # Some templates put what the operator says elsewhere, such as before the user's last words.
    operator, others = _Reader(shown), _Reader(shown)
    for message in messages:
        role = message.get("role")
        reader = operator if role in ("system", "developer") else others
        ends = thought_end if role == "assistant" else None
        if not all(reader.finds(text, ends) for text in _texts(message)):
            return False
    return True


def shows_tools(shown: str, tools: Sequence[Any] | None) -> bool:
    """Say whether every tool is there by its name."""
    reader = _Reader(shown)
    return all(reader.finds(name, None) for name in tool_names(tools))


def tool_names(tools: Sequence[Any] | None) -> list[str]:
    """Return the names of tools or tool calls, which a template that takes them writes out."""
    names = (function_of(tool).get("name") for tool in tools or ())
    return [name for name in names if isinstance(name, str)]


def function_of(tool: Any) -> Mapping[str, Any]:
    """Return the function of a tool or tool call; an empty one where there is none."""
    function = tool.get("function", tool) if isinstance(tool, dict) else None
    return function if isinstance(function, dict) else {}


def _texts(message: Mapping[str, Any]) -> Iterator[str]:
    """Give each text of a message that a template has to show."""
    content = message.get("content")
    if isinstance(content, str):
        yield content.strip()
    elif isinstance(content, list):
        yield from (
            part["text"].strip() for part in content if isinstance(part, dict) and isinstance(part.get("text"), str)
        )
    calls = message.get("tool_calls")
    if isinstance(calls, list):
        yield from tool_names(calls)


def _wordings(text: str, thought_end: str | None) -> list[str]:
    """Return a text in the other wordings that a template may give it: as JSON, and without a thought."""
    bodies = [text, text.rpartition(thought_end)[2].strip()] if thought_end and thought_end in text else [text]
    return [
        word
        for whole in bodies
        for word in (whole, json.dumps(whole, ensure_ascii=False)[1:-1], json.dumps(whole)[1:-1])
    ]


class _Reader:
    """Reads a rendered conversation from its beginning to its end, and finds no text in the same place twice."""

    def __init__(self, shown: str) -> None:
        self._shown = shown
        self._position = 0
        self._ends: dict[str, int] = {}
        self._in_vain = 0

    def finds(self, text: str, thought_end: str | None) -> bool:
        """Find a text after the one that was found last, else anywhere where it was not found before."""
        earliest = self._ends.get(text, 0)
        start = max(self._position, earliest)
        found = self._shown.find(text, start, start + _NEAR + len(text))
        if found >= 0:
            self._position = self._ends[text] = found + len(text)
            return True
        wordings = _wordings(text, thought_end)
        return (
            self._reaches(wordings, start, start + _NEAR)
            or self._reaches(wordings, start, len(self._shown))
            or self._reaches(wordings, earliest, start)
        )

    def _reaches(self, wordings: list[str], start: int, begins_before: int) -> bool:
        if self._in_vain > _IN_VAIN:
            return False
        for wording in wordings:
            found = self._shown.find(wording, start, begins_before + len(wording))
            if found >= 0:
                self._position = self._ends[wordings[0]] = found + len(wording)
                return True
        self._in_vain += begins_before - start > _NEAR
        return False
