"""The bytes of AMQP messages: what is kept of those that come in, and what is put in front of those that go out.

Sections and types are those of the AMQP 1.0 specification, part 3 (messaging) and part 1 (types). What is read is read
by Proton; the annotations, which are written for every event, are written here.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

import proton  # type: ignore[import-untyped]  # it ships no types

if TYPE_CHECKING:
    from collections.abc import Iterator

BATCH_FORMAT = 0x80013700
"""The message format of a batch: every data section holds a whole message."""

_DELIVERY_ANNOTATIONS, _MESSAGE_ANNOTATIONS, _PROPERTIES, _DATA = 0x71, 0x72, 0x73, 0x75
_KEY = "x-opt-partition-key"


@dataclass(frozen=True, slots=True)
class Sent:
    """What a message that a client sent comes to."""

    payload: bytes
    """Its sections from the properties on."""
    key: str | None


def data_section(body: bytes) -> bytes:
    """Return a body as the only section of a message."""
    if len(body) < 256:
        return b"\x00\x53\x75\xa0" + bytes([len(body)]) + body
    return b"\x00\x53\x75\xb0" + struct.pack(">I", len(body)) + body


def annotations_of(sequence: int, offset: str, enqueued: int, key: str | None) -> bytes:
    """Return the message annotations that Event Hubs gives every event."""
    entries = [
        _symbol("x-opt-sequence-number") + _long(sequence),
        _symbol("x-opt-offset") + _string(offset),
        _symbol("x-opt-enqueued-time") + _timestamp(enqueued),
    ]
    if key is not None:
        entries.append(_symbol(_KEY) + _string(key))
    return _map_section(_MESSAGE_ANNOTATIONS, entries)


def metrics_of(sequence: int, offset: str, enqueued: int, now: int) -> bytes:
    """Return the delivery annotations that tell a receiver of the last event of its partition."""
    entries = [
        _symbol("last_enqueued_sequence_number") + _long(sequence),
        _symbol("last_enqueued_offset") + _string(offset),
        _symbol("last_enqueued_time_utc") + _timestamp(enqueued),
        _symbol("runtime_info_retrieval_time_utc") + _timestamp(now),
    ]
    return _map_section(_DELIVERY_ANNOTATIONS, entries)


def read_sent(message: bytes, message_format: int) -> list[Sent]:
    """Return the events of a message from a client: one, or all those of a batch."""
    outer = _read_one(message)
    if message_format != BATCH_FORMAT:
        return [outer]
    inner = (_read_one(bytes(value)) for code, _, value in _sections(message) if code == _DATA)
    return [Sent(one.payload, one.key if one.key is not None else outer.key) for one in inner]


def _read_one(message: bytes) -> Sent:
    key = None
    payload = b""
    for code, encoded, value in _sections(message):
        if code == _MESSAGE_ANNOTATIONS and value.get(_KEY) is not None:
            found = value[_KEY]
            key = found if isinstance(found, str) else bytes(found).decode()
        elif code >= _PROPERTIES:
            payload += encoded
    return Sent(payload, key)


def _sections(message: bytes) -> Iterator[tuple[int, bytes, proton.PythonAMQPData]]:
    """Yield each section's descriptor, its bytes and its value."""
    position = 0
    while position < len(message):
        data = proton.Data()
        size = data.decode(message[position:])
        data.rewind()
        data.next()
        described = data.get_object()
        yield int(described.descriptor), message[position : position + size], described.value
        position += size


def _map_section(code: int, entries: list[bytes]) -> bytes:
    inside = b"".join(entries)
    count = 2 * len(entries)
    if len(inside) < 255:
        return bytes((0x00, 0x53, code, 0xC1, len(inside) + 1, count)) + inside
    return bytes((0x00, 0x53, code, 0xD1)) + struct.pack(">II", len(inside) + 4, count) + inside


def _symbol(value: str) -> bytes:
    return bytes((0xA3, len(value))) + value.encode("ascii")


def _string(value: str) -> bytes:
    encoded = value.encode()
    if len(encoded) < 256:
        return bytes((0xA1, len(encoded))) + encoded
    return b"\xb1" + struct.pack(">I", len(encoded)) + encoded


def _long(value: int) -> bytes:
    return struct.pack(">Bq", 0x81, value)


def _timestamp(milliseconds: int) -> bytes:
    return struct.pack(">Bq", 0x83, milliseconds)
