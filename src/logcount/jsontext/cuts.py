"""Decodes cut JSON texts, as far as possible."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from logcount.jsontext.reading import CUT, NotJson, ParsedJson, TooDeeplyNested, decode

if TYPE_CHECKING:
    from collections.abc import Callable

_PIECE = re.compile(r'"(?:[^"\\]++|\\.)*+"|[{}\[\],:]|[^\s"{}\[\],:]++|"', re.DOTALL)
_HALF_ESCAPE = re.compile(r"\\(?:u[0-9a-fA-F]{0,3})?\Z")
_HALF_PAIR = re.compile(r"\\u[dD][89abAB][0-9a-fA-F]{2}\Z")
_CLOSER = {"{": "}", "[": "]"}
_DEEPEST = 500
"""The deepest nesting of a cut text that is decoded: bodies of model calls stay far below."""
_MOST_PIECES = 2_000_000
"""The most JSON tokens of a cut text that is decoded: some 2 s of work; 20 MB of embeddings have as many."""


def decode_cut(text: str, keeps: Callable[[str], bool]) -> tuple[ParsedJson, tuple[str, ...]]:
    """Decode a cut JSON text, as far as possible.

    A cut string is kept only if `keeps` is true for its key (a cut name is another name); a number at the very end is
    dropped, as more digits may have followed.

    Returns the result, flagged `cut`, and the keys, outermost first, whose values were cut.

    Raises:
        NotJson: the text is not the start of a JSON text.
    """
    scanner = _Scanner(text)
    end, tail = scanner.run(keeps)
    closers = "".join(_CLOSER[opener] for opener in reversed(scanner.stack))
    reading = decode(text[:end] + tail + closers)
    return ParsedJson(reading.value, reading.flags | {CUT}), scanner.open_keys()


class _Scanner:
    """Scans a cut JSON text, and remembers the last position where it could be closed."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.stack: list[str] = []
        self.keys: list[str | None] = []
        self.end = 0
        self.awaits_value = True

    def run(self, keeps: Callable[[str], bool]) -> tuple[int, str]:
        """Return where to end and what to append, before the open containers are closed."""
        marks: dict[str, Callable[[str, int], None]] = {
            **{"{": self._open, "[": self._open, "}": self._close, "]": self._close},
            **{",": self._separate, ":": self._separate},
        }
        step, scalar = marks.get, self._scalar  # a string or a bare piece begins with none of the marks
        for number, match in enumerate(_PIECE.finditer(self.text)):
            piece = match[0]
            if number > _MOST_PIECES:
                raise NotJson("too long to be closed")
            if piece == '"':
                return self._broken_string(match.start(), keeps)
            step(piece[0], scalar)(piece, match.end())
        if not self.stack:
            raise NotJson("not JSON")
        return self.end, ""

    def open_keys(self) -> tuple[str, ...]:
        """Return the keys whose values are open at the end, outermost first."""
        known = zip(self.stack, self.keys, strict=True)
        named = [key if opener == "{" else None for opener, key in known]
        if named and not self.awaits_value:
            named.pop()  # the innermost object's last value is whole
        return tuple(key for key in named if key is not None)

    def _open(self, piece: str, end: int) -> None:
        if len(self.stack) >= _DEEPEST:
            raise TooDeeplyNested
        inherited = self.keys[-1] if self.keys and piece == "[" else None
        self.stack.append(piece)
        self.keys.append(inherited)
        self.end, self.awaits_value = end, piece == "["

    def _close(self, piece: str, end: int) -> None:
        if not self.stack or _CLOSER[self.stack.pop()] != piece:
            raise NotJson("not JSON")
        self.keys.pop()
        self.end, self.awaits_value = end, False

    def _separate(self, piece: str, _end: int) -> None:
        self.awaits_value = piece == ":" or (bool(self.stack) and self.stack[-1] == "[")

    def _scalar(self, piece: str, end: int) -> None:
        if not self.stack:
            raise NotJson("not JSON")
        if not self.awaits_value:
            self.keys[-1] = piece[1:-1]
        elif piece[0] == '"' or end < len(self.text):
            # The last bare piece of a text may be half of one: it only counts when something follows.
            self.end, self.awaits_value = end, self.stack[-1] == "["

    def _broken_string(self, start: int, keeps: Callable[[str], bool]) -> tuple[int, str]:
        key = self.keys[-1] if self.keys else None
        if not self.stack:
            raise NotJson("not JSON")
        if not self.awaits_value or key is None or not keeps(key):
            return self.end, ""
        kept = _trim(self.text[start:])
        return start, kept + '"'


def _trim(broken: str) -> str:
    """Remove half an escape, half a surrogate pair and half a character from the end of a cut string."""
    broken = broken.rstrip("\ufffd")
    match = _HALF_ESCAPE.search(broken)
    if match and _odd_backslashes(broken, match.start()):
        broken = broken[: match.start()]
    match = _HALF_PAIR.search(broken)
    if match and _odd_backslashes(broken, match.start()):
        broken = broken[: match.start()]
    return broken


def _odd_backslashes(text: str, position: int) -> bool:
    """Return whether the backslash at `position` begins an escape (it is an odd one of its run)."""
    run = 0
    while position - run >= 0 and text[position - run] == "\\":
        run += 1
    return run % 2 == 1
