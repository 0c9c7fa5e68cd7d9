"""Ollama's chat and generate, streamed as JSON lines. Source: the types of the package `ollama` 0.6.3."""

from __future__ import annotations

from logcount.bodies.api import Api, Document, Documents, finish, last_usage, objects, strings
from logcount.bodies.apis.openai_chat import CHAT
from logcount.bodies.usage import child, to_tokens, usage_of
from logcount.model.content import Chat, Prompt, Reply, Texts, Usage


def _answers(document: Document) -> bool:
    return isinstance(document.get("done"), bool) and ("response" in document or "message" in document)


def _usage(documents: Documents) -> Usage | None:
    """Return the counts of the closing line; the prompt's is left out where all of it was cached."""
    return last_usage(
        documents,
        lambda document: usage_of(to_tokens(document.get("prompt_eval_count")), to_tokens(document.get("eval_count"))),
    )


def _replies(documents: Documents) -> tuple[Reply, ...]:
    messages = [child(document, "message") for document in documents]
    text = "".join(
        strings(document.get("response")) + strings(message.get("content"))
        for document, message in zip(documents, messages, strict=True)
    )
    thinking = "".join(
        strings(document.get("thinking")) + strings(message.get("thinking"))
        for document, message in zip(documents, messages, strict=True)
    )
    calls = tuple(call for message in messages for call in objects(message.get("tool_calls")))
    closing = next((document for document in reversed(documents) if document.get("done") is True), {})
    # Servers of before 2024 say that they are done, and not why.
    reason = finish(closing.get("done_reason", "stop") if closing else None)
    return (Reply(text, thinking, calls, reason),)


_GENERATE = frozenset({"raw", "template", "context", "keep_alive", "options", "system", "suffix", "format", "images"})


def _asks(document: Document) -> bool:
    if isinstance(document.get("messages"), list):
        return bool({"options", "keep_alive", "format"} & document.keys()) and not {"n", "max_tokens"} & document.keys()
    return isinstance(document.get("prompt"), str) and bool(_GENERATE & document.keys())


def _prompt(document: Document) -> Prompt | None:
    if "messages" in document:
        return CHAT.prompt(document)
    if not isinstance(document.get("prompt"), str):
        return None
    text = document["prompt"]
    messages: list[Document] = []
    if strings(document.get("system")):
        messages.append({"role": "system", "content": document["system"]})
    messages.append({"role": "user", "content": text})
    missing = {"earlier turns"} if document.get("context") else set()
    missing |= {"image"} if document.get("images") else set()
    missing |= {"own template"} if document.get("template") else set()
    missing |= {"suffix"} if document.get("suffix") else set()
    if document.get("raw") is True:
        return Texts((text,), missing=frozenset(missing))
    return Chat(messages, missing=frozenset(missing))


OLLAMA = Api("ollama", _answers, _usage, _asks, _prompt, _replies)
