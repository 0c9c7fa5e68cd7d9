"""Chat completions and completions in OpenAI's words, which most servers of open models speak.

Also: Azure OpenAI, Azure AI Inference, vLLM, TGI and Hugging Face, Mistral, Groq (whose streams put usage under
`x_groq`), DeepSeek, Together, SageMaker. Source: the types of the packages `openai` 3.54 and `mistralai` 3.7.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from msgspec.structs import replace

from logcount.bodies.api import Api, Document, Documents, finish, objects, strings
from logcount.bodies.apis.openai_prompts import asks_chat, asks_completion, chat_prompt, completion_prompt
from logcount.bodies.usage import child, read_usage
from logcount.model.content import Finish, Reply, Usage


def _first_choice(document: Document) -> Document:
    return next(iter(objects(document.get("choices"))), {})


def _is_chat(document: Document) -> bool:
    return not {"message", "delta"}.isdisjoint(_first_choice(document)) or strings(document.get("object")).startswith(
        "chat.completion"
    )


def _is_completion(document: Document) -> bool:
    return "text" in _first_choice(document) or strings(document.get("object")) in {
        "text_completion",
        "text.completion",
    }


def _has_choices(document: Document) -> bool:
    return isinstance(document.get("choices"), list)


def _usage(documents: Documents) -> Usage | None:
    """Return the last usage; while no choice is finished it is a running count of a stream."""
    told = ((usage, document) for document in reversed(documents) if (usage := _usage_of_chunk(document)))
    usage, closing = next(told, (None, None))
    if usage is None or closing is None or len(documents) < 2 or not closing.get("choices"):
        return usage
    choices = (choice for document in reversed(documents) for choice in objects(document.get("choices")))
    return usage if any(choice.get("finish_reason") for choice in choices) else replace(usage, interim=True)


def _usage_of_chunk(document: Document) -> Usage | None:
    return read_usage(document.get("usage")) or read_usage(child(document, "x_groq").get("usage"))


@dataclass(slots=True)
class _Choice:
    """One choice as its chunks come in."""

    text: list[str] = field(default_factory=list)
    reasoning: list[str] = field(default_factory=list)
    calls: dict[Any, Document] = field(default_factory=dict)
    ids: dict[Any, str] = field(default_factory=dict)
    finish: Finish = Finish.UNKNOWN
    missing: set[str] = field(default_factory=set)

    def take(self, choice: Document) -> None:
        """Add what one chunk says of this choice."""
        self.text.append(strings(choice.get("text")))
        for key in ("message", "delta"):
            self._take_message(child(choice, key))
        reason = choice.get("finish_reason")
        if reason is None and isinstance(choice.get("stop_reason"), str):
            self.finish = finish(choice["stop_reason"])  # DeepSeek and Mistral on Bedrock
        elif reason:
            self.finish = finish(reason)
            if self.finish is Finish.STOP_EITHER and "stop_reason" in choice:  # vLLM names the string that it met
                self.finish = Finish.STOP_STRING if isinstance(choice["stop_reason"], str) else Finish.STOP

    def _take_message(self, message: Document) -> None:
        content = message.get("content")
        for part in [{"text": content}] if isinstance(content, str) else objects(content):
            self._take_part(part)
        self.text.append(strings(message.get("refusal")))
        self.reasoning.append(strings(message.get("reasoning_content")) or strings(message.get("reasoning")))
        if message.get("audio"):
            self.missing.add("audio")
        if function := child(message, "function_call"):
            self._take_call("function", {"function": function})
        for order, call in enumerate(objects(message.get("tool_calls"))):
            self._take_call(call.get("index", order), call)

    def _take_part(self, part: Document) -> None:
        if part.get("type") == "thinking":  # Mistral's reasoning, in parts of its own
            thinking = part.get("thinking")
            self.reasoning.extend(
                [thinking] if isinstance(thinking, str) else [strings(piece.get("text")) for piece in objects(thinking)]
            )
        elif isinstance(part.get("text"), str):
            self.text.append(part["text"])
        elif strings(part.get("type")) not in {"", "text"}:
            self.missing.add("other output")

    def _take_call(self, key: Any, call: Document) -> None:
        key = key if isinstance(key, int | str) else None
        function, identity = child(call, "function"), strings(call.get("id"))
        if identity and function.get("name") and self.ids.setdefault(key, identity) != identity:
            key = identity  # Gemini numbers every call of a stream 0
        known = self.calls.setdefault(key, {"name": "", "arguments": ""})
        known["name"] = known["name"] or strings(function.get("name"))
        arguments = function.get("arguments")
        if isinstance(arguments, str):
            known["arguments"] = strings(known["arguments"]) + arguments
        elif isinstance(arguments, dict):
            known["arguments"] = arguments

    def reply(self) -> Reply:
        """Return the whole choice."""
        calls = tuple({"type": "function", "function": dict(call)} for call in self.calls.values() if call["name"])
        if len(calls) < len(self.calls):  # custom tools, and what is left of a call whose beginning was lost
            self.missing.add("other output")
        return Reply("".join(self.text), "".join(self.reasoning), calls, self.finish, frozenset(self.missing))


def choices_of(documents: Documents) -> tuple[Reply, ...]:
    """Return the visible output of every choice, streamed or not."""
    choices: dict[Any, _Choice] = {}
    for document in documents:
        for order, choice in enumerate(objects(document.get("choices"))):
            index = choice.get("index", order)
            choices.setdefault(index if isinstance(index, int) else order, _Choice()).take(choice)
    return tuple(choice.reply() for choice in choices.values())


CHAT = Api("chat", _is_chat, _usage, asks_chat, chat_prompt, choices_of)
COMPLETIONS = Api("completions", _is_completion, _usage, asks_completion, completion_prompt, choices_of)
CHOICES = Api("chat", _has_choices, _usage, asks_chat, chat_prompt, choices_of)
"""For answers whose choices are empty, such as Azure's opening chunk alone: whatever comes of it is chat."""
