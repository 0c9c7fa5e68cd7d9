"""The usage fast path: answers in OpenAI's words that report their usage, of which little else is read.

Law: what is read here equals what the full reading says; an answer in doubt is left to the full reading.
A whole answer is checked to its end. Of a stream only the first and the last chunks are decoded. The middle is searched
for errors and for chunks that are no objects. One thing is not seen: a chunk in the middle that opens and closes with a
brace and is no strict JSON inside. The full reading then adds a flag and may say cut; all else is the same.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import msgspec

from logcount.bodies.usage import MOST_TOKENS, usage_of
from logcount.model.content import ModelResponse

if TYPE_CHECKING:
    from logcount.jsontext import Escaped

Document = dict[str, Any]

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


class _Completion(msgspec.Struct, frozen=True):
    """All that matters of a chat completion that reports its usage; the rest is checked, and not built."""

    object: str
    model: str
    usage: _Usage
    type: None = None
    error: Any = None


_answer = msgspec.json.Decoder(_Completion).decode


def answer_with_usage(text: str) -> ModelResponse | None:
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


class StreamEnds(NamedTuple):
    """The first and the last chunks of a stream."""

    opening: list[Document]
    closing: list[Document]


_START, _LINE_ENDS, _BETWEEN = b"data: {", rb"\n\n", rb"\n\ndata: "
_SEPARATOR, _DONE = b"}" + _BETWEEN + b"{", _BETWEEN + b"[DONE]"
_DECODED = 2
"""Chunks decoded at each end: Azure opens with one that names no model, and usage may precede another chunk."""
_CLOSING_BYTES = 1024
"""How far from the end of a stream its usage stands."""
_MOST_BYTES = 1_000_000
"""Above this a stream may have more chunks than are read."""
_ERROR = rb"\"error\""
_HIDING = re.compile(rb"u00(?:0|22|[4-7])")
"""Escapes that may hide a line end, a quote, a backslash, or a letter of a key."""

_text = msgspec.json.Decoder(str).decode
_object = msgspec.json.Decoder(Document).decode


def stream_ends(text: Escaped) -> StreamEnds | None:
    """Return the ends of a whole stream of server-sent events that may close with its usage; None for other texts."""
    data = bytes(text.data)
    if not data.startswith(_START) or data.find(b"usage", max(len(data) - _CLOSING_BYTES, 0)) < 0:
        return None
    data = data.removesuffix(_LINE_ENDS).removesuffix(_DONE)
    if not data.endswith(b"}") or not _is_regular(data):
        return None
    data = data[len(_START) - 1 :]
    try:
        opening = [_chunk(piece) for piece in data.split(_BETWEEN, _DECODED)[:_DECODED]]
        closing = [_chunk(piece) for piece in data.rsplit(_BETWEEN, _DECODED)[-_DECODED:]]
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None
    return StreamEnds(opening, closing)


def _is_regular(data: bytes) -> bool:
    """Say whether a stream is of objects alone, and none of them can be an error."""
    if len(data) > _MOST_BYTES or _ERROR in data or _HIDING.search(data):
        return False
    between = data.count(_SEPARATOR)
    return between >= 2 * _DECODED - 1 and between == data.count(b"data: ") - 1


def _chunk(piece: bytes) -> Document:
    return _object(_text(b'"%b"' % piece))
