"""Anthropic's Messages API, at Anthropic or on Bedrock and Vertex, and its older text completions.

Source: the types of the package `anthropic` 2.12. A stream's usage is cumulative: the input half opens it, the output
half closes it, and they are merged, never added.
"""

from __future__ import annotations

from typing import Any

from logcount.bodies.api import Api, Document, Documents, finish, leaves_out, objects, strings
from logcount.bodies.pictures import pictures_in
from logcount.bodies.usage import child, read_usage
from logcount.model.content import Chat, Finish, Prompt, Reply, Texts, Usage

_EVENTS = frozenset(
    {
        "message_start",
        "message_delta",
        "message_stop",
        "content_block_start",
        "content_block_delta",
        "content_block_stop",
    }
)


def _answers(document: Document) -> bool:
    kind = strings(document.get("type"))
    return kind in _EVENTS or (kind == "message" and isinstance(document.get("content"), list))


def _usage(documents: Documents) -> Usage | None:
    """Merge what each event reports, the last word first; an output count that only opened the stream is none yet."""
    merged: dict[str, Any] = {}
    closed = False
    for document in documents:
        reported = child(document, "usage") or child(document, "message", "usage")
        # Some servers open with zeros, others close with them: a zero never undoes a count.
        merged.update((key, value) for key, value in reported.items() if value or key not in merged)
        closed = closed or (bool(reported) and document.get("type") != "message_start")
    if merged and not closed:
        merged.pop("output_tokens", None)
    merged.setdefault("cache_read_input_tokens", None)  # the words of this API, whichever of them were used
    return read_usage(merged)


def _replies(documents: Documents) -> tuple[Reply, ...]:
    blocks: dict[Any, dict[str, Any]] = {}
    reason: Any = None
    for document in documents:
        reason = document.get("stop_reason") or child(document, "delta").get("stop_reason") or reason
        take = _TAKES.get(strings(document.get("type")))
        if take is not None:
            take(blocks, document)
    return (_reply(list(blocks.values()), finish(reason)),)


def _take_message(blocks: dict[Any, dict[str, Any]], message: Document) -> None:
    blocks.update((order, dict(block)) for order, block in enumerate(objects(message.get("content"))))


def _take_start(blocks: dict[Any, dict[str, Any]], event: Document) -> None:
    blocks[_index(event)] = dict(child(event, "content_block"))


def _take_delta(blocks: dict[Any, dict[str, Any]], event: Document) -> None:
    block, delta = blocks.setdefault(_index(event), {}), child(event, "delta")
    for key in ("text", "thinking", "partial_json"):
        if isinstance(delta.get(key), str):
            block[key] = strings(block.get(key)) + delta[key]


_TAKES = {"message": _take_message, "content_block_start": _take_start, "content_block_delta": _take_delta}
"""What each type of document adds to the blocks of a reply."""


def _index(document: Document) -> int:
    index = document.get("index")
    return index if isinstance(index, int) else 0


def _reply(blocks: list[dict[str, Any]], reason: Finish) -> Reply:
    calls = tuple(_call(block) for block in blocks if block.get("type") == "tool_use" or "partial_json" in block)
    kinds = {strings(block.get("type")) for block in blocks}
    missing = {"hidden reasoning"} if kinds & {"redacted_thinking", "thinking"} else set()
    missing |= {"other output"} if any("server_tool" in kind or "tool_result" in kind for kind in kinds) else set()
    return Reply(
        text="".join(strings(block.get("text")) for block in blocks),
        reasoning="".join(strings(block.get("thinking")) for block in blocks),
        tool_calls=calls,
        finish=reason,
        # What is shown of the thinking may be a summary of it.
        missing=frozenset(missing),
    )


def _call(block: dict[str, Any]) -> Document:
    arguments = block.get("partial_json") or block.get("input") or {}
    return {"type": "function", "function": {"name": strings(block.get("name")), "arguments": arguments}}


