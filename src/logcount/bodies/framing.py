"""Takes the framing off a body: one JSON document, or the documents of a stream, whichever way they were sent.

Known framings: JSON, a JSON array of chunks, JSON lines, server-sent events (WHATWG HTML §9.2), and
`application/vnd.amazon.eventstream`, as bytes or as the text that is left of it when a gateway read it as characters.
"""

from __future__ import annotations

import re
import zlib
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec.structs import replace

from logcount import jsontext
from logcount.bodies.chunks import Chunks
from logcount.bodies.eventstream import Found, is_eventstream, opens_like_eventstream, read_messages, read_remains

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from logcount.model.exchanges import Body

UNREADABLE = "unreadable-body"
"""Flag: a body is in no known framing."""
LOST_CHUNKS = "lost-chunks"
"""Flag: parts of a stream could not be read."""

MOST_DOCUMENTS = 200_000
"""Documents of a body that are read: a stream has one for a token, and no reply comes near."""

EXPANDED_BYTES = 16 * 2**20
"""What a compressed body may expand to: eight times the 2 MB that APIM logs of a message at most."""


class Framed(msgspec.Struct, frozen=True):
    """The JSON objects of a body, in order."""

    documents: Sequence[dict[str, Any]] = ()
    streamed: bool = False
    cut: bool = False
    flags: frozenset[str] = frozenset()
    cut_keys: frozenset[str] = frozenset()
    """The keys whose values the cut fell into."""


_TEXT_KEYS = frozenset(
    {
        *("content", "text", "reasoning", "reasoning_content", "thinking", "arguments", "refusal", "partial_json"),
        *("generated_text", "generation", "outputText", "completion", "response", "delta", "output_text", "output"),
        *("prompt", "input", "inputs", "inputText", "message", "system", "instructions", "query", "texts"),
    }
)
"""Keys under which a cut string is still worth counting as far as it goes."""


def unframe(body: Body) -> Framed:
    """Return what is in a body, and no more documents of it than a stream can have; never raises."""
    framed = _unframe(body)
    if len(framed.documents) <= MOST_DOCUMENTS:
        return framed
    return replace(framed, documents=framed.documents[:MOST_DOCUMENTS], flags=framed.flags | {LOST_CHUNKS})


def _unframe(body: Body) -> Framed:
    data = body.data
    if isinstance(data, dict):
        return Framed((data,), cut=body.cut)
    if isinstance(data, list):
        return Framed(_objects(data), streamed=True, cut=body.cut)
    flags: frozenset[str] = frozenset()
    if isinstance(data, jsontext.Escaped):
        data = data.text()
    if isinstance(data, bytes):
        data, whole = _expanded(data)
        body_cut = body.cut or not whole
        if is_eventstream(data):
            return _messages(read_messages(data), cut=body_cut)
        text, flags = jsontext.text_of(data)
    else:
        text, body_cut = str(data), body.cut
    framed = _unframe_text(text.strip("\ufeff\x00 \t\r\n"), cut=body_cut)
    return replace(framed, flags=framed.flags | flags) if flags else framed


def _expanded(data: bytes) -> tuple[bytes, bool]:
    """Undo the content encoding gzip, which gateways log as it came."""
    if not data.startswith(b"\x1f\x8b"):
        return data, True
    expander = zlib.decompressobj(wbits=31)
    try:
        expanded = expander.decompress(data, EXPANDED_BYTES)
    except zlib.error:
        return data, True
    return expanded, expander.eof


def _objects(values: Iterable[Any]) -> tuple[dict[str, Any], ...]:
    return tuple(value for value in values if isinstance(value, dict))


_SSE = re.compile(r"(?:data|event|id|retry)?:")


def _unframe_text(text: str, *, cut: bool) -> Framed:
    text = _without_quotes(text)
    if text[:1] not in {"{", "["} and _SSE.match(text):
        return _server_sent_events(text, cut=cut)
    if text[:1] not in {"{", "["} or opens_like_eventstream(text):
        return _messages(read_remains(text), cut=cut) if text else Framed()
    try:
        reading = jsontext.decode(text)
    except jsontext.NotJson as error:
        return _lines(text, cut=cut) or _broken(text, error)
    if isinstance(reading.value, list):
        return Framed(_objects(reading.value), streamed=True, cut=cut, flags=reading.flags)
    return Framed(_objects([reading.value]), cut=cut, flags=reading.flags)


def _messages(found: Found | None, *, cut: bool) -> Framed:
    if found is None:
        return Framed(flags=frozenset({UNREADABLE}))
    documents, breaks_off = found
    return Framed(tuple(documents), streamed=True, cut=cut or breaks_off)


