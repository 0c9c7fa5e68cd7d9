"""Cohere's chat, v1 and v2. Source: the types of the package `cohere` 7.3.1; counts are floats there."""

from __future__ import annotations

from logcount.bodies.api import Api, Document, Documents, finish, last_usage, leaves_out, objects, strings
from logcount.bodies.apis.openai_chat import CHAT
from logcount.bodies.usage import child, read_usage
from logcount.model.content import Chat, Prompt, Reply, Usage

_V2_EVENTS = ("message-start", "message-end", "content-", "tool-call-", "tool-plan-", "citation-")


def _answers(document: Document) -> bool:
    if "event_type" in document or child(document, "meta") or "generation_id" in document:
        return True
    if strings(document.get("type")).startswith(_V2_EVENTS):
        return True
    usage = child(document, "usage")
    return "billed_units" in usage or "tokens" in usage


def _usage(documents: Documents) -> Usage | None:
    return last_usage(documents, _usage_of)


def _usage_of(document: Document) -> Usage | None:
    places = (
        document.get("usage"),
        document.get("meta"),
        child(document, "delta").get("usage"),  # v2 streams, message-end
        child(document, "response").get("meta"),  # v1 streams, stream-end
    )
    return next((usage for place in places if (usage := read_usage(place))), None)


def _replies(documents: Documents) -> tuple[Reply, ...]:
    """Return the one reply; a v1 stream's closing event repeats it whole and is left out where pieces came before."""
    text: list[str] = []
    reasoning: list[str] = []
    calls: list[Document] = []
    reason = None
    for document in documents:
        delta = child(document, "delta")
        message = child(delta, "message") or child(document, "message")
        content = message.get("content")
        parts = objects(content) or ([content] if isinstance(content, dict) else [])
        text.extend(strings(part.get("text")) for part in parts)
        reasoning.extend(strings(part.get("thinking")) for part in parts)
        calls.extend(objects(message.get("tool_calls")))
        if document.get("event_type", "text-generation") == "text-generation":
            text.append(strings(document.get("text")))
        text.extend(strings(generation.get("text")) for generation in objects(document.get("generations")))
        reason = document.get("finish_reason") or delta.get("finish_reason") or reason
    return (Reply("".join(text), "".join(reasoning), tuple(calls), finish(reason)),)


def _asks(document: Document) -> bool:
    return isinstance(document.get("message"), str)


def _prompt(document: Document) -> Prompt | None:
    """Return a v1 conversation; v2's is in the shape of OpenAI's chat."""
    if not _asks(document):
        return CHAT.prompt(document)
    messages: list[Document] = []
    if isinstance(document.get("preamble"), str):
        messages.append({"role": "system", "content": document["preamble"]})
    for turn in objects(document.get("chat_history")):
        role = {"CHATBOT": "assistant", "SYSTEM": "system"}.get(strings(turn.get("role")).upper(), "user")
        messages.append({"role": role, "content": strings(turn.get("message"))})
    messages.append({"role": "user", "content": strings(document.get("message"))})
    keys = ("documents", "tools", "tool_results", "connectors", "conversation_id")
    missing = {key for key in keys if document.get(key)}
    history = document.get("chat_history")
    if leaves_out(history) or any(not isinstance(turn.get("message"), str) for turn in objects(history)):
        missing.add("other input")
    return Chat(messages, missing=frozenset(missing))


COHERE = Api("cohere", _answers, _usage, _asks, _prompt, _replies)
