"""The chunks of a stream: all are checked when it is read, and each is built when it is asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, overload

import msgspec

from logcount import jsontext
from logcount.bodies.plain_chat import plain_chunks

Document = dict[str, Any]


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
        self.plain = plain_chunks(pieces)
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
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        raise jsontext.NotJson("a piece is no JSON object") from None
    return bool([head for head in heads if head.error or head.type == "error" or head.object == "error"])


def _read(piece: str) -> Document:
    try:
        document: Document = jsontext.decode(piece).value
    except jsontext.NotJson:  # it was checked, so that this is a number of thousands of digits: nobody reads it
        return {}
    return document
