"""OpenAI's Responses API. Source: the types of the package `openai` 3.54."""

from __future__ import annotations

from typing import Any

from logcount.bodies.api import Api, Document, Documents, last_usage, leaves_out, objects, strings
from logcount.bodies.apis.openai_prompts import forces_call
from logcount.bodies.pictures import pictures_in
from logcount.bodies.usage import child, read_usage
from logcount.model.content import Chat, Finish, Prompt, Reply, Usage

_CLOSING = frozenset({"response.completed", "response.incomplete", "response.failed"})


def _answers(document: Document) -> bool:
    return document.get("object") == "response" or strings(document.get("type")).startswith("response.")


def _usage(documents: Documents) -> Usage | None:
    return last_usage(documents, lambda document: read_usage(_response(document).get("usage")))


def _response(document: Document) -> Document:
    return document if document.get("object") == "response" else child(document, "response")


def _replies(documents: Documents) -> tuple[Reply, ...]:
    """Return the one reply: from the closing event, else from the pieces that came before it."""
    whole = next((found for document in reversed(documents) if (found := _response(document)).get("output")), None)
    if whole is not None:
        return (_reply_of(whole),)
    return (_reply_of_pieces(documents),)


def _reply_of(response: Document) -> Reply:
    items = [(item.get("type"), item) for item in objects(response.get("output"))]
    text = "".join(_said(item) for kind, item in items if kind == "message")
    thoughts = [_thought(item) for kind, item in items if kind == "reasoning"]
    calls = tuple(_call(item) for kind, item in items if kind == "function_call")
    missing = {"hidden reasoning"} if "" in thoughts else set()
    if any(kind not in ("message", "reasoning", "function_call") for kind, _ in items):
        missing.add("other output")
    return Reply(text, "".join(thoughts), calls, _finish(response), frozenset(missing))


def _said(message: Document) -> str:
    parts = objects(message.get("content"))
    return "".join(strings(part.get("text")) or strings(part.get("refusal")) for part in parts)


def _thought(item: Document) -> str:
    return "".join(strings(part.get("text")) for part in objects(item.get("content")))


def _finish(response: Document) -> Finish:
    if response.get("status") == "completed":
        return Finish.STOP
    reason = child(response, "incomplete_details").get("reason")
    return Finish.LENGTH if reason == "max_output_tokens" else Finish.UNKNOWN


def _call(item: Document) -> Document:
    return {
        "type": "function",
        "function": {"name": strings(item.get("name")), "arguments": strings(item.get("arguments"))},
    }


def _reply_of_pieces(documents: Documents) -> Reply:
    """Put together what a stream that broke off had said."""
    pieces: dict[str, list[str]] = {"text": [], "reasoning": [], "arguments": []}
    for document in documents:
        into = _PIECES.get(strings(document.get("type")))
        if into:
            pieces[into].append(strings(document.get("delta")))
    arguments = "".join(pieces["arguments"])
    calls = ({"type": "function", "function": {"name": "", "arguments": arguments}},) if arguments else ()
    return Reply("".join(pieces["text"]), "".join(pieces["reasoning"]), calls)


_PIECES = {
    "response.output_text.delta": "text",
    "response.refusal.delta": "text",
    "response.reasoning_text.delta": "reasoning",
    "response.function_call_arguments.delta": "arguments",
}


def _asks(document: Document) -> bool:
    value = document.get("input")
    typed = isinstance(value, list) and any("role" in item or "type" in item for item in objects(value))
    return typed or ("input" in document and bool(document.keys() & {"instructions", "max_output_tokens", "store"}))


def _prompt(document: Document) -> Prompt | None:
    """Return the input as a conversation; what the server keeps of earlier turns is missing."""
    messages: list[Document] = []
    missing: set[str] = set()
    if isinstance(document.get("instructions"), str):
        messages.append({"role": "system", "content": document["instructions"]})
    value = document.get("input")
    for item in [{"role": "user", "content": value}] if isinstance(value, str) else objects(value):
        messages.extend(_message(item, missing))
    if document.get("previous_response_id") or document.get("conversation"):
        missing.add("earlier turns")
    if document.get("prompt"):
        missing.add("stored prompt")
    if (not isinstance(value, str) and leaves_out(value)) or leaves_out(document.get("tools")):
        missing.add("other input")
    tools = [_tool(tool) for tool in objects(document.get("tools")) if tool.get("type") == "function"]
    if len(tools) < len(objects(document.get("tools"))):
        missing.add("server tools")
    shaped = child(document, "text", "format").get("type") == "json_schema"
    prompt = Chat(
        messages,
        tools or None,
        _options(document),
        shaped=shaped,
        forced=forces_call(document),
        missing=frozenset(missing),
        pictures=pictures_in(value) if "image" in missing else (),
    )
    return prompt if messages else None


def _options(document: Document) -> dict[str, Any]:
    effort = child(document, "reasoning").get("effort")
    return {"reasoning_effort": effort} if isinstance(effort, str) else {}


def _tool(tool: Document) -> Document:
    function = {key: tool[key] for key in ("name", "description", "parameters") if key in tool}
    return {"type": "function", "function": function}


def _message(item: Document, missing: set[str]) -> list[Document]:
    kind = item.get("type", "message")
    if kind == "function_call":
        return [{"role": "assistant", "content": "", "tool_calls": [_call(item)]}]
    if kind == "function_call_output":
        return [{"role": "tool", "content": _text(item.get("output"), missing), "tool_call_id": item.get("call_id")}]
    if kind != "message":
        missing.add("hidden reasoning" if kind == "reasoning" else "other input")
        return []
    return [{"role": strings(item.get("role")) or "user", "content": _text(item.get("content"), missing)}]


def _text(content: Any, missing: set[str]) -> str:
    """Return the text of a message or a tool's result, and note what of it is none."""
    if isinstance(content, str):
        return content
    if leaves_out(content) or content is None:
        missing.add("other input")
    parts = objects(content)
    beyond = [strings(part.get("type")) for part in parts if not isinstance(part.get("text"), str)]
    missing.update(next((name for name in _KINDS if name in kind), "other input") for kind in beyond)
    return "".join(strings(part.get("text")) for part in parts)


_KINDS = ("image", "file", "audio")
"""Words in the type of a content part, by which it is named where it is missing."""

RESPONSES = Api("responses", _answers, _usage, _asks, _prompt, _replies)
