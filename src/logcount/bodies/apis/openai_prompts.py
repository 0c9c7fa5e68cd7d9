"""Prompts in OpenAI's words: conversations and bare texts, with what servers of open models let a request change.

Source: the types of the package `openai` 3.54, and vLLM's `ChatCompletionRequest` and `CompletionRequest`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from logcount.bodies.api import Document, leaves_out, objects, strings
from logcount.bodies.pictures import pictures_in
from logcount.bodies.usage import child
from logcount.model.content import Chat, Prompt, Texts

if TYPE_CHECKING:
    from collections.abc import Iterator


def asks_chat(document: Document) -> bool:
    """Say whether a request holds a conversation."""
    return isinstance(document.get("messages"), list)


def chat_prompt(document: Document) -> Prompt | None:
    """Return the conversation with what the request hands to the template, as vLLM, SGLang and TGI take it."""
    messages = [_with_tool_calls(message) for message in objects(document.get("messages"))]
    if not messages:
        return None
    tools = [_as_served(tool) for tool in objects(document.get("tools"))]
    if not tools:
        tools = [{"type": "function", "function": function} for function in objects(document.get("functions"))]
    beyond = list(_missing(messages))
    pictures = pictures_in(messages)
    missing = {*beyond, *_changes(document)}
    if any(leaves_out(document.get(key)) for key in ("messages", "tools", "functions")):
        missing.add("other input")
    if document.get("add_special_tokens") is True:
        missing.add("special tokens")
    return Chat(
        messages=messages,
        tools=tools or None,
        options=_template_options(document),
        open_reply=document.get("add_generation_prompt") is not False,
        shaped=child(document, "response_format").get("type") == "json_schema",
        forced=forces_call(document),
        missing=frozenset(missing),
        pictures=pictures if len(pictures) == beyond.count("image") else (),
    )


def forces_call(document: Document) -> bool:
    """Say whether a request has the model call some tool, or the one that it names."""
    choices = (document.get("tool_choice"), document.get("function_call"))
    return any(
        choice == "required" or (isinstance(choice, dict) and choice.get("mode") != "auto") for choice in choices
    )


def _as_served(tool: Document) -> Document:
    """Return a tool as vLLM hands it to the template: in the order of its own type, what is missing as null.

    Source: `ChatCompletionToolsParam` and `FunctionDefinition`, which it writes out with `model_dump()`.
    """
    function = tool.get("function")
    if not isinstance(function, dict) or not isinstance(function.get("name"), str):
        return tool
    defined = {key: function.get(key) for key in ("name", "description", "parameters")} | function
    return {"type": tool.get("type", "function"), "function": defined} | tool | {"function": defined}


def _with_tool_calls(message: Document) -> Document:
    """Return a message with its one call in today's words where it is in those of 2023 (`function_call`)."""
    function = message.get("function_call")
    if not isinstance(function, dict) or message.get("tool_calls"):
        return message
    rest = {key: value for key, value in message.items() if key != "function_call"}
    return rest | {"tool_calls": [{"type": "function", "function": function}]}


def _template_options(document: Document) -> dict[str, Any]:
    options = dict(child(document, "chat_template_kwargs"))
    if isinstance(document.get("reasoning_effort"), str):
        options.setdefault("reasoning_effort", document["reasoning_effort"])
    if objects(document.get("documents")):
        options.setdefault("documents", document["documents"])
    if document.get("continue_final_message") is True:
        options.setdefault("continue_final_message", True)
    return options


_TEXT_PARTS = frozenset({"text", "input_text", "output_text"})
_KINDS = {
    **{"image": "image", "audio": "audio", "video": "video", "file": "file", "document": "file"},
    **{"thinking": "reasoning", "reasoning": "reasoning"},
}
"""A word in the type of a content part → what is missing."""


def _missing(messages: list[Document]) -> Iterator[str]:
    """Name what messages hold beyond text: it is never counted as text."""
    for message in messages:
        content = message.get("content")
        for part in objects(content):
            kind = strings(part.get("type")) or "text"
            if kind not in _TEXT_PARTS or not isinstance(part.get("text"), str):
                yield next((name for word, name in _KINDS.items() if word in kind), "other input")
        if not isinstance(content, str) and leaves_out(content):
            yield "other input"
        if message.get("refusal"):
            yield "other input"
        if message.get("images"):
            yield "image"
        if message.get("audio"):
            yield "audio"


def _changes(document: Document) -> Iterator[str]:
    """Name what a request has a server of open models do to the prompt, and which only that server can do."""
    truncates = (document.get("truncate_prompt_tokens"), child(document, "parameters").get("truncate"))
    if any(value is not None for value in truncates):
        yield "truncation"
    if document.get("chat_template"):
        yield "own template"
    if document.get("suffix"):
        yield "suffix"


def asks_completion(document: Document) -> bool:
    """Say whether a request holds a bare prompt."""
    return "prompt" in document


def completion_prompt(document: Document) -> Prompt | None:
    """Return the bare texts of a completion."""
    return texts_asked(document, document.get("prompt"))


def texts_asked(document: Document, value: Any) -> Texts | None:
    """Return bare texts as a request would have them read; None where they are none."""
    texts = texts_of(value)
    if texts is None:
        return None
    special = document.get("add_special_tokens") is not False
    return replace(texts, special=special, missing=frozenset(_changes(document)))


def texts_of(value: Any) -> Texts | None:
    """Return bare texts given as a string, a list of them, or lists of token ids."""
    if isinstance(value, str):
        return Texts((value,))
    if not isinstance(value, list) or not value:
        return None
    if all(isinstance(item, str) for item in value):
        return Texts(tuple(value))
    if _are_ids(value):
        return Texts(token_ids=len(value))
    if all(isinstance(item, list) and _are_ids(item) for item in value):
        return Texts(token_ids=sum(len(item) for item in value))
    return None


def _are_ids(items: list[Any]) -> bool:
    return all(isinstance(item, int) and not isinstance(item, bool) for item in items)
