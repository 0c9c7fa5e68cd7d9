"""Text Generation Inference's own generate API. Source: the types of the package `huggingface_hub` 2.4."""

from __future__ import annotations

from logcount.bodies.api import Api, Document, Documents, finish, strings
from logcount.bodies.apis.openai_prompts import texts_asked
from logcount.bodies.usage import child, to_tokens, usage_of
from logcount.model.content import Prompt, Reply, Usage


def _answers(document: Document) -> bool:
    return (
        "generated_text" in document
        or "generated_text" in child(document, "token")
        or (isinstance(document.get("token"), dict) and "text" in document["token"])
    )


def _usage(documents: Documents) -> Usage | None:
    """Return the counts of the details, which are there only where the caller asked for them."""
    details = next((found for document in reversed(documents) if (found := child(document, "details"))), {})
    prefill = details.get("prefill")
    prompt = to_tokens(details.get("input_length"))
    if prompt is None and isinstance(prefill, list) and prefill:
        prompt = len(prefill)
    return usage_of(prompt, to_tokens(details.get("generated_tokens")))


def _replies(documents: Documents) -> tuple[Reply, ...]:
    whole = [document for document in documents if isinstance(document.get("generated_text"), str)]
    if whole:
        return tuple(
            Reply(document["generated_text"], finish=finish(child(document, "details").get("finish_reason")))
            for document in whole
        )
    pieces = (child(document, "token") for document in documents)
    return (Reply("".join(strings(piece.get("text")) for piece in pieces if not piece.get("special"))),)


def _asks(document: Document) -> bool:
    return isinstance(document.get("inputs"), str)


def _prompt(document: Document) -> Prompt | None:
    return texts_asked(document, document.get("inputs"))


TGI = Api("tgi", _answers, _usage, _asks, _prompt, _replies)
