r"""Runs of a stream: chunks one after another that differ in one text alone, of which one speaks for all.

Law: of the chunks that are left out, nothing but that text is unknown; whatever is in doubt is not told.

It is read as it lies in its event, a JSON string with its escapes, for most of a stream is the same over and over. In
there a quote of a chunk is written `\"`, and one within a text of it `\\\"`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec

Document = dict[str, Any]

_BEGIN, _BETWEEN, _LINE_ENDS, _END = b"data: ", rb"\n\ndata: ", rb"\n\n", b"[DONE]"
_VARYING = rb'content\":\"', rb'arguments\":\"', rb'text\":\"'
"""What stands before the text in which chunks differ; no API is told by it, and no model, error or usage."""
_QUOTE = rb"\""
_USAGE = b"usage"
_CLOSING_BYTES = 4096
"""How far from a stream's end its usage stands, if anywhere."""
_MOST_KEPT = 24
"""Chunks that are kept: with more of them little is gained."""
_MOST_CHUNKS = 100_000

_text = msgspec.json.Decoder(str).decode
_object = msgspec.json.Decoder(Document).decode


class Runs(NamedTuple):
    """The chunks of a stream, of each run only the first."""

    documents: list[Document]
    opening: list[Document]
    """Those before which none was left out."""


def read_runs(data: bytes) -> Runs | None:
    """Return the chunks of a whole stream that may end with its usage; None for every other text.

    Args:
        data: a JSON string without its quotes, escapes and all, of a valid document in UTF-8.
    """
    if not data.startswith(_BEGIN) or data.find(_USAGE, max(len(data) - _CLOSING_BYTES, 0)) < 0:
        return None
    pieces = data[len(_BEGIN) :].split(_BETWEEN)
    pieces[-1] = pieces[-1].removesuffix(_LINE_ENDS)
    if pieces[-1] == _END:
        pieces.pop()
    try:
        return _read(pieces) if len(pieces) <= _MOST_CHUNKS else None
    except (msgspec.DecodeError, ValueError, RecursionError):
        return None


def _read(pieces: list[bytes]) -> Runs | None:
    found: list[Document] = []
    opening, at = 0, 0
    while at < len(pieces) and len(found) < _MOST_KEPT:
        found.append(_document(pieces[at]))
        run = _run(pieces, at)
        opening = opening or (len(found) if run else 0)
        at += 1 + run
    return Runs(found, found[: opening or len(found)]) if at == len(pieces) else None


def _run(pieces: list[bytes], at: int) -> int:
    """Return how many chunks there are behind one that differ from it in its text alone.

    Raises:
        ValueError: there may be some, and others between them.
        DecodeError: one of them is no JSON.
    """
    head, tail = _around_text(pieces[at])
    if not head or at + 1 == len(pieces) or not pieces[at + 1].startswith(head):
        return 0
    end = len(pieces)
    while not (pieces[end - 1].startswith(head) and pieces[end - 1].endswith(tail)):
        end -= 1
    if end <= at + 1:
        return 0
    run = pieces[at + 1 : end]
    texts = [one[len(head) : -len(tail)] for one in run]
    if (tail + head).join(texts) != b"".join(run)[len(head) : -len(tail)]:
        raise ValueError("others between them")
    _document(head + tail)  # so that what stands between them can be nothing but a text
    _text(f'"{_unescaped(b",".join(texts))}"')  # no escape can begin in one text and end in the next
    return len(run)


def _around_text(piece: bytes) -> tuple[bytes, bytes]:
    """Return what stands before and behind the text in which a chunk may differ from others; nothing if it has none."""
    for mark in _VARYING:
        start = piece.rfind(mark)
        close = piece.find(_QUOTE, start + len(mark)) if start >= 0 else -1
        if close >= 0:
            return piece[: start + len(mark)], piece[close:]
    return b"", b""


def _document(piece: bytes) -> Document:
    """Return a chunk; raises ValueError where it holds line ends, which part chunks."""
    text = _unescaped(piece)
    if "\n" in text or "\r" in text:
        raise ValueError("line ends")
    return _object(text)


def _unescaped(data: bytes) -> str:
    return _text(b'"%b"' % data)
