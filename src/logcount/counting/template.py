"""Counts conversations through a model's chat template: the prompt, and the turn that the model added to it.

Law: a template is never guessed at. What it does with content parts, roles and reasoning is found out by rendering
small probes once; what it leaves out of a conversation is a doubt of the count.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from logcount.bounded import BoundedCache
from logcount.counting.harmony import count_turn, speaks_harmony
from logcount.counting.prompts import UNDATED, Message, Prompts
from logcount.counting.shown import function_of, shows_tools
from logcount.counting.side import Side, stop_tokens, uncounted_parts, unknown
from logcount.errors import Uncountable
from logcount.model.content import Chat, Finish, Reply

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime

    from logcount.ports import Tokenizer

_TURNS_ROOM = 2**20
"""Bytes for how replies are written, by template options: callers choose them, and could choose new ones each time."""

_MOST_OPTIONS = 10_000
"""Values in a request's template options, at every level; real ones are a few switches."""

_LONGEST_OPTIONS = 2**18
"""Characters of text in them: 256 Ki, room for a system prompt that travels as an option."""

_TOO_LARGE = "the request's template options are too many or too long"

_OF_THE_PROMPT = frozenset({"documents"})
"""Template options that no reply depends on: they hold megabytes, and are others in every call."""

_THOUGHT_END = "</think>"


@dataclass(frozen=True, slots=True)
class _Turn:
    """How a template writes the assistant's turn after the prompt."""

    closing: str
    """What follows the reply: the stop token, and perhaps white space."""
    opening: str
    """What stands before a reply without reasoning: nothing, or the sign that there was none."""
    after_thinking: str
    """What stands between reasoning and reply: found in a text, it was never taken apart."""


@dataclass(frozen=True, slots=True)
class _Look:
    """What one look at a request's template options says, for its prompt and all of its replies."""

    chat: Chat
    too_large: bool
    turn: _Turn | None = None
    refusal: str | None = None
    """Why it is not known how a reply is written, if it is not."""


def _is_large(options: Mapping[str, Any]) -> bool:
    """Say whether there is more in options than any template asks for; looks at no more of them than may be there."""
    pending = [value for name, value in options.items() if name not in _OF_THE_PROMPT]
    values, characters = len(options), 0
    while pending and values <= _MOST_OPTIONS and characters <= _LONGEST_OPTIONS:
        value = pending.pop()
        if isinstance(value, str):
            characters += len(value)
            continue
        inner = _values_in(value)
        values += len(inner)
        if values <= _MOST_OPTIONS:
            pending.extend(inner)
    return values > _MOST_OPTIONS or characters > _LONGEST_OPTIONS


def _values_in(value: Any) -> Collection[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list | tuple) else ()


def _turn_size(_key: bytes, entry: tuple[_Turn | None]) -> int:
    turn = entry[0]
    return 400 + (4 * len(turn.closing + turn.opening + turn.after_thinking) if turn else 0)


