"""Hostile events by name, of any size: the command sends them large, the suite small and ten times that."""

from __future__ import annotations

import base64
import gzip
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

Event = dict[str, Any]
QWEN, GPT_OSS = "qwen3-8b", "gpt-oss-20b"
HI = {"role": "user", "content": "Hi"}
RESULT = {"role": "tool", "tool_call_id": "0", "content": "x"}
THOUGHT = {"role": "assistant", "content": "a", "reasoning_content": "b"}


@dataclass(frozen=True)
class Exchange:
    """The bodies of one call."""

    request: bytes
    response: bytes

    def event(self) -> Event:
        """Return it as it is logged, in logcount's own envelope."""
        encoded = {"requestEncoding": "gzip+base64", "responseEncoding": "gzip+base64"}
        bodies = {"requestBody": packed(self.request), "responseBody": packed(self.response)}
        return {"v": 1, "status": 200, **encoded, **bodies}


def packed(body: bytes) -> str:
    """Return a body as `gzip+base64` has it."""
    return base64.b64encode(gzip.compress(body)).decode()


def exchange(*messages: Event, answer: Any = None, model: str = QWEN, **request: Any) -> Exchange:
    """Return a call; its answer is short unless one is given."""
    answer = answer or choices(model, [{"role": "assistant", "content": "Yes"}])
    said = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
    return Exchange(json.dumps({"model": model, "messages": messages, **request}).encode(), said)


def choices(model: str, said: list[Event]) -> Event:
    """Return an answer with so many choices."""
    listed = [{"index": at, "message": one, "finish_reason": "stop"} for at, one in enumerate(said)]
    return {"object": "chat.completion", "model": model, "choices": listed}


def users(number: int) -> list[Event]:
    """Return short messages."""
    return [{"role": "user", "content": f"{at}"} for at in range(number)]


def roles(number: int, word: str = "r") -> list[Event]:
    """Return messages of which each has another role."""
    return [{"role": f"{word}{at}", "content": "x" * 8} for at in range(number)]


def thoughts(number: int) -> list[Event]:
    """Return replies whose thoughts templates leave out."""
    return [{"role": "assistant", "content": f"<think>{'ab' * 50}{at}</think>x"} for at in range(number)]


def tools(number: int) -> list[Event]:
    """Return small tools."""
    shape = {"type": "object", "properties": {"a": {"type": "string"}}}
    described = ({"name": f"t{at}", "description": "d", "parameters": shape} for at in range(number))
    return [{"type": "function", "function": function} for function in described]


def calls(number: int, arguments: str = '{"a": 1}') -> Event:
    """Return a message with so many tool calls."""
    made = [
        {"id": f"{at}", "type": "function", "function": {"name": "t1", "arguments": arguments}} for at in range(number)
    ]
    return {"role": "assistant", "content": "", "tool_calls": made}


def keys(number: int) -> Event:
    """Return an object with so many keys."""
    return {f"k{at}": at for at in range(number)}


def parts(number: int) -> Event:
    """Return a message in so many parts."""
    return {"role": "user", "content": [{"type": "text", "text": f"{at}"} for at in range(number)]}


def stream(number: int, *delta: Event) -> bytes:
    """Return a stream of so many chunks with some content, or with what else is said in each."""
    chunks = (
        {"object": "chat.completion.chunk", "model": QWEN, "choices": [{"index": 0, "delta": one}]}
        for one in delta or ({"content": "a"},)
    )
    written = "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks)
    return written.encode() * (number // len(delta or (1,)))


def pieces(number: int) -> bytes:
    """Return a stream in which the arguments of a tool call, and a thought, come in pieces, and each call is new."""
    called = [{"index": at, "id": f"{at}", "function": {"name": "t1", "arguments": "{}"}} for at in range(number // 2)]
    first = b"".join(stream(1, {"tool_calls": [call]}) for call in called)
    return first + stream(number // 2, {"reasoning_content": "b"})


def nested(levels: int) -> Any:
    """Return objects in objects; written by hand, as `json` gives up at some thousand levels."""
    return json.loads('{"a":' * levels + "1" + "}" * levels)


def deep_bytes(levels: int) -> Exchange:
    """Return a call in which a message holds arrays in arrays, of more levels than Python's own limit."""
    body = json.dumps({"model": QWEN, "messages": [{**HI, "x": "@"}]}).encode()
    return Exchange(body.replace(b'"@"', b"[" * levels + b"]" * levels), exchange(HI).response)


MANY: dict[str, Callable[[int], Exchange]] = {
    "roles": lambda n: exchange(*roles(n)),
    "messages": lambda n: exchange(*users(n)),
    "tool results": lambda n: exchange(HI, calls(1), *[RESULT] * n),
    "thoughts not shown": lambda n: exchange(*thoughts(n), HI),
    "tools": lambda n: exchange(HI, tools=tools(n)),
    "tools, gpt-oss": lambda n: exchange(HI, tools=tools(n), model=GPT_OSS),
    "options": lambda n: exchange(HI, chat_template_kwargs=keys(n)),
    "values in one option": lambda n: exchange(HI, chat_template_kwargs={"x": [[at, {"a": "b"}] for at in range(n)]}),
    "like values in one option": lambda n: exchange(HI, chat_template_kwargs={"x": [[1, {"a": "b" * 90}]] * n}),
    "content parts": lambda n: exchange(parts(n)),
    "calls": lambda n: exchange(HI, calls(n), RESULT),
    "calls in the reply": lambda n: exchange(HI, tools=tools(2), answer=choices(QWEN, [calls(n)])),
    "keys in the arguments": lambda n: exchange(HI, calls(1, json.dumps(keys(n))), RESULT),
    "keys in a message": lambda n: exchange({**HI, **keys(n)}),
    "keys in each of 20 messages": lambda n: exchange(*[{**HI, **keys(n)}] * 20),
    "levels": lambda n: exchange({**HI, "x": nested(n)}),
    "levels, no end": deep_bytes,
    "chunks": lambda n: exchange(HI, answer=stream(n)),
    "chunks of calls and thoughts": lambda n: exchange(HI, answer=pieces(n)),
    "calls in a reply after a long thought": lambda n: exchange(
        HI, answer=choices(QWEN, [{**calls(n), "reasoning_content": "b" * 40 * n}])
    ),
    "tools behind a long message": lambda n: exchange({**HI, "content": "b " * 20 * n}, tools=tools(n)),
    "choices": lambda n: exchange(HI, tools=tools(2), answer=choices(QWEN, [THOUGHT] * n)),
    "choices after as many options": lambda n: exchange(
        HI, answer=choices(QWEN, [THOUGHT] * n), chat_template_kwargs={f"k{at}": at for at in range(n)}
    ),
    "choices after as many messages": lambda n: exchange(*users(n), answer=choices(QWEN, [THOUGHT] * n)),
}
"""Of what there is much, and a call with so much of it."""
