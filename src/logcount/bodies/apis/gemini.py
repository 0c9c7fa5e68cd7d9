"""Gemini's generateContent, on Google AI and on Vertex. Source: the types of the package `google-genai` 3.4."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from logcount.bodies.api import Api, Document, Documents, finish, last_usage, leaves_out, objects, strings
from logcount.bodies.usage import add, child, to_tokens, usage_of
from logcount.model.content import Chat, Prompt, Reply, Usage


def _answers(document: Document) -> bool:
    return "usageMetadata" in document or isinstance(document.get("candidates"), list)


def _usage(documents: Documents) -> Usage | None:
    """Return the last usage; every chunk carries one, which is final once a candidate is finished."""
    usage = last_usage(documents, lambda document: _read(child(document, "usageMetadata")))
    finished = any(
        candidate.get("finishReason") for document in documents for candidate in objects(document.get("candidates"))
    )
    return usage if usage is None or finished or len(documents) == 1 else replace(usage, interim=True)


def _read(metadata: Document) -> Usage | None:
    """Read usage metadata; what the prompt does not account for of the total was generated, thoughts included."""
    thoughts, total = to_tokens(metadata.get("thoughtsTokenCount")), to_tokens(metadata.get("totalTokenCount"))
    prompt = add(to_tokens(metadata.get("promptTokenCount")), to_tokens(metadata.get("toolUsePromptTokenCount")))
    candidates = metadata.get("candidatesTokenCount", metadata.get("responseTokenCount"))
    completion = add(to_tokens(candidates), thoughts)
    cached = to_tokens(metadata.get("cachedContentTokenCount"))
    usage = usage_of(prompt, completion, total, cached=cached, reasoning=thoughts)
    if usage is None or prompt is None or not usage.mismatch or usage.total is None or usage.total < prompt:
        return usage
    return replace(usage, completion=usage.total - prompt, mismatch=False, derived=True)


def _replies(documents: Documents) -> tuple[Reply, ...]:
    spoken: dict[Any, list[Document]] = {}
    reasons: dict[Any, Any] = {}
    for document in documents:
        for order, candidate in enumerate(objects(document.get("candidates"))):
            index = candidate.get("index", order)
            index = index if isinstance(index, int) else order
            spoken.setdefault(index, []).extend(objects(child(candidate, "content").get("parts")))
            reasons[index] = candidate.get("finishReason") or reasons.get(index)
    return tuple(_reply(parts, reasons[index]) for index, parts in spoken.items())


def _reply(parts: list[Document], reason: Any) -> Reply:
    calls = tuple(_call(part["functionCall"]) for part in parts if isinstance(part.get("functionCall"), dict))
    return Reply(
        text="".join(strings(part.get("text")) for part in parts if not part.get("thought")),
        reasoning="".join(strings(part.get("text")) for part in parts if part.get("thought")),
        tool_calls=calls,
        finish=finish(reason),
        missing=frozenset({"other output"} if any(_OTHER & part.keys() for part in parts) else ()),
    )


_OTHER = frozenset({"inlineData", "inline_data", "fileData", "executableCode", "codeExecutionResult"})


def _call(call: Document) -> Document:
    return {"type": "function", "function": {"name": strings(call.get("name")), "arguments": call.get("args") or {}}}


def _asks(document: Document) -> bool:
    return isinstance(document.get("contents"), list)


def _prompt(document: Document) -> Prompt | None:
    missing: set[str] = {"earlier turns"} if document.get("cachedContent") else set()
    system = document.get("systemInstruction") or document.get("system_instruction")
    messages: list[Document] = []
    if isinstance(system, dict):
        messages.append({"role": "system", "content": _text(system, missing)})
    for content in objects(document.get("contents")):
        role = "assistant" if content.get("role") == "model" else "user"
        messages.append({"role": role, "content": _text(content, missing)})
    if document.get("tools"):
        missing.add("tools")
    if leaves_out(document.get("contents")) or (system and not isinstance(system, dict)):
        missing.add("other input")
    return Chat(messages, missing=frozenset(missing)) if messages else None


def _text(content: Document, missing: set[str]) -> str:
    parts = objects(content.get("parts"))
    if leaves_out(content.get("parts")) or any(not isinstance(part.get("text"), str) for part in parts):
        missing.add("other input")
    return "".join(strings(part.get("text")) for part in parts)


GEMINI = Api("gemini", _answers, _usage, _asks, _prompt, _replies)
