"""Decodes request bodies whose messages and tools were often decoded before: those are known by their bytes.

A client sends all of a conversation with each request. Law: what is returned equals what decoding the whole body
gives, for each part is decoded from its own bytes, and only bytes that are the same give the same value.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from logcount.bounded import BoundedCache, digest

if TYPE_CHECKING:
    from logcount.bodies.api import Document

ROOM = 64 * 2**20
"""Bytes that the decoded parts may take in each process."""

_WORTH_KNOWING = 24
"""Bytes of a part that is looked up: a shorter one is decoded as fast."""

_OBJECT_BYTES, _LIST_BYTES, _ITEM_BYTES = 400, 120, 250
"""What a dictionary, a list, and an entry of either take at most, besides the text in them."""

_OPENING = ord("[")

_fields = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_items = msgspec.json.Decoder(list[msgspec.Raw]).decode
_value = msgspec.json.Decoder().decode
_FAILURES = (msgspec.DecodeError, UnicodeError, RecursionError)


class MessageDecoder:
    """Decodes bodies, and remembers their messages and tools in bounded memory."""

    def __init__(self, room: int = ROOM) -> None:
        self._parts: BoundedCache[bytes, tuple[Any, int]] = BoundedCache(room, lambda _key, part: part[1])

    def decode(self, text: str) -> Document | None:
        """Return the document of a request; None where it is not one object of plain JSON."""
        if not text.startswith("{"):
            return None
        try:
            return {name: self._field(name, raw) for name, raw in _fields(text).items()}
        except _FAILURES:  # odd JSON: there is a reader for that, which looks at all of the body
            return None

    def _field(self, name: str, raw: msgspec.Raw) -> Any:
        if name == "messages" and memoryview(raw)[0] == _OPENING:
            return [self._part(item) for item in _items(raw)]
        return self._part(raw) if name == "tools" else _value(raw)

    def _part(self, raw: msgspec.Raw) -> Any:
        view = memoryview(raw)
        if len(view) < _WORTH_KNOWING:
            return _value(raw)
        key = digest(view)
        known = self._parts.get(key)
        if known is None:
            known = _value(raw), decoded_size(bytes(view))
            self._parts.put(key, known)
        return known[0]


def decoded_size(data: bytes) -> int:
    """Return how many bytes the value of a JSON text takes at most."""
    text = len(data) if data.isascii() else 4 * len(data)
    items = data.count(b",")
    return text + _OBJECT_BYTES * data.count(b"{") + _LIST_BYTES * data.count(b"[") + _ITEM_BYTES * items