def _without_quotes(text: str) -> str:
    """Return the text that somebody's expression wrote as a JSON string once more than was needed."""
    if not text.startswith('"'):
        return text
    try:
        inner = jsontext.decode(text).value
    except jsontext.NotJson:
        return text
    return inner.strip() if isinstance(inner, str) else text


def _broken(text: str, error: jsontext.NotJson) -> Framed:
    """Read a document that breaks off; one that is broken in another way is unreadable."""
    if isinstance(error, jsontext.TooDeeplyNested):
        return Framed(flags=frozenset({UNREADABLE}))
    try:
        reading, keys = jsontext.decode_cut(text, _TEXT_KEYS.__contains__)
    except jsontext.NotJson:
        return Framed(flags=frozenset({UNREADABLE}))
    values = reading.value if isinstance(reading.value, list) else [reading.value]
    streamed = isinstance(reading.value, list)
    return Framed(_objects(values), streamed, cut=True, flags=reading.flags, cut_keys=frozenset(keys))


def _lines(text: str, *, cut: bool) -> Framed | None:
    """Read JSON lines; None where the first line is no whole document."""
    lines = _LINE_END.split(text)  # not `splitlines`: JSON strings may hold U+2028 and others that it takes for ends
    if len(lines) < 2:
        return None
    try:
        jsontext.decode(lines[0])
    except jsontext.NotJson:
        return None
    return _stream(lines, cut=cut)


def _server_sent_events(text: str, *, cut: bool) -> Framed:
    if (plain := _plain_events(text, cut=cut)) is not None:
        return plain
    pieces, ended = _events(text)
    framed = _stream(pieces, cut=cut)
    return replace(framed, cut=False) if framed.cut and ended else framed


_BETWEEN = "\n\ndata: "
_END = "[DONE]"


def _plain_events(text: str, *, cut: bool) -> Framed | None:
    """Read events that have nothing but a whole line of data each, as most do; None where one has not."""
    if not text.startswith(_BETWEEN[2:]) or "\r" in text:
        return None
    pieces = text[len(_BETWEEN) - 2 :].split(_BETWEEN)
    ended = pieces[-1] == _END
    if ended:
        pieces.pop()
    if len(pieces) > MOST_DOCUMENTS or "\n" in "".join(pieces):
        return None
    try:
        return Framed(Chunks(pieces), streamed=True, cut=cut and not ended)
    except jsontext.NotJson:
        return None


def _events(text: str) -> tuple[list[str], bool]:
    """Return the data of every event, and whether they were ended."""
    pieces: list[str] = []
    ended = False
    for data in _event_data(text):
        if data.strip() == _END:
            ended = True
        elif data.strip():
            pieces.append(data)
        if len(pieces) > MOST_DOCUMENTS:
            break
    return pieces, ended


_LINE_END = re.compile(r"\r\n|\n|\r")


def _event_data(text: str) -> Iterator[str]:
    """Return the data of every event; data lines between which an end was lost are events of their own."""
    lines: list[str] = []
    for line in [*_LINE_END.split(text), ""]:
        if line.startswith("data:"):
            lines.append(line[5:].removeprefix(" "))
        elif not line:
            whole = len(lines) > 1 and not all(piece.lstrip().startswith(("{", _END)) for piece in lines)
            yield from ["\n".join(lines)] if whole else lines
            lines = []


def _stream(pieces: list[str], *, cut: bool) -> Framed:
    """Read the documents of a stream; the last one may be cut, and others may be lost."""
    if len(pieces) <= MOST_DOCUMENTS:
        try:
            return Framed(Chunks(pieces), streamed=True, cut=cut)
        except jsontext.NotJson:
            pass
    return _broken_stream(pieces, cut=cut)


def _broken_stream(pieces: list[str], *, cut: bool) -> Framed:
    """Read a stream of which a piece is not whole, or no JSON object."""
    pieces = [piece for piece in pieces if piece.strip()]
    documents: list[Any] = []
    flags = {LOST_CHUNKS} if len(pieces) > MOST_DOCUMENTS else set()
    for number, piece in enumerate(pieces[:MOST_DOCUMENTS], 1):
        try:
            reading = jsontext.decode(piece)
        except jsontext.NotJson as error:
            if number < len(pieces):
                flags.add(LOST_CHUNKS)
                continue
            last = _broken(piece, error)
            documents.extend(last.documents)
            return replace(last, documents=_objects(documents), streamed=True, cut=True, flags=last.flags | flags)
        flags |= reading.flags
        documents.append(reading.value)
    return Framed(_objects(documents), streamed=True, cut=cut, flags=frozenset(flags))
