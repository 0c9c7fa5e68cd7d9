"""Seeded traffic as a gateway logs it: native events of four kinds, from clients of several habits.

Multi-turn traffic is conversations that run side by side; each request repeats its whole history, and a third of them
carry tool definitions, tool calls and results. Single-shot prompts have a log-normal length with a median of 0.9 KB.
Long documents are questions over 4 to 32 thousand tokens of retrieved text. The fourth kind mixes these, with usage
reported. Keys stand in the order in which OpenAI's client writes them, values as its versions and others do.
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec
from answers import Message, Usage, chunks, compact, document

if TYPE_CHECKING:
    from random import Random

    from installed_text import InstalledText

Serialise = Callable[[Any], str]

TOOLS_SHARE = 0.34
"""Share of the applications of multi-turn traffic that use tools."""
STREAMED = {"multi-turn": 0.15, "single-shot": 0.25, "documents": 0.3, "growing": 0.0}
"""Share of the answers that come as server-sent events, at 290 bytes a token: chats stream, programs mostly do not."""
APPLICATIONS = 12
CONCURRENT = 24
"""Conversations that run side by side."""


def _pretty(value: Any) -> str:
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()


HABITS: tuple[tuple[float, Serialise], ...] = ((0.6, compact), (0.85, json.dumps), (1.0, _pretty))
"""How clients write JSON: without spaces, as `json.dumps` does in ASCII, or indented; the shares add up."""


@dataclass(frozen=True, slots=True)
class Logged:
    """An event, and what is known of it."""

    line: bytes
    messages: int
    tools: bool
    streamed: bool
    usage: Usage


@dataclass
class Application:
    """Whoever calls: one way to write, one system prompt, one set of tools."""

    name: str
    write: Serialise
    system: str
    tools: list[dict[str, Any]]


@dataclass
class Conversation:
    """A history that grows by a question and an answer, or by a call and its result."""

    application: Application
    left: int
    messages: list[Message] = field(default_factory=list)
    pending: int = 0
    """Calls of tools until the model answers in words."""


class Traffic:
    """Makes events of one model; the same seed and machine make the same ones."""

    def __init__(self, text: InstalledText, model: str, *, reported: bool = False, tools: bool = True) -> None:
        self._text = text
        self._random: Random = text.random
        self.model = model
        self._reported = reported
        self._tools_share = TOOLS_SHARE if tools else 0.0
        self._number = 0
        self._applications = [self._application(number) for number in range(APPLICATIONS)]

    def multi_turn(self) -> Iterator[Logged]:
        """Return requests of agents and chats: 19 messages and 24 KB in the mean, nine tenths of it said before."""
        running = [self._started(begun=True) for _ in range(CONCURRENT)]
        while True:
            place = self._random.randrange(CONCURRENT)
            yield self._turn(running[place])
            if running[place].left <= 0:
                running[place] = self._started(begun=False)

    def single_shot(self) -> Iterator[Logged]:
        """Return requests of one question each, some with a short system prompt."""
        while True:
            application = self._random.choice(self._applications)
            asked = [{"role": "user", "content": self._text.write(self._length(900, 1.0, 8_000))}]
            if self._random.random() < 0.5:
                asked.insert(0, {"role": "system", "content": application.system[:300]})
            yield self._event(application, asked, self._said(self._length(300, 0.8, 4_000)), "single-shot")

    def documents(self) -> Iterator[Logged]:
        """Return questions over retrieved pieces of text, 16 to 128 KB of them."""
        while True:
            application = self._random.choice(self._applications)
            wanted = int(math.exp(self._random.uniform(math.log(16_000), math.log(128_000))))
            pieces: list[str] = []
            while sum(map(len, pieces)) < wanted:
                pieces.append(f"[{len(pieces) + 1}] {self._text.write(self._length(1_600, 0.4, 6_000))}")
            question = f"{self._text.prose(120)}\n\nContext:\n\n" + "\n\n".join(pieces)
            asked = [{"role": "system", "content": application.system}, {"role": "user", "content": question}]
            yield self._event(application, asked, self._said(self._length(500, 0.6, 4_000)), "documents")

    def mixed(self) -> Iterator[Logged]:
        """Return all three kinds: half of the requests multi-turn, one in twenty with long documents."""
        kinds = (self.multi_turn(), self.single_shot(), self.documents())
        while True:
            yield next(self._random.choices(kinds, (50, 45, 5))[0])

    def question(self, characters: int) -> Logged:
        """Return one request of one question of this length, answered in a sentence or two, in one document."""
        asked = [{"role": "user", "content": self._text.write(characters)}]
        return self._event(self._applications[0], asked, self._said(120), "growing")

    def conversation(self, turns: int) -> Iterator[Logged]:
        """Return a whole conversation, request by request: questions and answers of 300 characters, without tools."""
        plain = dataclasses.replace(self._random.choice(self._applications), tools=[])
        messages: list[Message] = [{"role": "system", "content": plain.system}]
        for _ in range(turns):
            messages.append({"role": "user", "content": self._text.write(300)})
            said = self._said(300)
            yield self._event(plain, messages, said, "growing")
            messages.append(said)

    def _length(self, median: float, spread: float, most: int) -> int:
        return min(max(int(self._random.lognormvariate(math.log(median), spread)), 12), most)

    def _length_in_turns(self) -> int:
        return 2 + min(int(self._random.lognormvariate(math.log(8), 0.8)), 58)

    def _application(self, number: int) -> Application:
        drawn = (number + 0.5) / APPLICATIONS
        write = next(write for share, write in HABITS if drawn <= share)
        uses = (number * 5 % APPLICATIONS + 0.5) / APPLICATIONS < self._tools_share
        tools = [self._tool() for _ in range(12)] if uses else []
        return Application(f"app-{number}", write, self._text.prose(self._length(800, 0.5, 4_000)), tools)

    def _tool(self) -> dict[str, Any]:
        """Return a tool's definition: three to six parameters of the usual kinds, described."""
        kinds: list[Callable[[], dict[str, Any]]] = [
            lambda: {"type": "string"},
            lambda: {"type": "integer", "minimum": 0},
            lambda: {"type": "string", "enum": [self._text.identifier() for _ in range(3)]},
            lambda: {"type": "array", "items": {"type": "string"}},
        ]
        properties = {
            self._text.identifier(): {**self._random.choice(kinds)(), "description": self._text.prose(50)}
            for _ in range(self._random.randrange(3, 7))
        }
        parameters = {"type": "object", "properties": properties, "required": list(properties)[:2]}
        function = {"name": self._text.identifier(), "description": self._text.prose(90), "parameters": parameters}
        return {"type": "function", "function": function}

    def _started(self, *, begun: bool) -> Conversation:
        """Return a new conversation; at the start of the log some have been going on for a while."""
        conversation = Conversation(self._random.choice(self._applications), self._length_in_turns())
        conversation.messages.append({"role": "system", "content": conversation.application.system})
        self._ask(conversation)
        for _ in range(self._random.randrange(conversation.left) if begun else 0):
            self._go_on(conversation, self._answer(conversation))
        return conversation

    def _turn(self, conversation: Conversation) -> Logged:
        said = self._answer(conversation)
        event = self._event(conversation.application, conversation.messages, said, "multi-turn")
        self._go_on(conversation, said)
        return event

    def _ask(self, conversation: Conversation) -> None:
        conversation.messages.append({"role": "user", "content": self._text.write(self._length(250, 1.0, 8_000))})
        conversation.pending = self._random.randrange(5) if conversation.application.tools else 0

    def _go_on(self, conversation: Conversation, said: Message) -> None:
        """Append what was said, and what comes of it: results of tools, or the next question."""
        conversation.messages.append(said)
        conversation.left -= 1
        for call in said.get("tool_calls", ()):
            result = self._text.result if self._random.random() < 0.6 else self._text.code
            content = result(self._length(700, 0.9, 12_000))
            conversation.messages.append({"role": "tool", "tool_call_id": call["id"], "content": content})
        if not said.get("tool_calls"):
            self._ask(conversation)

    def _answer(self, conversation: Conversation) -> Message:
        if conversation.pending == 0:
            return self._said(self._length(400, 0.8, 4_000))
        conversation.pending -= 1
        function = self._random.choice(conversation.application.tools)["function"]
        arguments = {name: self._argument(kind) for name, kind in function["parameters"]["properties"].items()}
        call = {"id": f"call_{self._random.getrandbits(96):024x}", "type": "function"}
        call_of = {"name": function["name"], "arguments": json.dumps(arguments, ensure_ascii=False)}
        content = self._text.prose(80) if self._random.random() < 0.3 else None
        return {"role": "assistant", "content": content, "tool_calls": [{**call, "function": call_of}]}

    def _argument(self, kind: Mapping[str, Any]) -> Any:
        if kind["type"] == "integer":
            return self._random.randrange(1000)
        if kind["type"] == "array":
            return [self._text.identifier() for _ in range(2)]
        return self._random.choice(kind["enum"]) if "enum" in kind else self._text.prose(60)

    def _said(self, characters: int) -> Message:
        return {"role": "assistant", "content": self._text.write(characters)}

    def _event(self, application: Application, messages: list[Message], said: Message, kind: str) -> Logged:
        streamed = self._random.random() < STREAMED[kind]
        usage: Usage = (self._random.randrange(20, 9_000), self._random.randrange(1, 900)) if self._reported else None
        request: dict[str, Any] = {"messages": messages, "model": self.model, "max_tokens": 4096}
        if streamed:
            request["stream"] = True
            if usage:
                request["stream_options"] = {"include_usage": True}
        request["temperature"] = 0.7
        if application.tools and kind == "multi-turn":
            request |= {"tool_choice": "auto", "tools": application.tools}
        if "qwen3" in self.model.lower():
            request["chat_template_kwargs"] = {"enable_thinking": False}
        name = f"chatcmpl-{self._random.getrandbits(128):032x}"
        answer = (chunks if streamed else document)(said, self.model, name, usage)
        line = self._logged(application, application.write(request), answer, "event-stream" if streamed else "json")
        return Logged(line, len(messages), "tools" in request, streamed, usage)

    def _logged(self, application: Application, request: str, response: str, form: str) -> bytes:
        """Return the native envelope around both bodies, the response first."""
        self._number += 1
        seconds = self._number // 20
        event = {
            "v": 1,
            "requestId": f"{self._random.getrandbits(128):032x}",
            "time": f"2026-11-22T{seconds // 3600 % 24:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.1234567Z",
            "apiId": "llm",
            "operationId": "chat",
            "productId": "standard",
            "subscriptionId": application.name,
            "location": "westeurope",
            "gatewayId": "managed",
            "method": "POST",
            "url": "https://example.azure-api.net/llm/v1/chat/completions",
            "status": 200,
            "contentType": "text/event-stream" if form == "event-stream" else "application/json",
            "model": self.model,
            "responseBody": response,
            "requestBody": request,
        }
        return msgspec.json.encode(event) + b"\n"