class ChatCounter:
    """Counts chats with one tokenizer, and remembers what its template does."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self.tokenizer = tokenizer
        self._turns: BoundedCache[bytes, tuple[_Turn | None]] = BoundedCache(_TURNS_ROOM, _turn_size)
        self._look: _Look | None = None
        self._harmony: bool | None = None
        self._prompts = Prompts(tokenizer)

    def prompt(self, chat: Chat, date: datetime | None) -> Side:
        """Count the prompt: the rendered conversation, up to where the model begins to speak."""
        look = self._look_at(chat)
        if look.too_large:
            return unknown(_TOO_LARGE)
        thought_end = look.turn.after_thinking if look.turn else ""
        try:
            counted = self._prompts.count(chat, date or UNDATED, thought_end or _THOUGHT_END)
        except Uncountable as error:
            return unknown(str(error))
        doubts = uncounted_parts(chat.missing, "prompt")
        if counted.hides_message:
            doubts |= {"the chat template leaves out a message"}
        if counted.hides_tools:
            doubts |= {"the chat template leaves out the tools"}
        return Side(counted.tokens, doubts)

    def reply(self, chat: Chat, reply: Reply, date: datetime | None) -> Side:
        """Count what the model wrote in answer: its visible output and its stop token."""
        look = self._look_at(chat)
        if look.too_large:
            return self._bare(reply, _TOO_LARGE)
        try:
            if self.speaks_harmony():
                return count_turn(self.tokenizer, reply)
            if chat.forced and reply.tool_calls:
                return self._bare(reply, "the model was made to call a tool in the server's own form")
            if look.turn is None:
                return self._bare(reply, look.refusal or "the chat template does not show a reply")
            if not (reply.tool_calls or reply.reasoning):
                return self._plain(reply, look.turn)
            return self._written(chat, reply, look.turn, date)
        except Uncountable as error:
            return self._bare(reply, str(error))

    def forget(self) -> None:
        """Let go of the prompt that was counted last; its replies were counted, too."""
        self._look = None
        self._prompts.forget()

    def speaks_harmony(self) -> bool:
        """Say whether the model writes gpt-oss's harmony format."""
        if self._harmony is None:
            self._harmony = speaks_harmony(self.tokenizer, self._prompts.attempt([{"role": "user", "content": "Qa"}]))
        return self._harmony

    def _plain(self, reply: Reply, turn: _Turn) -> Side:
        side = Side(self.tokenizer.count(reply.text) + stop_tokens(reply.finish))
        inline = bool(turn.after_thinking) and turn.after_thinking in reply.text
        return (
            side if inline or not turn.opening else replace(side, doubts=uncounted_parts(["hidden reasoning"], "reply"))
        )

    def _written(self, chat: Chat, reply: Reply, turn: _Turn, date: datetime | None) -> Side:
        """Count the turn as the template writes it, tool calls and reasoning in the model's own format."""
        if reply.tool_calls and reply.finish is Finish.LENGTH:
            return self._bare(reply, "a tool call is cut at the limit")
        written = self._turn_text(chat, reply, date)
        if written is None:
            return self._bare(reply, "the chat template writes replies in another way than it opens them")
        said = reply.text.strip() in written and reply.reasoning.strip() in written
        if not (said and shows_tools(written, reply.tool_calls)):
            return self._bare(reply, "the chat template leaves out a part of the reply")
        doubts = frozenset() if reply.reasoning or not turn.opening else uncounted_parts(["hidden reasoning"], "reply")
        if doubts:  # whether there was no thought, or one that is not shown, nobody knows
            written = written.removeprefix(turn.opening)
        if not (reply.text or reply.tool_calls) and reply.finish is Finish.LENGTH:
            thought = reply.reasoning.strip()  # cut while it was thinking: nothing closes the thought
            return Side(self.tokenizer.count(written.partition(thought)[0] + thought), doubts)
        if not written.endswith(turn.closing):
            # The model's own way to end a tool call may be another than the template's way to write it down.
            return Side(self.tokenizer.count(written), doubts | {"the chat template ends such a reply in its own way"})
        written = written.removesuffix(turn.closing)  # megabytes at times: one of them is enough
        return Side(self.tokenizer.count(written) + stop_tokens(reply.finish), doubts)

    def _turn_text(self, chat: Chat, reply: Reply, date: datetime | None) -> str | None:
        """Return what the template writes for the reply after the prompt; None where that cannot be told apart."""
        said: Message = {"role": "assistant", "content": reply.text}
        if reply.reasoning:
            said["reasoning_content"] = reply.reasoning
        if reply.tool_calls:
            said["tool_calls"] = reply.tool_calls
        return self._prompts.answer(chat, said, date or UNDATED)

    def _bare(self, reply: Reply, doubt: str) -> Side:
        """Count the visible text alone, a lower bound."""
        calls = (function.get("arguments") for function in map(function_of, reply.tool_calls))
        texts = [reply.reasoning, reply.text, *(text for text in calls if isinstance(text, str))]
        try:
            tokens = sum(self.tokenizer.count(text) for text in texts if text)
        except Uncountable as error:
            return unknown(str(error))
        return Side(tokens + stop_tokens(reply.finish), frozenset({doubt}))

    def _look_at(self, chat: Chat) -> _Look:
        """Look at the options of a request, once for its prompt and all of its replies."""
        if self._look is None or self._look.chat is not chat:
            self._look = self._looked(chat)
        return self._look

    def _looked(self, chat: Chat) -> _Look:
        if _is_large(chat.options):
            return _Look(chat, True)
        try:
            return _Look(chat, False, self._turn(chat))
        except Uncountable as error:
            return _Look(chat, False, refusal=str(error))

    def _turn(self, chat: Chat) -> _Turn | None:
        """Return how the template writes a reply under these options; found out once for each set of them."""
        options = {name: value for name, value in chat.options.items() if name not in _OF_THE_PROMPT}
        try:
            key = sha256(json.dumps(options, sort_keys=True, default=str).encode()).digest()
        except (TypeError, ValueError, RecursionError):  # from callers in Python, too: keys of two kinds, a circle
            raise Uncountable("the request's template options are no JSON, or nested too deeply") from None
        known = self._turns.get(key)
        if known is None:
            known = (self._probe(options),)
            self._turns.put(key, known)
        return known[0]

    def _probe(self, options: Mapping[str, Any]) -> _Turn | None:
        bare = Chat([{"role": "user", "content": "Qa"}], options=options)
        opened = self._render(bare, list(bare.messages), None, open_reply=True)
        bodies = self._probed(bare, opened, {"content": "Rb"})
        if bodies is None or "Rb" not in bodies:
            return None
        before, _, closing = bodies.partition("Rb")
        thought = self._probed(bare, opened, {"content": "Rb", "reasoning_content": "Tc"}) or ""
        between = thought.partition("Tc")[2].partition("Rb")[0].strip()
        return _Turn(closing, before.strip() and before, between)

    def _probed(self, chat: Chat, opened: str, said: Message) -> str | None:
        messages = [*chat.messages, {"role": "assistant", **said}]
        closed = self._render(chat, messages, None, open_reply=False)
        return closed[len(opened) :] if closed.startswith(opened) else None

    def _render(
        self, chat: Chat, messages: Sequence[Mapping[str, Any]], date: datetime | None, *, open_reply: bool
    ) -> str:
        return self.tokenizer.render(
            messages, tools=chat.tools, open_reply=open_reply, options=chat.options, date=date or UNDATED
        )
