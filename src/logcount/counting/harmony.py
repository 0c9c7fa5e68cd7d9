"""gpt-oss's harmony format: a turn is a row of messages, each in a channel, and a call to a tool ends it.

A chat template shows how such a turn is written into history, which is not how the model wrote it: thoughts go, and
the header of a call has another order. What the model wrote is put together here instead, from the parts of the reply.
Source: the format's guide and encoder, https://github.com/openai/harmony (docs/format.md, src/encoding.rs).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from logcount.counting.shown import function_of
from logcount.counting.side import Side, stop_tokens, uncounted_parts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any

    from logcount.model.content import Reply
    from logcount.ports import Tokenizer

OPENING = "<|start|>assistant"
"""What opens the model's turn, and each further message of it."""

CALLS_REWRITTEN = "the tool calls are not in the log as the model wrote them"
"""Servers check a call's arguments and write them anew: three calls on Groq were indented, and were logged without a
space. Whether a header names the format of the arguments is the model's choice, too."""

SCHEMA = "what the server made of the reply's schema is not in the log"
"""The format has a place for schemas in the prompt, which Groq uses (96 tokens for a schema of two names), and vLLM
does not."""

_CHANNEL = "<|channel|>"
_TOKENS = ("<|start|>", "<|end|>", "<|message|>", _CHANNEL, "<|constrain|>", "<|call|>", "<|return|>")


def speaks_harmony(tokenizer: Tokenizer, opened: str) -> bool:
    """Say whether a model speaks it: its tokenizer has the format's tokens, and its template opens a turn its way."""
    return opened.endswith(OPENING) and all(tokenizer.count(token) == 1 for token in _TOKENS)


def count_turn(tokenizer: Tokenizer, reply: Reply) -> Side:
    """Count the turn that the model wrote, from after its opening to its stop token.

    Raises:
        Uncountable: the tokenizer refuses a text.
    """
    if reply.text.startswith(_CHANNEL):  # as the model wrote it: some servers take nothing apart
        return Side(tokenizer.count(reply.text) + stop_tokens(reply.finish))
    doubts = frozenset() if reply.reasoning else uncounted_parts(["hidden reasoning"], "reply")
    if reply.tool_calls:
        doubts |= {CALLS_REWRITTEN}
    return Side(min(tokenizer.count(turn) for turn in _turns(reply)), doubts)


def _turns(reply: Reply) -> set[str]:
    """Return the turn as the log has it, and with calls as short as they can have been: a lower bound."""
    calls = [function_of(call) for call in reply.tool_calls]
    shortest = [{**call, "arguments": _closely(call.get("arguments"))} for call in calls]
    return {_turn(reply, calls), _turn(reply, shortest)}


def _turn(reply: Reply, calls: Sequence[Mapping[str, Any]]) -> str:
    messages = list(_messages(reply, calls))
    if stop_tokens(reply.finish):
        return OPENING.join(messages)
    *whole, last = messages
    return OPENING.join([*whole, last[: last.rindex("<|")]])


def _messages(reply: Reply, calls: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    if reply.reasoning:
        yield f"{_CHANNEL}analysis<|message|>{reply.reasoning}<|end|>"
    if reply.text and calls:
        yield f"{_CHANNEL}commentary<|message|>{reply.text}<|end|>"
    elif reply.text or not (reply.reasoning or calls):
        yield f"{_CHANNEL}final<|message|>{reply.text}<|return|>"
    for call in calls:
        arguments = call.get("arguments")
        written = arguments if isinstance(arguments, str) else _closely(arguments)
        header = f"{_CHANNEL}commentary to=functions.{call.get('name') or ''} <|constrain|>json"
        yield f"{header}<|message|>{written}<|call|>"


def _closely(arguments: Any) -> str:
    """Return JSON without a space that it need not have; text that is none as it is."""
    try:
        value = json.loads(arguments) if isinstance(arguments, str) else arguments
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    except (TypeError, ValueError, RecursionError):
        return arguments if isinstance(arguments, str) else ""
