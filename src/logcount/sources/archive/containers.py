"""Turns files into events: a container is recognised by its content, never by its name."""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING

from logcount.sources.archive.capture import AVRO_MAGIC, read_capture
from logcount.sources.archive.documents import split_document
from logcount.sources.archive.framing import Framing, tell_framing
from logcount.sources.archive.limits import KIB, in_words
from logcount.sources.archive.lines import lines_between, split_lines
from logcount.sources.archive.streams import GZIP_MAGIC, BrokenStream, ByteStream, GzipReader, Readable, Utf16Reader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from logcount.model.events import LogEvent
    from logcount.sources.archive.limits import Limits
    from logcount.sources.archive.origin import Origin

    Reader = Callable[[ByteStream, Origin, Limits], Iterator[list[LogEvent]]]

_WINDOW = 8 * KIB
"""Bytes at the start of a file by which text and binary data are distinguished."""
_CONTROLS = bytes(set(range(32)) - set(b"\t\n\r\f\x1b")) + b"\x7f"
_MOST_CONTROLS = 0.1
"""Text has no control characters; in compressed data one byte in nine is one."""
_NOT_TEXT = (b"PK\x03\x04", b"PAR1", b"\x89PNG", b"%PDF", b"\x28\xb5\x2f\xfd", b"BZh", b"\xfd7zXZ", b"\x1f\x8b")
_UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def read_events(raw: Readable, origin: Origin, limits: Limits) -> Iterator[list[LogEvent]]:
    """Yield every event of a file, in order and in lists; if it ends too early or is no log, the last event says so."""
    stream = ByteStream(raw)
    if stream.peek(len(GZIP_MAGIC)) == GZIP_MAGIC:
        stream = ByteStream(GzipReader(stream, limits))
    position = 0
    try:
        for events in _tell_reader(stream)(stream, origin, limits):
            if events:
                position = events[-1].position
                yield events
    except BrokenStream as broken:
        yield [origin.problem(position + 1, broken.reason)]


def read_lines(
    raw: Readable, origin: Origin, limits: Limits, span: tuple[int, int | None], position: int
) -> Iterator[list[LogEvent]]:
    """Yield the events of those lines of a file that begin in a span of its bytes, after `position` earlier events.

    `raw` begins at the start of the span, or one byte before it; `holds_lines` is true for the file.
    """
    chunks = lines_between(ByteStream(raw).chunks(), *span)
    if span[0] == 0:
        chunks = _without_mark(chunks)
    return _of_lines(chunks, origin, limits, position)


def holds_lines(raw: Readable) -> bool:
    """Whether a file is plain lines, so that reading can begin after any newline."""
    stream = ByteStream(raw)
    if stream.peek(len(GZIP_MAGIC)) == GZIP_MAGIC or _tell_reader(stream) is not _read_text:
        return False
    return _framing(stream) is Framing.LINES


def _tell_reader(stream: ByteStream) -> Reader:
    if stream.peek(len(AVRO_MAGIC)) == AVRO_MAGIC:
        return _read_capture
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


def _refuse(stream: ByteStream, origin: Origin, limits: Limits) -> Iterator[list[LogEvent]]:
    yield [origin.problem(1, "not a log: binary data")]


def _read_capture(stream: ByteStream, origin: Origin, limits: Limits) -> Iterator[list[LogEvent]]:
    return ([event] for event in read_capture(stream, origin, limits))


def _read_utf16(stream: ByteStream, origin: Origin, limits: Limits) -> Iterator[list[LogEvent]]:
    yield from _read_text(ByteStream(Utf16Reader(stream)), origin, limits)


def _read_text(stream: ByteStream, origin: Origin, limits: Limits) -> Iterator[list[LogEvent]]:
    if _framing(stream) is Framing.LINES:
        return _of_lines(stream.chunks(), origin, limits, 0)
    elements = split_document(stream.chunks(), limits.event_bytes)
    return ([_event(data, position, origin, limits)] for position, data in enumerate(elements, start=1))


def _framing(stream: ByteStream) -> Framing:
    """Skip the byte order mark and return the framing of the text."""
    if stream.peek(len(codecs.BOM_UTF8)) == codecs.BOM_UTF8:
        stream.read(len(codecs.BOM_UTF8))
    return tell_framing(stream)


def _without_mark(chunks: Iterator[bytes]) -> Iterator[bytes]:
    start = b""
    while len(start) < len(codecs.BOM_UTF8) and (more := next(chunks, b"")):
        start += more
    yield start.removeprefix(codecs.BOM_UTF8)
    yield from chunks


def _of_lines(chunks: Iterable[bytes], origin: Origin, limits: Limits, position: int) -> Iterator[list[LogEvent]]:
    for lines in split_lines(chunks, limits.event_bytes):
        yield [_event(data, number, origin, limits) for number, data in enumerate(lines, start=position + 1)]
        position += len(lines)


def _event(data: bytes | None, position: int, origin: Origin, limits: Limits) -> LogEvent:
    if data is None:
        return origin.problem(position, f"larger than {in_words(limits.event_bytes)}")
    return origin.event(data, position)
