"""What stands between Proton and the SDK in AMQP's frames: fields left out, fields not told, frames too many.

The SDK's pyamqp reads the fields of a performative by index, and Proton, as the specification allows, leaves out those
at the end that are null. `Padder` puts them back. Proton tells neither the message format of a delivery nor the desired
capabilities of a link: `Tap` reads them off the frames that come in. And pyamqp detaches links of a session that it has
ended, which the specification forbids and Proton does not forgive: `Tap` takes these frames away. Frames are those of
the specification, part 2.
"""

from __future__ import annotations

import struct
from collections import defaultdict, deque

import proton  # type: ignore[import-untyped]  # it ships no types

_FIELDS = {0x10: 10, 0x11: 8, 0x12: 14, 0x13: 11, 0x14: 11, 0x15: 6, 0x16: 3, 0x17: 1, 0x18: 1}
"""Performative → how many fields it has: open, begin, attach, flow, transfer, disposition, detach, end, close."""
_BEGIN, _ATTACH, _TRANSFER, _END, _CLOSE = 0x11, 0x12, 0x14, 0x17, 0x18
_LIST_EMPTY, _LIST_SMALL, _LIST_LARGE = 0x45, 0xC0, 0xD0
_HEADER = b"AMQP"


class Padder:
    """Makes performatives whole on their way out."""

    def __init__(self) -> None:
        self._unread = b""

    def feed(self, data: bytes | bytearray) -> bytes:
        """Take what Proton wrote, and return the whole frames in it, made whole; keep the rest for later."""
        data = self._unread + data
        view = memoryview(data)
        pieces: list[bytes | memoryview] = []
        position = 0
        while len(data) - position >= 8:
            size = _size(view[position : position + 4])
            if len(data) - position < size:
                break
            _pad(view[position : position + size], pieces)
            position += size
        self._unread = bytes(view[position:])
        return b"".join(pieces)


def _pad(frame: memoryview, pieces: list[bytes | memoryview]) -> None:
    """Add a frame to the pieces, its performative filled up with nulls."""
    fields = _FIELDS.get(frame[10]) if len(frame) > 11 else None
    if fields is None:
        pieces.append(frame)
        return
    count, start, end = _list(frame)
    inside = end - start + fields - count
    if inside < 255:
        head = bytes((_LIST_SMALL, inside + 1, fields))
    else:
        head = struct.pack(">BII", _LIST_LARGE, inside + 4, fields)
    size = 11 + len(head) + inside + len(frame) - end
    pieces.append(size.to_bytes(4, "big") + bytes(frame[4:11]) + head)
    pieces.append(frame[start:end])
    pieces.append(b"\x40" * (fields - count))
    pieces.append(frame[end:])


def _list(frame: memoryview) -> tuple[int, int, int]:
    """Return how many fields a performative has, and where they begin and end."""
    kind = frame[11]
    if kind == _LIST_EMPTY:
        return 0, 12, 12
    if kind == _LIST_SMALL:
        return frame[13], 14, 13 + frame[12]
    size, count = struct.unpack(">II", frame[12:20])
    return count, 20, 16 + size


def _size(head: bytes | memoryview) -> int:
    """Return the size of the frame, or of the protocol header, that begins so."""
    return 8 if head == _HEADER else max(8, int.from_bytes(head, "big"))


class Tap:
    """Goes through the frames on their way in."""

    def __init__(self) -> None:
        self._unread = bytearray()
        self._ended: set[int] = set()
        self._names: dict[tuple[int, int], str] = {}
        self._unfinished: set[str] = set()
        self._formats: defaultdict[str, deque[int]] = defaultdict(deque)
        self._capabilities: dict[str, frozenset[str]] = {}

    def feed(self, data: bytes) -> bytes:
        """Take what a client wrote, and return what is for Proton; keep what is no whole frame yet."""
        self._unread += data
        pieces: list[bytes] = []
        while len(self._unread) >= 8 and len(self._unread) >= (size := _size(bytes(self._unread[:4]))):
            frame = bytes(self._unread[:size])
            del self._unread[:size]
            if size <= 11 or self._passes(frame):
                pieces.append(frame)
        return b"".join(pieces)

    def capabilities(self, name: str) -> frozenset[str]:
        """Return what the client desires of a link that it attached."""
        return self._capabilities.get(name, frozenset())

    def message_format(self, name: str) -> int:
        """Return the format of the next whole message of a link, once for each message, in their order."""
        return self._formats[name].popleft()

    def _passes(self, frame: bytes) -> bool:
        """Return whether a frame is for Proton; note what it tells."""
        kind, channel = frame[10], int.from_bytes(frame[6:8], "big")
        if kind == _BEGIN:
            self._ended.discard(channel)
        elif channel in self._ended and kind != _CLOSE:
            return False
        elif kind == _END:
            self._ended.add(channel)
        elif kind in (_ATTACH, _TRANSFER):
            self._look(channel, frame)
        return True

    def _look(self, channel: int, frame: bytes) -> None:
        data = proton.Data()
        data.decode(frame[8:])
        data.rewind()
        data.next()
        fields = data.get_object().value
        fields += [None] * (_FIELDS[frame[10]] - len(fields))
        if frame[10] == _ATTACH:
            name = fields[0]
            self._names[channel, fields[1]] = name
            self._capabilities[name] = _symbols(fields[12])
            return
        name = self._names[channel, fields[0]]
        if name not in self._unfinished:
            self._formats[name].append(fields[3] or 0)
        (self._unfinished.add if fields[5] else self._unfinished.discard)(name)


def _symbols(value: proton.PythonAMQPData) -> frozenset[str]:
    """Return the symbols of a field that may hold none, one or an array of them."""
    if value is None:
        return frozenset()
    return frozenset(map(str, value.elements if isinstance(value, proton.Array) else [value]))
