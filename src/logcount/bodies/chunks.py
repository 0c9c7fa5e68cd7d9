"""The chunks of a stream, and chat answers of text alone.

Law: a plain answer is text and nothing else, without usage. It is read into structs, ten times as fast as into
dictionaries, and says the same. A key that is not known here makes it no plain answer. The chunks of every other stream
are all checked at once, and each is built when it is asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Literal, overload

import msgspec

from logcount import jsontext
from logcount.bodies.api import finish
from logcount.model.content import Finish, ModelResponse, Reply

Document = dict[str, Any]


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


class PlainChunk(_Envelope):
    """A chunk of a streamed answer."""

    object: Literal["chat.completion.chunk"]
    choices: list[_Piece]


class _Completion(_Envelope):
    object: Literal["chat.completion"]
    choices: list[_Choice]


_chunk = msgspec.json.Decoder(PlainChunk).decode
_answer = msgspec.json.Decoder(_Completion).decode
_FAILURES = (msgspec.DecodeError, UnicodeError, RecursionError)


def _plain_chunks(pieces: Sequence[str]) -> list[PlainChunk] | None:
    """Return the chunks of a stream, each a piece of JSON; None where one of them is more than plain."""
    try:
        _chunk(pieces[-1])  # which is where usage stands, if anywhere
        return [_chunk(piece) for piece in pieces]
    except (*_FAILURES, IndexError):
        return None


def answer_of_chunks(chunks: Iterable[PlainChunk], *, cut: bool) -> ModelResponse:
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


class _Head(msgspec.Struct, frozen=True):
    """By what a chunk says that it is an error: read without building the rest, which is checked all the same."""

    object: Any = None
    type: Any = None
    error: Any = None


_head = msgspec.json.Decoder(_Head).decode


def says_error(document: Document) -> bool:
    """Say whether a document is an error, or tells of one."""
    return bool(document.get("error")) or document.get("type") == "error" or document.get("object") == "error"


class Chunks(Sequence[Document]):
    """The JSON objects of a stream; it equals the tuple of them.

    Raises:
        NotJson: a piece is no JSON object, or one that only a lenient reader takes.
    """

    def __init__(self, pieces: Sequence[str]) -> None:
        self.plain = _plain_chunks(pieces)
        """All of them, where they are pieces of a plain chat answer."""
        self.any_error = self.plain is None and _any_error(pieces)
        """Whether any of them says that it is an error."""
        self._pieces = pieces
        self._built: dict[int, Document] = {}

    def __len__(self) -> int:
        return len(self._pieces)

    @overload
    def __getitem__(self, index: int) -> Document: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[Document]: ...

    def __getitem__(self, index: int | slice) -> Document | Sequence[Document]:
        numbers = range(len(self._pieces))
        return self._build(numbers[index]) if isinstance(index, int) else [self._build(at) for at in numbers[index]]

    def __iter__(self) -> Iterator[Document]:
        return map(self._build, range(len(self._pieces)))

    def __reversed__(self) -> Iterator[Document]:
        return map(self._build, reversed(range(len(self._pieces))))

    def __eq__(self, other: object) -> bool:
        return tuple(self) == tuple(other) if isinstance(other, Sequence) else NotImplemented

    __hash__ = None  # type: ignore[assignment]  # as of the dictionaries that it holds

    def _build(self, at: int) -> Document:
        document = self._built.get(at)
        if document is None:
            document = self._built[at] = _read(self._pieces[at])
        return document


def _any_error(pieces: Sequence[str]) -> bool:
    try:
        heads = [_head(piece) for piece in pieces]
    except _FAILURES:
        raise jsontext.NotJson("a piece is no JSON object") from None
    return bool([head for head in heads if head.error or head.type == "error" or head.object == "error"])


def _read(piece: str) -> Document:
    try:
        document: Document = jsontext.decode(piece).value
    except jsontext.NotJson:  # it was checked, so that this is a number of thousands of digits: nobody reads it
        return {}
    return document
