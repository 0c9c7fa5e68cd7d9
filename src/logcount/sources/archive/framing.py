"""Decides how a text is cut into events: as lines, or as a JSON document.

The rule looks at a bounded first window, never at a file's name:

1. A text that does not begin with `{` or `[` is lines.
2. If its first line closes what it opens, and more text follows, it is lines. If nothing follows (the text is one
   line), an array, `{"records":[…]}` or several objects in a row are a document, anything else lines. A first line
   longer than 4 MiB is judged as if nothing followed.
3. If its first line leaves something open, it is pretty-printed or was cut. It is a document only if what follows is
   valid by JSON's grammar. After a cut line it is not: the next line opens a new object where a comma or a name is
   expected, or the line ends within a string.
4. If 3 does not decide (the text ends with something still open; or it begins as an array or `{"records":[…` and
   becomes invalid later), the second line decides: if it closes what it opens, the text is lines, the first one cut.
"""

from __future__ import annotations

import re
from enum import Enum
from typing import TYPE_CHECKING

from logcount.sources.archive.documents import holds_elements, value_end
from logcount.sources.archive.limits import KIB, MIB

if TYPE_CHECKING:
    from logcount.sources.archive.streams import ByteStream

_LOOK_AHEAD = 16 * KIB
"""Bytes after the first line that are judged: some hundred JSON tokens, a few lines of any log."""
_LONGEST_LOOK = 4 * MIB
"""Bytes in which the end of the first line must be: events are seldom larger, and memory holds three times this."""
_BLANKS = b" \t\r\n"


class Framing(Enum):
    """How events are stored in a text."""

    LINES = "lines"
    DOCUMENT = "document"


def tell_framing(stream: ByteStream) -> Framing:
    """Distinguish lines from a document by the start of the text, without consuming it."""
    size, window, end = _LOOK_AHEAD, b"", -1
    while end < 0:
        window = stream.peek(size).lstrip(_BLANKS)
        end = window.find(b"\n")
        if end < 0 and (size >= _LONGEST_LOOK or stream.ended_within(size)):
            return _tell_one_line(window)
        size *= 2
    window = stream.peek(size + _LOOK_AHEAD).lstrip(_BLANKS)
    whole = stream.ended_within(size + _LOOK_AHEAD)
    if window[:1] not in (b"{", b"["):
        return Framing.LINES
    if whole and not window[end:].strip(_BLANKS):
        return _tell_one_line(window)
    if value_end(window[:end]) is not None:
        return Framing.LINES
    return _tell_open_line(window, end, whole)


def _tell_one_line(window: bytes) -> Framing:
    if holds_elements(window):
        return Framing.DOCUMENT
    end = value_end(window)
    if end is not None and window[end:].lstrip(_BLANKS)[:1] in (b"{", b"["):
        return Framing.DOCUMENT
    return Framing.LINES


def _tell_open_line(window: bytes, end: int, whole: bool) -> Framing:
    state = _Grammar().follow(window[: end + _LOOK_AHEAD])
    elements = holds_elements(window)
    if state is TextState.CLOSED or (state is TextState.OPEN and (elements or not whole)):
        return Framing.DOCUMENT
    if state is TextState.WRONG and not elements:
        return Framing.LINES
    second = window[end:].strip(_BLANKS).partition(b"\n")[0].rstrip(_BLANKS)
    return Framing.LINES if value_end(second) == len(second) else Framing.DOCUMENT


class TextState(Enum):
    """The state of JSON's grammar after the start of a text."""

    WRONG = "no JSON text begins so"
    OPEN = "something is still open"
    CLOSED = "all is closed"


_TOKEN = re.compile(
    rb"[ \t\r\n]*+(?:(?P<string>\"(?:[^\"\\\x00-\x1f]++|\\[^\x00-\x1f])*+\")|(?P<open>[{\[])|(?P<close>[}\]])"
    rb"|(?P<mark>[,:])|(?P<scalar>[^ \t\r\n\"{}\[\],:]++))"
)
_TORN_TOKEN = re.compile(rb"[ \t\r\n]*+(?:\"(?:[^\"\\\x00-\x1f]++|\\[^\x00-\x1f])*+\\?)?\Z")
_VALUE_KINDS = ("string", "scalar", "open")
_PARTNER = {b"}": b"{", b"]": b"["}


class _Grammar:
    """Follows JSON's grammar over one or more texts, closely enough to detect a cut line."""

    def __init__(self) -> None:
        self._open: list[bytes] = []
        self._due = "value"
        self._may_close = False

    def follow(self, text: bytes) -> TextState:
        """Parse the start of a text, whose last token may be cut."""
        at = 0
        while token := _TOKEN.match(text, at):
            at = token.end()
            if not self._accept(token.lastgroup or "", token[token.lastgroup or 0]):
                return TextState.WRONG
        if not _TORN_TOKEN.match(text, at):
            return TextState.WRONG
        return TextState.OPEN if self._open else TextState.CLOSED

    def _accept(self, kind: str, token: bytes) -> bool:
        if kind == "close":
            return self._close(token)
        if self._due == "name":
            allowed, then = kind == "string", "colon"
        elif self._due == "colon":
            allowed, then = token == b":", "value"
        elif self._due == "comma":
            allowed, then = token == b",", "name" if self._open[-1:] == [b"{"] else "value"
        else:
            allowed, then = kind in _VALUE_KINDS, "comma" if self._open else "value"
        self._due, self._may_close = then, False
        if kind == "open":
            self._open.append(token)
            self._due, self._may_close = "name" if token == b"{" else "value", True
        return allowed

    def _close(self, token: bytes) -> bool:
        """Accept a closing bracket after a value, or right after its opening bracket."""
        allowed = (self._due == "comma" or self._may_close) and self._open[-1:] == [_PARTNER[token]]
        if allowed:
            self._open.pop()
        self._due, self._may_close = "comma" if self._open else "value", False
        return allowed
