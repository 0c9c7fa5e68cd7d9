"""JSON lines: one event a line, pure, in memory bounded by the longest line that is allowed."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class Gathering:
    """Bytes gathered piece by piece, and forgotten as soon as they are more than `limit`."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._parts: list[bytes] = []
        self.size = 0

    def add(self, part: bytes) -> None:
        """Append a piece."""
        self.size += len(part)
        if self.size > self._limit:
            self._parts.clear()
        else:
            self._parts.append(part)

    def take(self) -> bytes | None:
        """Return what was gathered, None where it was too much, and begin anew."""
        whole = b"".join(self._parts) if self.size <= self._limit else None
        self._parts.clear()
        self.size = 0
        return whole


def split_lines(chunks: Iterable[bytes], limit: int) -> Iterator[bytes | None]:
    """Give each line that is not blank, without its end; None for one longer than `limit` bytes.

    A last line without a newline is a line like any other.
    """
    for line in _every_line(chunks, limit):
        if line is None:
            yield None
        elif line and not line.isspace():
            yield line.removesuffix(b"\r")


def _every_line(chunks: Iterable[bytes], limit: int) -> Iterator[bytes | None]:
    torn = Gathering(limit)
    for chunk in chunks:
        head, *lines = chunk.split(b"\n")
        torn.add(head)
        if lines:
            last = lines.pop()
            yield torn.take()
            for line in lines:
                yield line if len(line) <= limit else None
            torn.add(last)
    yield torn.take()
