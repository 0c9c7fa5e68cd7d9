"""Files to events: a container is told by its content, never by its name."""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING

from logcount.sources.capture import AVRO_MAGIC, read_capture
from logcount.sources.documents import split_document
from logcount.sources.framing import Framing, tell_framing
from logcount.sources.limits import KIB, in_words
from logcount.sources.lines import split_lines
from logcount.sources.streams import GZIP_MAGIC, BrokenStream, ByteStream, GzipReader, Readable, Utf16Reader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from logcount.events import LogEvent
    from logcount.sources.limits import Limits
    from logcount.sources.origin import Origin

    Reader = Callable[[ByteStream, Origin, Limits], Iterator[LogEvent]]

_WINDOW = 8 * KIB
"""How much of a file is looked at to tell text from binary data."""
_CONTROLS = bytes(set(range(32)) - set(b"\t\n\r\f\x1b")) + b"\x7f"
_MOST_CONTROLS = 0.1
"""Text has none of them, compressed data one byte in nine."""
_NOT_TEXT = (b"PK\x03\x04", b"PAR1", b"\x89PNG", b"%PDF", b"\x28\xb5\x2f\xfd", b"BZh", b"\xfd7zXZ", b"\x1f\x8b")
_UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def read_events(raw: Readable, origin: Origin, limits: Limits) -> Iterator[LogEvent]:
    """Give every event of a file, in order; where the file breaks off or is no log, the last one says so."""
    stream = ByteStream(raw)
    if stream.peek(len(GZIP_MAGIC)) == GZIP_MAGIC:
        stream = ByteStream(GzipReader(stream, limits))
    position = 0
    try:
        for event in _tell_reader(stream)(stream, origin, limits):
            position = event.position
            yield event
    except BrokenStream as broken:
        yield origin.problem(position + 1, broken.reason)


def _tell_reader(stream: ByteStream) -> Reader:
    if stream.peek(len(AVRO_MAGIC)) == AVRO_MAGIC:
        return read_capture
    start = stream.peek(_WINDOW)
    if start.startswith(_UTF16_MARKS) and start[2:4] != b"\0\0":
        return _read_utf16
    return _refuse if _is_binary(start) else _read_text


def _is_binary(start: bytes) -> bool:
    if start.startswith(_NOT_TEXT):
        return True
    if b"\0" in start and start.lstrip()[:1] not in (b"{", b"["):
        return True
    return len(start) - len(start.translate(None, _CONTROLS)) > _MOST_CONTROLS * len(start)


def _refuse(stream: ByteStream, origin: Origin, limits: Limits) -> Iterator[LogEvent]:
    yield origin.problem(1, "not a log: binary data")


def _read_utf16(stream: ByteStream, origin: Origin, limits: Limits) -> Iterator[LogEvent]:
    yield from _read_text(ByteStream(Utf16Reader(stream)), origin, limits)


def _read_text(stream: ByteStream, origin: Origin, limits: Limits) -> Iterator[LogEvent]:
    if stream.peek(len(codecs.BOM_UTF8)) == codecs.BOM_UTF8:
        stream.read(len(codecs.BOM_UTF8))
    split = split_lines if tell_framing(stream) is Framing.LINES else split_document
    for position, data in enumerate(split(stream.chunks(), limits.event_bytes), start=1):
        if data is None:
            yield origin.problem(position, f"larger than {in_words(limits.event_bytes)}")
        else:
            yield origin.event(data, position)
