"""Embeddings and reranking of all providers: prompt tokens only, never a completion.

Sources: the types of the packages `openai` 3.54, `cohere` 7.3.1, `ollama` 0.6.3; api.voyageai.com answers in OpenAI's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from logcount.bodies.api import Api, Document, Documents, last_usage, objects
from logcount.bodies.apis.openai_prompts import texts_asked
from logcount.bodies.usage import child, read_usage, to_tokens, usage_of
from logcount.model.content import Texts

if TYPE_CHECKING:
    from logcount.model.content import Prompt, Usage

_TEXTS = ("input", "texts", "inputs", "prompt")


def _answers(document: Document) -> bool:
    if {"embedding", "embeddings"} & document.keys():
        return True
    if "relevance_score" in next(iter(objects(document.get("results"))), {}):
        return True
    return "embedding" in next(iter(objects(document.get("data"))), {})


def _usage(documents: Documents) -> Usage | None:
    return last_usage(documents, _usage_of)


def _usage_of(document: Document) -> Usage | None:
    """Return the one number that embeddings have; Cohere's search units are no tokens."""
    usage = read_usage(document.get("usage")) or read_usage(document.get("meta"))
    if usage is not None:
        return usage_of(usage.prompt or usage.total, 0)
    counts = (to_tokens(document.get(key)) for key in ("prompt_eval_count", "inputTextTokenCount"))  # Ollama, Titan
    return usage_of(next((count for count in counts if count), None), 0)


def _asks(document: Document) -> bool:
    return any(key in document for key in _TEXTS) and "messages" not in document


def _prompt(document: Document) -> Prompt | None:
    value = next((document[key] for key in _TEXTS if key in document), None)
    texts = texts_asked(document, value)
    if texts is None and (documents := objects(value)):  # Cohere v2: parts with text or images
        parts = [part for item in documents for part in objects(item.get("content")) or [item]]
        kept = tuple(part["text"] for part in parts if isinstance(part.get("text"), str))
        return Texts(kept, missing=frozenset() if len(kept) == len(parts) else frozenset({"image"}))
    return texts


EMBEDDINGS = Api("embeddings", _answers, _usage, _asks, _prompt, generates=False)


def _is_rerank(document: Document) -> bool:
    return "query" in document and isinstance(document.get("documents"), list)


def _billed(documents: Documents) -> Usage | None:
    return last_usage(documents, lambda document: read_usage(child(document, "meta")))


RERANK = Api("rerank", lambda _document: False, _billed, _is_rerank, lambda _document: None, generates=False)
