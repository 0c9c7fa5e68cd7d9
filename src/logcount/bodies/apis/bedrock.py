"""Amazon Bedrock: Converse, and what its native models (Titan, Llama, Nova, AI21, Cohere, Mistral) say to Invoke.

Source: botocore 1.44 for Converse and for the invocation metrics that close every Invoke stream. Anthropic's models on
Bedrock speak Anthropic's own API.
"""

from __future__ import annotations

from typing import Any

from logcount.bodies.api import Api, Document, Documents, finish, last_usage, leaves_out, objects, strings
from logcount.bodies.usage import add, child, read_usage, to_tokens, usage_of
from logcount.model.content import Chat, Prompt, Reply, Texts, Usage

_EVENTS = ("messageStart", "contentBlockStart", "contentBlockDelta", "contentBlockStop", "messageStop", "metadata")
"""In the order of a stream, so that of two in one document it is always the same one that is read."""


def _event(document: Document) -> Document:
    """Return a stream's event without the name that Nova's Invoke streams wrap around it."""
    return next((child(document, name) for name in _EVENTS if isinstance(document.get(name), dict)), document)


def _answers_converse(document: Document) -> bool:
    if isinstance(child(document, "output").get("message"), dict) or "contentBlockIndex" in document:
        return True
    named = not document.keys().isdisjoint(_EVENTS) and not {"choices", "object"} & document.keys()
    return (
        named
        or (isinstance(document.get("stopReason"), str) and document.keys() <= {"stopReason", "p"})
        or ({"metrics", "usage"} <= document.keys())
    )


def _converse_usage(documents: Documents) -> Usage | None:
    return last_usage(documents, lambda document: read_usage(_event(document).get("usage")))


def _converse_replies(documents: Documents) -> tuple[Reply, ...]:
    blocks: dict[Any, dict[str, Any]] = {}
    reason: Any = None
    for document in documents:
        event = _event(document)
        reason = event.get("stopReason") or reason
        for order, block in enumerate(objects(child(event, "output", "message").get("content"))):
            blocks[order] = dict(block)
        known = blocks.setdefault(_index(event) if "delta" in event or "start" in event else 0, {})
        known.update(child(event, "start"))
        _extend(known, child(event, "delta"))
    return (_converse_reply(list(blocks.values()), reason),)


def _index(event: Document) -> int:
    index = event.get("contentBlockIndex")
    return index if isinstance(index, int) else 0


def _extend(block: dict[str, Any], delta: Document) -> None:
    block["text"] = strings(block.get("text")) + strings(delta.get("text"))
    block["input"] = strings(block.get("input")) + strings(child(delta, "toolUse").get("input"))
    block["thinking"] = strings(block.get("thinking")) + strings(child(delta, "reasoningContent").get("text"))


def _converse_reply(blocks: list[dict[str, Any]], reason: Any) -> Reply:
    thinking = "".join(
        strings(child(block, "reasoningContent", "reasoningText").get("text")) + strings(block.get("thinking"))
        for block in blocks
    )
    return Reply(
        text="".join(strings(block.get("text")) for block in blocks),
        reasoning=thinking,
        tool_calls=tuple(_call(block) for block in blocks if isinstance(block.get("toolUse"), dict)),
        finish=finish(reason),
        missing=frozenset({"other output"} if any(_OTHER & block.keys() for block in blocks) else ()),
    )


_OTHER = frozenset({"image", "document", "video", "audio", "searchResult", "citationsContent"})


def _call(block: dict[str, Any]) -> Document:
    use = block["toolUse"]
    arguments = use.get("input") or strings(block.get("input")) or {}
    return {"type": "function", "function": {"name": strings(use.get("name")), "arguments": arguments}}


def _asks_converse(document: Document) -> bool:
    first = next(iter(objects(document.get("messages"))), {})
    part = next(iter(objects(first.get("content"))), None)
    return part is not None and "type" not in part


def _converse_prompt(document: Document) -> Prompt | None:
    missing: set[str] = set()
    system = _text(document.get("system"), missing)
    messages: list[Document] = [{"role": "system", "content": system}] if system else []
    for message in objects(document.get("messages")):
        messages.extend(_messages(message, missing))
    if leaves_out(document.get("messages")) or leaves_out(child(document, "toolConfig").get("tools")):
        missing.add("other input")
    offered = [tool for tool in objects(child(document, "toolConfig").get("tools")) if "cachePoint" not in tool]
    tools = [_tool(spec) for tool in offered if (spec := child(tool, "toolSpec"))]
    if len(tools) < len(offered):
        missing.add("server tools")
    return Chat(messages, tools or None, missing=frozenset(missing)) if messages else None


