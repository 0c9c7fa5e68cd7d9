"""The answers of a chat API: one document, or server-sent events with a chunk a token or so."""

from __future__ import annotations

import re
from typing import Any

import msgspec

Message = dict[str, Any]
Usage = tuple[int, int] | None
"""Prompt and completion tokens that are reported."""

CHUNK = re.compile(r"\s*\S{1,7}|\s+$")
"""About what a token is: servers send a chunk for each."""


def compact(value: Any) -> str:
    """Return JSON without spaces, its characters as they are."""
    return msgspec.json.encode(value).decode()


def document(said: Message, model: str, name: str, usage: Usage) -> str:
    """Return the answer as one document."""
    finish = "tool_calls" if said.get("tool_calls") else "stop"
    choice = {"index": 0, "message": {**said, "refusal": None}, "logprobs": None, "finish_reason": finish}
    answer = _head("chat.completion", model, name) | {"choices": [choice]}
    return compact(answer | {"usage": _usage(usage)} if usage else answer)


def chunks(said: Message, model: str, name: str, usage: Usage) -> str:
    """Return the answer as server-sent events, a chunk a token or so."""
    head = _head("chat.completion.chunk", model, name)
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": ""}]
    deltas += [{"content": piece} for piece in CHUNK.findall(said["content"] or "")]
    for call in said.get("tool_calls", ()):
        function = call["function"]
        deltas.append({"tool_calls": [{"index": 0, **call, "function": {**function, "arguments": ""}}]})
        pieces = CHUNK.findall(function["arguments"])
        deltas += [{"tool_calls": [{"index": 0, "function": {"arguments": piece}}]} for piece in pieces]
    finish = "tool_calls" if said.get("tool_calls") else "stop"
    choices: list[dict[str, Any]] = [
        {"index": 0, "delta": delta, "logprobs": None, "finish_reason": None} for delta in deltas
    ]
    choices.append({"index": 0, "delta": {}, "logprobs": None, "finish_reason": finish})
    sent = [head | {"choices": [choice]} for choice in choices]
    if usage:
        sent.append(head | {"choices": [], "usage": _usage(usage)})
    return "".join(f"data: {compact(chunk)}\n\n" for chunk in sent) + "data: [DONE]\n\n"


def _head(kind: str, model: str, name: str) -> dict[str, Any]:
    return {"id": name, "object": kind, "created": 1795341797, "model": model}


def _usage(usage: tuple[int, int]) -> dict[str, Any]:
    prompt, completion = usage
    tokens: dict[str, Any] = {
        "prompt_tokens": prompt,
        "total_tokens": prompt + completion,
        "completion_tokens": completion,
    }
    return {**tokens, "prompt_tokens_details": None}