def _asks(document: Document) -> bool:
    if not isinstance(document.get("messages"), list):
        return False
    return (
        "anthropic_version" in document
        or any("input_schema" in tool for tool in objects(document.get("tools")))
        or ("max_tokens" in document and ("system" in document or _has_blocks(document)))
    )


def _has_blocks(document: Document) -> bool:
    kinds = {
        strings(part.get("type"))
        for message in objects(document.get("messages"))
        for part in objects(message.get("content"))
    }
    return not kinds.isdisjoint({"tool_use", "tool_result", "thinking"})


def _prompt(document: Document) -> Prompt | None:
    missing: set[str] = set()
    messages: list[Document] = []
    system = _text(document.get("system"), missing)
    if system:
        messages.append({"role": "system", "content": system})
    for message in objects(document.get("messages")):
        messages.extend(_messages(message, missing))
    if leaves_out(document.get("messages")) or leaves_out(document.get("tools")):
        missing.add("other input")
    tools = [_tool(tool) for tool in objects(document.get("tools")) if "input_schema" in tool]
    if len(tools) < len(objects(document.get("tools"))):
        missing.add("server tools")
    spoken = [{"content": document.get("system")}, *objects(document.get("messages"))]
    pictures = pictures_in(spoken) if "image" in missing else ()
    forced = child(document, "tool_choice").get("type") in {"any", "tool"}
    prompt = Chat(messages, tools or None, forced=forced, missing=frozenset(missing), pictures=pictures)
    return prompt if messages else None


def _messages(message: Document, missing: set[str]) -> list[Document]:
    """Turn one message with blocks into chat messages: its tool results come before its text."""
    content = message.get("content")
    role = strings(message.get("role")) or "user"
    parts = objects(content)
    results = [
        {"role": "tool", "content": _text(part.get("content"), missing), "tool_call_id": part.get("tool_use_id")}
        for part in parts
        if part.get("type") == "tool_result"
    ]
    calls = [_call(part) for part in parts if part.get("type") == "tool_use"]
    text = _text(content, missing)
    spoken: Document = {"role": role, "content": text} | ({"tool_calls": calls} if calls else {})
    return [*results, spoken] if text or calls or not results else list(results)


def _text(content: Any, missing: set[str]) -> str:
    if isinstance(content, str):
        return content
    if leaves_out(content):
        missing.add("other input")
    parts = objects(content)
    for part in parts:
        kind = strings(part.get("type")) or "text"
        if kind == "text" and not isinstance(part.get("text"), str):
            missing.add("other input")
        elif kind not in _COUNTED:
            missing.add(_UNCOUNTED.get(kind, "other input"))
    return "".join(strings(part.get("text")) for part in parts if part.get("type", "text") == "text")


_COUNTED = frozenset({"text", "tool_use", "tool_result"})
_UNCOUNTED = {"image": "image", "document": "file", "thinking": "reasoning", "redacted_thinking": "reasoning"}


def _tool(tool: Document) -> Document:
    function = {
        "name": tool.get("name"),
        "description": tool.get("description"),
        "parameters": tool.get("input_schema"),
    }
    return {"type": "function", "function": {key: value for key, value in function.items() if value is not None}}


ANTHROPIC = Api("anthropic", _answers, _usage, _asks, _prompt, _replies)


def _text_replies(documents: Documents) -> tuple[Reply, ...]:
    text = "".join(strings(document.get("completion")) for document in documents)
    reason = next((document["stop_reason"] for document in reversed(documents) if document.get("stop_reason")), None)
    return (Reply(text, finish=finish(reason)),)


ANTHROPIC_TEXT = Api(
    name="anthropic-text",
    answers=lambda document: document.get("type") == "completion" or {"completion", "stop_reason"} <= document.keys(),
    usage=lambda _documents: None,
    asks=lambda document: "max_tokens_to_sample" in document,
    prompt=lambda document: Texts((document["prompt"],)) if isinstance(document.get("prompt"), str) else None,
    replies=_text_replies,
)