def _messages(message: Document, missing: set[str]) -> list[Document]:
    parts = objects(message.get("content"))
    results = [_result(part["toolResult"], missing) for part in parts if isinstance(part.get("toolResult"), dict)]
    calls = [_call(part) for part in parts if isinstance(part.get("toolUse"), dict)]
    text = _text(message.get("content"), missing)
    spoken: Document = {"role": strings(message.get("role")) or "user", "content": text}
    spoken |= {"tool_calls": calls} if calls else {}
    return [*results, spoken] if text or calls or not results else results


def _result(result: Document, missing: set[str]) -> Document:
    return {"role": "tool", "content": _text(result.get("content"), missing), "tool_call_id": result.get("toolUseId")}


def _text(content: Any, missing: set[str]) -> str:
    if leaves_out(content):
        missing.add("other input")
    parts = [child(part, "guardContent", "text") or part for part in objects(content)]
    for part in parts:
        if not isinstance(part.get("text"), str) and _COUNTED.isdisjoint(part):
            missing.add(next((name for key, name in _UNCOUNTED.items() if key in part), "other input"))
    return "".join(strings(part.get("text")) for part in parts)


_COUNTED = frozenset({"toolUse", "toolResult", "cachePoint"})
_UNCOUNTED = {"image": "image", "document": "document", "video": "video", "reasoningContent": "reasoning"}


def _tool(spec: Document) -> Document:
    schema = child(spec, "inputSchema").get("json")
    function = {"name": spec.get("name"), "description": spec.get("description"), "parameters": schema}
    return {"type": "function", "function": {key: value for key, value in function.items() if value is not None}}


CONVERSE = Api("converse", _answers_converse, _converse_usage, _asks_converse, _converse_prompt, _converse_replies)


def _native_usage(documents: Documents) -> Usage | None:
    return last_usage(documents, _counts)


def _counts(document: Document) -> Usage | None:
    """Read the counts that Llama and Titan put at the top level of their answers."""
    if "generation_token_count" in document or "prompt_token_count" in document:
        return usage_of(
            to_tokens(document.get("prompt_token_count")), to_tokens(document.get("generation_token_count"))
        )
    results = [to_tokens(result.get("tokenCount")) for result in objects(document.get("results"))]
    completion = add(*results, to_tokens(document.get("totalOutputTextTokenCount")))
    return usage_of(to_tokens(document.get("inputTextTokenCount")), completion)


def _native_replies(documents: Documents) -> tuple[Reply, ...]:
    """Return the replies of the native models: streams come in pieces of one, documents hold one or several."""
    found = [_native_reply(item) for document in documents for item in _outputs(document)]
    if len(documents) < 2:
        return tuple(found)
    last = next((reply.finish for reply in reversed(found) if reply.finish.name != "UNKNOWN"), finish(None))
    return (Reply("".join(reply.text for reply in found), finish=last),)


def _outputs(document: Document) -> list[Document]:
    for key in ("results", "generations", "outputs", "completions"):
        if objects(document.get(key)):
            return objects(document[key])
    return [document] if {"generation", "outputText"} & document.keys() else []


def _native_reply(item: Document) -> Reply:
    text = next(
        (item[key] for key in ("generation", "outputText", "text") if isinstance(item.get(key), str)),
        strings(child(item, "data").get("text")),
    )
    reason = (
        item.get("stop_reason") or item.get("completionReason") or item.get("finish_reason") or item.get("finishReason")
    )
    return Reply(text, finish=finish(child(item, "finishReason").get("reason") or reason))


_NATIVE = frozenset({"generation", "inputTextTokenCount", "outputText", "generations", "completions"})


def _answers_invoke(document: Document) -> bool:
    return (
        bool(_NATIVE & document.keys())
        or "amazon-bedrock-invocationMetrics" in document
        or ("text" in next(iter(objects(document.get("outputs"))), {}))
    )


def _asks_invoke(document: Document) -> bool:
    return "inputText" in document or ("prompt" in document and "max_gen_len" in document)


def _invoke_prompt(document: Document) -> Prompt | None:
    text = document.get("inputText", document.get("prompt"))
    return Texts((text,)) if isinstance(text, str) else None


INVOKE = Api("invoke", _answers_invoke, _native_usage, _asks_invoke, _invoke_prompt, _native_replies)
