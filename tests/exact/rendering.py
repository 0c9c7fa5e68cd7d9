"""Compares texts, refusals and counts of prompts with `apply_chat_template` of a tokenizer that was loaded apart."""

from __future__ import annotations

import copy
import json
import random
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from exact.odd_talks import asked
from logcount.counting.template import ChatCounter
from logcount.errors import Uncountable
from logcount.model.content import Chat
from logcount.tokenizers import TransformersTokenizer

if TYPE_CHECKING:
    from collections.abc import Iterable

    from exact.odd_talks import Asked

DATE = datetime(2025, 2, 3, 4, 5, tzinfo=UTC)
_ADDRESS = re.compile(r"0x[0-9a-f]{6,}")
"""Where a template writes an object out, its place in memory is another each time."""
_TOLD = 3  # differences that are told of each template
_TAKEN = {"messages", "conversations", "tools", "chat_template", "add_generation_prompt", "tokenize"}


@dataclass
class Rendered:
    """What came of one template, or of several."""

    conversations: int = 0
    written: int = 0
    prompts: int = 0
    differences: int = 0
    examples: list[str] = field(default_factory=list)

    def add(self, other: Rendered) -> None:
        """Add what came of further conversations."""
        self.conversations += other.conversations
        self.written += other.written
        self.prompts += other.prompts
        self.differences += other.differences
        self.examples += other.examples

    def note(self, what: str, where: Any) -> None:
        """Take down a difference."""
        self.differences += 1
        if len(self.examples) < _TOLD:
            self.examples.append(f"{what}: {ascii(where)[:600]}")


class Pair:
    """A tokenizer as logcount has it, and the same one loaded apart, both under one template."""

    def __init__(self, loaded: Any, apart: Any, source: str | None) -> None:
        ours, self._reference = copy.copy(loaded), copy.copy(apart)
        if source is not None:
            ours.chat_template = self._reference.chat_template = source
        self._tokenizer = TransformersTokenizer(ours, name="ours")
        self._counter = ChatCounter(self._tokenizer)
        self._source = source

    def compare(self, number: int, seed: str) -> Rendered:
        """Compare so many conversations, drawn from a seed."""
        return self.compare_all(asked(number, random.Random(seed)))

    def compare_all(self, given: Iterable[Asked]) -> Rendered:
        """Compare conversations: their texts, their counts, and that nothing of them was changed."""
        result = Rendered()
        for one in given:
            result.conversations += 1
            before = copy.deepcopy(one)
            right = self._right(one)
            text = self._text(one)
            again = self._text(one)
            if one != before:
                result.note("changed", before)
            if _plain(text) != _plain(right) or _plain(again) != _plain(right):
                result.note(f"{ascii(right)[:300]} was written as {ascii(text)[:300]}", one)
            if right is not None:
                result.written += 1
                expected = len(self._reference.backend_tokenizer.encode(right, add_special_tokens=False).ids)
                if _ADDRESS.search(right) is None and self._tokenizer.count(right) != expected:
                    result.note("counted otherwise", right)
            self._compare_prompt(one, result)
        if any(template._fast is None and template._rendered for template in self._templates()):
            result.note("the faster renderer was dismissed", self._source)  # its audit hides a difference
        return result

    @property
    def is_fast(self) -> bool:
        """Whether the faster renderer writes: else the reference is compared with itself."""
        return all(template._fast is not None for template in self._templates())

    def _templates(self) -> Iterable[Any]:
        return self._tokenizer._renderer._templates.values()

    def _compare_prompt(self, one: Asked, result: Rendered) -> None:
        prepared = _prepared(one)
        if prepared is None:
            return
        result.prompts += 1
        right = self._right(prepared)
        side = self._counter.prompt(Chat(one.messages, one.tools, one.options, open_reply=one.open_reply), DATE)
        if right is None or _ADDRESS.search(right) is not None:
            expected = None if right is None else side.tokens
        else:
            expected = len(self._reference.backend_tokenizer.encode(right, add_special_tokens=False).ids)
        if side.tokens != expected:
            result.note(f"{expected} tokens were counted as {side.tokens}", one)

    def _text(self, one: Asked) -> str | None:
        try:
            return self._tokenizer.render(
                one.messages, tools=one.tools, open_reply=one.open_reply, options=one.options, date=DATE
            )
        except Uncountable:
            return None

    def _right(self, one: Asked) -> str | None:
        """Return what `apply_chat_template` writes, where now is that date."""
        from transformers.utils.chat_template_utils import _compile_jinja_template  # noqa: PLC0415  (heavy)

        options = {name: value for name, value in one.options.items() if name not in _TAKEN}
        try:
            source = self._reference.get_chat_template(tools=one.tools)
            names = _compile_jinja_template(source).environment.globals
        except Exception:  # it does not compile
            return None
        usual = names["strftime_now"]
        names["strftime_now"] = DATE.strftime
        try:
            return str(
                self._reference.apply_chat_template(
                    copy.deepcopy(one.messages),
                    tools=copy.deepcopy(one.tools),
                    add_generation_prompt=one.open_reply,
                    tokenize=False,
                    **options,
                )
            )
        except Exception:  # whatever a template raises is its refusal
            return None
        finally:
            names["strftime_now"] = usual  # what is compiled is shared with all of the process


def _plain(text: str | None) -> str | None:
    return text if text is None else _ADDRESS.sub("0x", text)


def _prepared(one: Asked) -> Asked | None:
    """Return a conversation as servers hand it to a template; None where that depends on the template."""
    messages = []
    for message in one.messages:
        ready = dict(message)
        calls = message.get("tool_calls")
        if message.get("role") == "developer" or isinstance(message.get("content"), list):
            return None
        if message.get("content") is None:
            ready["content"] = ""
        if calls:
            ready["tool_calls"] = [_with_object(call) for call in calls]
        else:
            ready.pop("tool_calls", None)
        messages.append(ready)
    return one._replace(messages=messages)


def _with_object(call: dict[str, Any]) -> dict[str, Any]:
    arguments = call["function"]["arguments"]
    if isinstance(arguments, str):
        try:
            arguments = json.loads(arguments or "{}")
        except ValueError:
            return call
    return {**call, "function": {**call["function"], "arguments": arguments}}
