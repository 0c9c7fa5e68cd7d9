"""Chat answers of the plainest kind, whole or streamed: text alone, and no usage.

Law: what is read here equals what is read by building all of the answer; a key that is not known here leaves the answer
to others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import msgspec

from logcount.bodies.api import finish
from logcount.content import Finish, ModelResponse, Reply

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class _Said(msgspec.Struct, forbid_unknown_fields=True):
    """A message, or a piece of one, that holds nothing but text."""

    role: str | None = None
    content: str | None = None
    refusal: None = None
    reasoning: None = None
    reasoning_content: None = None
    tool_calls: None = None
    function_call: None = None
    audio: None = None
    annotations: Any = None


class _Ending(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """What stands around a choice's message."""

    index: int
    finish_reason: str | None = None
    stop_reason: int | str | msgspec.UnsetType | None = msgspec.UNSET
    logprobs: Any = None
    content_filter_results: Any = None

    def finish(self) -> Finish | None:
        """Return why the choice ended; None where this does not say."""
        if self.finish_reason is None:
            return finish(self.stop_reason) if isinstance(self.stop_reason, str) else None
        found = finish(self.finish_reason) if self.finish_reason else None
        if found is Finish.STOP_EITHER and self.stop_reason is not msgspec.UNSET:  # vLLM names the string that it met
            return Finish.STOP_STRING if isinstance(self.stop_reason, str) else Finish.STOP
        return found


class _Piece(_Ending):
    delta: _Said


class _Choice(_Ending):
    message: _Said


class _Envelope(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """What stands around the choices."""

    id: Any = None
    created: Any = None
    model: str | None = None
    system_fingerprint: Any = None
    service_tier: Any = None
    provider: Any = None
    prompt_filter_results: Any = None
    prompt_logprobs: Any = None
    kv_transfer_params: Any = None
    usage: None = None


class Chunk(_Envelope):
    """A chunk of a streamed answer."""

    object: Literal["chat.completion.chunk"]
    choices: list[_Piece]


class _Answer(_Envelope):
    object: Literal["chat.completion"]
    choices: list[_Choice]


_chunk = msgspec.json.Decoder(Chunk).decode
_answer = msgspec.json.Decoder(_Answer).decode
_FAILURES = (msgspec.DecodeError, UnicodeError, RecursionError)


def plain_chunks(pieces: Sequence[str]) -> list[Chunk] | None:
    """Return the chunks of a stream, each a piece of JSON; None where one of them is more than plain."""
    try:
        _chunk(pieces[-1])  # which is where usage stands, if anywhere
        return [_chunk(piece) for piece in pieces]
    except (*_FAILURES, IndexError):
        return None


def answer_of_chunks(chunks: Iterable[Chunk], *, cut: bool) -> ModelResponse:
    """Return what a streamed answer says."""
    texts: dict[int, list[str]] = {}
    finishes: dict[int, Finish] = {}
    model = None
    for chunk in chunks:
        model = model or chunk.model
        for choice in chunk.choices:
            index = choice.index
            if index not in texts:
                texts[index] = []
            if choice.delta.content:
                texts[index].append(choice.delta.content)
            found = choice.finish()
            if found is not None:
                finishes[index] = found
    replies = [Reply("".join(text), finish=finishes.get(index, Finish.UNKNOWN)) for index, text in texts.items()]
    return ModelResponse("chat", model or None, replies=tuple(replies), cut=cut)


def plain_answer(text: str) -> ModelResponse | None:
    """Return what a whole answer says; None where it is more than plain."""
    try:
        answer = _answer(text)
    except _FAILURES:
        return None
    if len({choice.index for choice in answer.choices}) < len(answer.choices):
        return None
    replies = [
        Reply(choice.message.content or "", finish=choice.finish() or Finish.UNKNOWN) for choice in answer.choices
    ]
    return ModelResponse("chat", answer.model or None, replies=tuple(replies))
