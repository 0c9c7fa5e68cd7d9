"""The own completion API of llama.cpp's server. Source: ggml-org/llama.cpp, tools/server/README.md."""

from __future__ import annotations

from msgspec.structs import replace

from logcount.bodies.api import Api, Document, Documents, last_usage, strings
from logcount.bodies.apis.openai_prompts import texts_of
from logcount.bodies.usage import to_tokens, usage_of
from logcount.model.content import Finish, Prompt, Reply, Usage


def _answers(document: Document) -> bool:
    return "tokens_predicted" in document or (isinstance(document.get("stop"), bool) and "content" in document)


def _usage(documents: Documents) -> Usage | None:
    """Return the last counts; until a chunk says that it stopped they are running ones."""
    usage = last_usage(documents, _counts)
    stopped = any(document.get("stop") is True for document in documents)
    return usage if usage is None or stopped or len(documents) == 1 else replace(usage, interim=True)


def _counts(document: Document) -> Usage | None:
    return usage_of(to_tokens(document.get("tokens_evaluated")), to_tokens(document.get("tokens_predicted")))


def _replies(documents: Documents) -> tuple[Reply, ...]:
    text = "".join(strings(document.get("content")) for document in documents)
    finish = next((found for document in reversed(documents) if (found := _finish(document))), Finish.UNKNOWN)
    return (Reply(text, finish=finish),)


_STOPS = (("stopped_eos", Finish.STOP), ("stopped_limit", Finish.LENGTH), ("stopped_word", Finish.STOP_STRING))
"""The words of servers of before 2025."""


def _finish(document: Document) -> Finish | None:
    kinds = {"eos": Finish.STOP, "limit": Finish.LENGTH, "word": Finish.STOP_STRING}
    older = (finish for key, finish in _STOPS if document.get(key) is True)
    return kinds.get(strings(document.get("stop_type"))) or next(older, None)


def _asks(document: Document) -> bool:
    return "prompt" in document and not {"n_predict", "cache_prompt", "id_slot"}.isdisjoint(document)


def _prompt(document: Document) -> Prompt | None:
    return texts_of(document.get("prompt"))


LLAMA_CPP = Api("llama.cpp", _answers, _usage, _asks, _prompt, _replies)
