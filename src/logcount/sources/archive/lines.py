"""JSON lines: one event per line; pure; memory is bounded by the longest allowed line."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class Gathering:
    """Collects bytes, and drops them as soon as they are more than `limit`."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._parts: list[bytes] = []
        self.size = 0

    def add(self, part: bytes) -> None:
        """Append bytes."""
        self.size += len(part)
        if self.size > self._limit:
            self._parts.clear()
        else:
            self._parts.append(part)

    def take(self) -> bytes | None:
        """Return the collected bytes, None if they were too many, and start empty again."""
        whole = b"".join(self._parts) if self.size <= self._limit else None
        self._parts.clear()
        self.size = 0
        return whole


def split_lines(chunks: Iterable[bytes], limit: int) -> Iterator[list[bytes | None]]:
    """Yield the lines that are not blank, without line ends, in one list for each chunk that ends lines.

    A line longer than `limit` bytes is None. A last line without a newline counts as a line.
    """
    torn = Gathering(limit)
    for chunk in chunks:
        lines: list[bytes | None] = []
        at, end = 0, chunk.find(b"\n")
        if end >= 0:
            torn.add(chunk[:end])
            lines.append(torn.take())
            at, end = end + 1, chunk.find(b"\n", end + 1)
        while end >= 0:  # `bytes.split` looks at each byte, `find` at many at once
            lines.append(chunk[at:end])
            at, end = end + 1, chunk.find(b"\n", end + 1)
        torn.add(chunk[at:])
        if lines:
            yield _events_in(lines, limit)
    yield _events_in([torn.take()], limit)


def _events_in(lines: Iterable[bytes | None], limit: int) -> list[bytes | None]:
    return [
        None if line is None or len(line) > limit else line.removesuffix(b"\r")
        for line in lines
        if line is None or (line and not (line.isspace() and len(line) <= limit))
    ]


def lines_between(chunks: Iterable[bytes], start: int, end: int | None) -> Iterator[bytes]:
    """Yield the lines that begin from `start` to before `end`, with their line ends, chunk by chunk.

    `chunks` are the bytes of the text from `start` on; if `start` is not 0, from one byte before it: the line with this
    byte began before. Adjacent spans yield every line once.
    """
    at = max(start - 1, 0)
    begun = start == 0
    for chunk in chunks:
        found, first = chunk, at
        at += len(chunk)
        if not begun:
            newline = found.find(b"\n")
            if newline < 0:
                continue
            begun, first, found = True, first + newline + 1, found[newline + 1 :]
            if end is not None and first >= end:
                return
        if end is None or at < end:
            yield found
            continue
        newline = found.find(b"\n", max(end - 1 - first, 0))
        if newline >= 0:
            yield found[: newline + 1]
            return
        yield found
