"""A glance at an answer: most are one document in OpenAI's words, of which only a few keys matter.

Law: what is told at a glance equals what is told by all of the answer; whatever is in doubt is not told.
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from logcount.bodies.usage import MOST_TOKENS, usage_of
from logcount.content import ModelResponse

_Tokens = Annotated[int, msgspec.Meta(ge=0, le=MOST_TOKENS)]


class _PromptDetails(msgspec.Struct, frozen=True):
    cached_tokens: _Tokens | None = None


class _CompletionDetails(msgspec.Struct, frozen=True):
    reasoning_tokens: _Tokens | None = None


class _Usage(msgspec.Struct, frozen=True):
    """A usage that is whole, in numbers alone."""

    prompt_tokens: _Tokens
    completion_tokens: _Tokens
    total_tokens: _Tokens | None = None
    prompt_tokens_details: _PromptDetails | None = None
    completion_tokens_details: _CompletionDetails | None = None
    prompt_cache_hit_tokens: _Tokens | None = None


class _Answer(msgspec.Struct, frozen=True):
    """All that matters of a chat completion that reports its usage; the rest is checked, and not built."""

    object: str
    model: str
    usage: _Usage
    type: None = None
    error: Any = None


_answer = msgspec.json.Decoder(_Answer).decode


def glance(text: str) -> ModelResponse | None:
    """Return what a whole chat completion says that reports its usage whole; None for every other body."""
    try:
        answer = _answer(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None
    if not answer.object.startswith("chat.completion") or not answer.model or answer.error:
        return None
    told, asked, said = answer.usage, answer.usage.prompt_tokens_details, answer.usage.completion_tokens_details
    cached = asked.cached_tokens if asked else None
    usage = usage_of(
        told.prompt_tokens,
        told.completion_tokens,
        told.total_tokens,
        cached=told.prompt_cache_hit_tokens if cached is None else cached,
        reasoning=said.reasoning_tokens if said else None,
    )
    return None if usage is None else ModelResponse("chat", answer.model, usage)
