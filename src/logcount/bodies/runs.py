r"""Runs of a stream: chunks one after another that differ in one text alone, of which one speaks for all.

Law: of the chunks that are left out, nothing but that text is unknown; whatever is in doubt is not told.

It is read as it lies in its event, a JSON string with its escapes, for most of a stream is the same over and over. In
there a quote of a chunk is written `\"`, and one within a text of it `\\\"`.
"""

from __future__ import annotations

from operator import itemgetter
from typing import Any, NamedTuple

import msgspec

Document = dict[str, Any]

_BEGIN, _BETWEEN, _LINE_ENDS, _END = b'"data: ', rb"\n\ndata: ", rb"\n\n", b"[DONE]"
_VARYING = tuple(name + colon + rb"\"" for colon in (rb"\":", rb"\": ") for name in (b"content", b"arguments", b"text"))
"""What stands before the text in which chunks differ; no API is told by it, and no model, error or usage."""
_QUOTE = rb"\""
_USAGE = b"usage"
_CLOSING_BYTES = 1024
"""How far from a stream's end its usage stands, if anywhere."""
_MOST_KEPT = 24
"""Chunks that are kept: with more of them little is gained."""
_MOST_CHUNKS = 100_000

_text = msgspec.json.Decoder(str).decode
_object = msgspec.json.Decoder(Document).decode


class _Anything(msgspec.Struct):
    """An object of which nothing is built."""


_check = msgspec.json.Decoder(_Anything).decode


class Runs(NamedTuple):
    """The chunks of a stream, of each run only the first."""

    documents: list[Document]
    opening: list[Document]
    """Those before which none was left out."""


def read_runs(data: bytes) -> Runs | None:
    """Return the chunks of a whole stream that may end with its usage; None for every other text.

    Args:
        data: a JSON string of a valid document in UTF-8, quotes, escapes and all.
    """
    if not data.startswith(_BEGIN) or data.find(_USAGE, max(len(data) - _CLOSING_BYTES, 0)) < 0:
        return None
    pieces = data.split(_BETWEEN)
    pieces[-1] = pieces[-1][:-1].removesuffix(_LINE_ENDS)  # and the quote at the end
    if pieces[-1] == _END:
        pieces.pop()
    try:
        kept = _keep(data, pieces) if len(pieces) <= _MOST_CHUNKS else None
        return _read(*kept) if kept else None
    except (msgspec.DecodeError, ValueError, RecursionError):
        return None


class _Run(NamedTuple):
    """Chunks that are left out."""

    frame: bytes
    """What each of them is without its text."""
    texts: bytes
    """The texts, between commas."""


def _keep(data: bytes, pieces: list[bytes]) -> tuple[list[bytes], list[_Run], int] | None:
    """Return the chunks to keep, what is left out, and how many of those kept stand before all that is."""
    pieces[0] = pieces[0][len(_BEGIN) :]
    kept: list[bytes] = []
    runs: list[_Run] = []
    opening, at, place = 0, 0, len(_BEGIN)
    while at < len(pieces) and len(kept) < _MOST_KEPT:
        piece = pieces[at]
        kept.append(piece)
        at, place = at + 1, place + len(piece) + len(_BETWEEN)
        head, tail = _around_text(piece)
        if not head or at == len(pieces) or not pieces[at].startswith(head):
            continue
        end = len(pieces)
        while not (pieces[end - 1].startswith(head) and pieces[end - 1].endswith(tail)):
            end -= 1
        if end == at:
            continue
        texts = list(map(itemgetter(slice(len(head), -len(tail))), pieces[at:end]))
        run = head + (tail + _BETWEEN + head).join(texts) + tail
        if not data.startswith(run, place):
            return None
        runs.append(_Run(head + tail, b",".join(texts)))
        opening, at, place = opening or len(kept), end, place + len(run) + len(_BETWEEN)
    return (kept, runs, opening or len(kept)) if at == len(pieces) else None


def _around_text(piece: bytes) -> tuple[bytes, bytes]:
    """Return what stands before and behind the text in which a chunk may differ from others; nothing if it has none."""
    for mark in _VARYING:
        start = piece.rfind(mark)
        close = piece.find(_QUOTE, start + len(mark)) if start >= 0 else -1
        if close >= 0:
            return piece[: start + len(mark)], piece[close:]
    return b"", b""


def _read(kept: list[bytes], runs: list[_Run], opening: int) -> Runs:
    """Build the chunks that are kept, and see that the others are as good.

    A text that stands between two quotes right behind one another in valid JSON stands in a string of its own; commas
    between texts show that no escape begins in one and ends in the next.

    Raises:
        ValueError: line ends stand in one of them, which part chunks.
        DecodeError: one of them is no JSON object.
    """
    together = [*kept, *(run.frame for run in runs), *(run.texts for run in runs)]
    text = _text(b'"%b"' % rb"\n".join(together))
    lines = text.split("\n")
    if len(lines) != len(together) or "\r" in text:
        raise ValueError("line ends")
    documents = [_object(line) for line in lines[: len(kept)]]
    for line in lines[len(kept) : len(kept) + len(runs)]:
        _check(line)
    for line in lines[len(kept) + len(runs) :]:
        _text(f'"{line}"')
    return Runs(documents, documents[:opening])
