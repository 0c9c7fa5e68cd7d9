"""Pictures in a request: how large they are, read from the first bytes of those that came with it.

Sources: the PNG specification §11.2.2, ITU T.81 annex B (JPEG), GIF89a §18, RFC 9649 (WebP), RFC 2397 (data URLs).
"""

from __future__ import annotations

import base64
import binascii
import struct
from typing import TYPE_CHECKING, Any

from logcount.bodies.api import Document, objects, strings
from logcount.bodies.usage import child
from logcount.model.content import Picture

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_HEAD = 256 * 1024
"""Bytes in which a picture must say its size: a camera writes up to 64 KiB of notes before it, and some write more."""

Size = tuple[int, int]


def pictures_in(messages: Any) -> tuple[Picture | None, ...]:
    """Return the pictures of messages in their order; None for one whose size is not in the request."""
    contents = (message.get(key) for message in objects(messages) for key in ("content", "output"))
    return tuple(picture for content in contents for picture in _pictures(content))


def _pictures(content: Any) -> Iterator[Picture | None]:
    for part in objects(content):
        kind = strings(part.get("type"))
        if kind == "tool_result":
            yield from _pictures(part.get("content"))
        elif "image" in kind:
            yield _picture(part)


def _picture(part: Document) -> Picture | None:
    """Read one part of a message: OpenAI's chat and responses, or Anthropic's."""
    stated = part.get("image_url")
    url = strings(stated) or strings(child(part, "image_url").get("url"))
    detail = strings(part.get("detail")) or strings(child(part, "image_url").get("detail"))
    if child(part, "source").get("type") == "base64":
        data = strings(child(part, "source").get("data"))
    else:
        head, _, data = url.partition(",")
        if not (head.startswith("data:image/") and head.endswith(";base64")):
            return None
    size = size_of(data)
    return Picture(*size, detail or "auto") if size else None


def size_of(data: str) -> Size | None:
    """Return width and height, in pixels, of a picture in base64; None where its beginning does not say."""
    head = data[: _HEAD * 4 // 3 // 4 * 4]
    try:
        read = base64.b64decode(head + "=" * (-len(head) % 4))
        size = next((reader(read) for mark, reader in _READERS if read.startswith(mark)), None)
    except (binascii.Error, ValueError, struct.error):
        return None
    return size if size and min(size) > 0 else None


def _png(data: bytes) -> Size | None:
    return struct.unpack_from(">II", data, 16) if data[12:16] == b"IHDR" else None


def _gif(data: bytes) -> Size | None:
    return struct.unpack_from("<HH", data, 6)


def _jpeg(data: bytes) -> Size | None:
    """Walk from segment to segment to the frame's header; pictures that are to be turned are not read."""
    at = 2
    while at + 9 < len(data) and data[at] == 0xFF:
        marker, length = struct.unpack_from(">BH", data, at + 1)
        if marker == _FILL:
            at += 1
            continue
        if marker in _FRAMES:
            height, width = struct.unpack_from(">HH", data, at + 5)
            return width, height
        if marker == _NOTES and data[at + 4 : at + 10] == b"Exif\0\0":
            return None  # it may say that the picture lies on its side, and servers differ in what they make of it
        at += 2 + length
    return None


_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_NOTES = 0xE1
_FILL = 0xFF


def _webp(data: bytes) -> Size | None:
    kind = data[12:16]
    if data[8:12] != b"WEBP":
        return None
    if kind == b"VP8 ":
        width, height = struct.unpack_from("<HH", data, 26)
        return width & 0x3FFF, height & 0x3FFF
    if kind == b"VP8L":
        bits = struct.unpack_from("<I", data, 21)[0]
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b"VP8X":
        return int.from_bytes(data[24:27], "little") + 1, int.from_bytes(data[27:30], "little") + 1
    return None


_READERS: tuple[tuple[bytes, Callable[[bytes], Size | None]], ...] = (
    (b"\x89PNG\r\n\x1a\n", _png),
    (b"\xff\xd8", _jpeg),
    (b"GIF8", _gif),
    (b"RIFF", _webp),
)
"""How a file of each kind begins → what reads its size."""
