"""Byte streams: a stream with `peek`, and readers that decode gzip and UTF-16."""

from __future__ import annotations

import codecs
import zlib
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

from logcount.sources.archive.limits import KIB

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from logcount.sources.archive.limits import Limits

CHUNK_BYTES = 256 * KIB
"""Large enough that the cost of a read call is negligible, small enough for a processor's cache."""

GZIP_MAGIC = b"\x1f\x8b\x08"
_GZIP_WINDOW = 31  # zlib's code for: a gzip header and trailer around deflate


class Readable(Protocol):
    """Anything that returns its next bytes, at most `size`, and none at its end."""

    def read(self, size: int, /) -> bytes:
        """Return the next bytes; `b""` only at the end."""
        ...


class BrokenStream(Exception):
    """The rest of a stream cannot be read; the bytes before it are valid."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class ByteStream:
    """A readable with `peek`. If it breaks, all bytes before the break are returned first."""

    def __init__(self, source: Readable) -> None:
        self._source = source
        self._held = b""
        self._at = 0
        self._ended = False
        self._broken: BrokenStream | None = None

    def peek(self, size: int) -> bytes:
        """Return up to `size` of the next bytes without consuming them; fewer only at the end or a break."""
        if len(self._held) - self._at < size and not self._ended:
            parts = [self._held[self._at :]]
            count = len(parts[0])
            while count < size and (chunk := self._pull(CHUNK_BYTES)):
                parts.append(chunk)
                count += len(chunk)
            self._held, self._at = b"".join(parts), 0
        return self._held[self._at : self._at + size]

    def read(self, size: int) -> bytes:
        """Return the next bytes, at most `size`; `b""` only at the end.

        Raises:
            BrokenStream: the stream broke, and all bytes before the break are consumed.
        """
        if self._at == len(self._held):
            self._held, self._at = b"" if self._ended else self._pull(CHUNK_BYTES), 0
            if not self._held and self._broken:
                raise self._broken
        taken = self._held[self._at : self._at + size]
        self._at += len(taken)
        return taken

    def read_fully(self, size: int) -> bytes:
        """Return exactly `size` bytes, or fewer at the end; raises as `read` does."""
        parts, count = [], 0
        while count < size and (chunk := self.read(size - count)):
            parts.append(chunk)
            count += len(chunk)
        return b"".join(parts)

    def unread(self, data: bytes) -> None:
        """Put bytes back; they are read next."""
        self._held, self._at = data + self._held[self._at :], 0

    def chunks(self) -> Iterator[bytes]:
        """Yield the rest, chunk by chunk; raises as `read` does."""
        while chunk := self.read(CHUNK_BYTES):
            yield chunk

    def ended_within(self, size: int) -> bool:
        """Whether the stream has no more than `size` bytes left."""
        return len(self.peek(size + 1)) <= size

    def _pull(self, size: int) -> bytes:
        try:
            chunk = self._source.read(size)
        except BrokenStream as broken:
            self._broken, chunk = broken, b""
        self._ended = not chunk
        return chunk


class GzipReader:
    """Unpacks gzip, member after member (RFC 1952), in constant memory and within bounds."""

    def __init__(self, packed: ByteStream, limits: Limits) -> None:
        self._packed = packed
        self._limits = limits
        self._member = zlib.decompressobj(_GZIP_WINDOW)
        self._corrupt = False
        self._read_bytes = 0
        self._given_bytes = 0

    def read(self, size: int) -> bytes:
        """Return the next unpacked bytes, at most `size`.

        Raises:
            BrokenStream: the gzip is torn, corrupt or a bomb.
        """
        while True:
            if self._member.eof and not self._next_member():
                return b""
            given = self._unpack(size)
            if given:
                self._given_bytes += len(given)
                self._check_bounds()
                return given

    def _unpack(self, size: int) -> bytes:
        if self._corrupt:
            raise BrokenStream("gzip is corrupt")
        waiting = self._member.unconsumed_tail
        if not waiting:
            waiting = self._packed.read(CHUNK_BYTES)
            self._read_bytes += len(waiting)
        before = self._member.copy()
        try:
            given = self._member.decompress(waiting, size)
        except zlib.error:
            self._corrupt = True
            given = _until_error(before, waiting, size)
        if not waiting and not given and not self._member.eof:
            raise BrokenStream("gzip ends before its end")
        return given

    def _next_member(self) -> bool:
        """Go to the next member, if there is one; zeros between members are padding."""
        self._packed.unread(self._member.unused_data)
        self._read_bytes -= len(self._member.unused_data)
        self._member = zlib.decompressobj(_GZIP_WINDOW)
        while chunk := self._packed.read(CHUNK_BYTES):
            if start := chunk.lstrip(b"\0"):
                self._packed.unread(start)
                break
        if not chunk:
            return False
        if not GZIP_MAGIC.startswith(self._packed.peek(len(GZIP_MAGIC))):
            raise BrokenStream("gzip is followed by something else")
        return True

    def _check_bounds(self) -> None:
        if (
            self._given_bytes > self._limits.inflated_bytes
            and self._given_bytes > self._limits.inflated_ratio * self._read_bytes
        ):
            raise BrokenStream("gzip expands beyond bounds")


def _until_error(member: zlib._Decompress, waiting: bytes, size: int) -> bytes:
    """Unpack byte by byte up to the corrupt byte; a larger step would lose all of it."""
    given = bytearray()
    with suppress(zlib.error):
        for byte in waiting:
            given += member.decompress(bytes([byte]), size)
            if len(given) >= size:
                break
    return bytes(given)


class Utf16Reader:
    """Converts UTF-16 with a byte order mark to UTF-8; invalid characters become U+FFFD."""

    def __init__(self, encoded: ByteStream) -> None:
        self._encoded = encoded
        self._decode: Callable[..., str] = codecs.getincrementaldecoder("utf-16")(errors="replace").decode
        self._ended = False

    def read(self, size: int) -> bytes:
        """Return the next bytes as UTF-8: at most three bytes for each two of `size`."""
        while not self._ended:
            chunk = self._encoded.read(size)
            self._ended = not chunk
            if text := self._decode(chunk, self._ended):
                return text.encode()
        return b""
