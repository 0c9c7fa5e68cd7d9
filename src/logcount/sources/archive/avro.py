"""Avro object container files, block by block and within bounds (Avro specification 1.11, "Object Container Files").

A torn or corrupt block loses only that block: reading goes on after the next sync marker. Records are decoded by
fastavro; its own file reader holds blocks of any size and gives up at the first fault.
"""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any

import fastavro
import msgspec

from logcount.sources.archive.limits import in_words
from logcount.sources.archive.streams import BrokenStream, ByteStream

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from logcount.sources.archive.limits import Limits

AVRO_MAGIC = b"Obj\x01"
_SYNC_BYTES = 16
_LONG_BYTES = 10  # of a varint that holds 64 bits
_RAW_DEFLATE = -15  # zlib's code for: no header, largest window

Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Header:
    """The file header, before the first block."""

    schema: object
    """As written in the file, not validated."""
    codec: str
    sync: bytes


@dataclass(frozen=True, slots=True)
class Fault:
    """A block, or the rest of one, that cannot be read."""

    reason: str


class _Torn(Exception):
    """The input ends within a number or a string."""


def read_header(stream: ByteStream, limits: Limits) -> Header:
    """Read the header of a file.

    Raises:
        BrokenStream: it is torn, or larger than the limit.
    """
    try:
        stream.read_fully(len(AVRO_MAGIC))
        entries = _read_metadata(stream, limits.avro_header_bytes)
        sync = _read_exactly(stream, _SYNC_BYTES)
        schema = msgspec.json.decode(entries.get(b"avro.schema", b""))
        codec = entries.get(b"avro.codec", b"null").decode()
    except (_Torn, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise BrokenStream("Avro header is broken") from None
    return Header(schema, codec, sync)


def _read_metadata(stream: ByteStream, limit: int) -> dict[bytes, bytes]:
    entries: dict[bytes, bytes] = {}
    while count := _read_long(stream):
        if count < 0:
            _read_long(stream)  # the byte size of this map block, not used
        for _ in range(abs(count)):
            key = _read_bytes(stream, limit)
            entries[key] = _read_bytes(stream, limit)
            limit -= len(key) + len(entries[key]) + 2
    return entries


def read_records(
    stream: ByteStream, header: Header, fields: dict[str, Any], wanted: Collection[str], limits: Limits
) -> Iterator[Record | Fault]:
    """Yield the wanted fields of every record of every block, and a fault for each block that cannot be read.

    `fields` are plain types (see `avro_schema`); at least one takes a byte or more. Other fields are skipped: decoded,
    they could be far larger than their bytes.

    Raises:
        BrokenStream: the codec is unknown, or the stream breaks.
    """
    unpack = _CODECS.get(header.codec)
    if unpack is None:
        # The name comes from the file: it is shown only if it looks like a codec name.
        known_by = header.codec if re.fullmatch(r"[a-z0-9_-]{1,20}", header.codec) else ""
        raise BrokenStream(f"unsupported codec {known_by}".rstrip())
    schema, view = _parse(fields), _parse({name: kind for name, kind in fields.items() if name in wanted})
    while stream.peek(1):
        block = _read_block(stream, header.sync, limits)
        data = block if isinstance(block, Fault) else unpack(block.packed, limits.avro_block_bytes)
        if isinstance(data, Fault):
            yield data
        elif isinstance(block, _Block):
            yield from _decode(data, block.count, schema, view)
    stream.read(1)  # raises if the stream broke


def _parse(fields: dict[str, Any]) -> Any:
    schema = {"type": "record", "name": "Event", "fields": [{"name": n, "type": t} for n, t in fields.items()]}
    try:
        return fastavro.parse_schema(schema)
    except Exception:  # it raises more than it documents; all mean the same
        raise BrokenStream("unsupported Avro schema") from None


@dataclass(frozen=True, slots=True)
class _Block:
    count: int
    packed: bytes


def _read_block(stream: ByteStream, sync: bytes, limits: Limits) -> _Block | Fault:
    """Read one block; if it is corrupt, skip to after the next sync marker."""
    try:
        count, size = _read_long(stream), _read_long(stream)
    except _Torn:
        return Fault("Avro block is corrupt" if _seek(stream, sync) else "Avro block is torn")
    if count < 0 or size < 0:
        _seek(stream, sync)
        return Fault("Avro block is corrupt")
    if size > limits.avro_block_bytes:
        _seek(stream, sync)
        return Fault(f"Avro block is larger than {in_words(limits.avro_block_bytes)}")
    packed, mark = stream.read_fully(size), stream.read_fully(_SYNC_BYTES)
    if mark == sync:
        return _Block(count, packed)
    stream.unread(packed + mark)
    found = _seek(stream, sync)
    return Fault("Avro block is corrupt" if found or len(mark) == _SYNC_BYTES else "Avro block is torn")


def _seek(stream: ByteStream, sync: bytes) -> bool:
    """Skip to after the next sync marker; False if there is none."""
    tail = b""
    for chunk in stream.chunks():
        seen = tail + chunk
        at = seen.find(sync)
        if at >= 0:
            stream.unread(seen[at + _SYNC_BYTES :])
            return True
        tail = seen[1 - _SYNC_BYTES :]
    return False


def _decode(data: bytes, count: int, schema: Any, view: Any) -> Iterator[Record | Fault]:
    waiting = BytesIO(data)
    for _ in range(count):
        try:
            record: Any = fastavro.schemaless_reader(waiting, schema, view, handle_unicode_errors="replace")
        except Exception:  # corrupt bytes make it raise anything: EOFError, IndexError, struct.error …
            yield Fault("Avro block is corrupt")
            return
        yield record
    if waiting.tell() != len(data):
        yield Fault("Avro block is corrupt")


def _inflate(packed: bytes, limit: int) -> bytes | Fault:
    inflater = zlib.decompressobj(_RAW_DEFLATE)
    try:
        data = inflater.decompress(packed, limit)
    except zlib.error:
        return Fault("Avro block is corrupt")
    if inflater.eof:
        return data
    return Fault(
        f"Avro block is larger than {in_words(limit)}" if inflater.unconsumed_tail else "Avro block is corrupt"
    )


def _as_it_is(packed: bytes, limit: int) -> bytes | Fault:
    return packed


_CODECS: dict[str, Callable[[bytes, int], bytes | Fault]] = {"null": _as_it_is, "": _as_it_is, "deflate": _inflate}


def _read_long(stream: ByteStream) -> int:
    """Read a number: 7 bits per byte, lowest first, zigzag."""
    value = 0
    for shift in range(0, 7 * _LONG_BYTES, 7):
        byte = _read_exactly(stream, 1)[0]
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return (value >> 1) ^ -(value & 1)
    raise _Torn


def _read_bytes(stream: ByteStream, limit: int) -> bytes:
    size = _read_long(stream)
    if not 0 <= size <= limit:
        raise _Torn
    return _read_exactly(stream, size)


def _read_exactly(stream: ByteStream, size: int) -> bytes:
    data = stream.read_fully(size)
    if len(data) < size:
        raise _Torn
    return data
