"""JSON documents: the elements of an array or of `{"records":[…]}`, cut out without decoding them.

Pure: chunks of bytes in, elements out; memory is bounded by the largest allowed element. A text is one document or
several, one after another. An array yields each element; an object whose first key is `records` yields each record,
wrapped as `{"records":[…]}`; any other object is yielded unchanged. Brackets are counted, not matched, and scalars are
not checked: the decoder of an element decides whether it is valid JSON.

It is fast because C code handles the bytes: `bytes.find` (inside `re`) skips long strings, one regular expression
matches everything between them, and Python handles only brackets and long strings.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NoReturn

from logcount.sources.archive.lines import Gathering
from logcount.sources.archive.streams import BrokenStream

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_BLANKS = re.compile(rb"[ \t\r\n]*+")
_SCALAR = re.compile(rb"[^ \t\r\n,:\"{}\[\]]*+")
_BACKSLASHES = re.compile(rb"\\*+")

_SHORT = rb'"[^"\\]{0,128}+(?:\\.[^"\\]{0,128}+){0,8}+"'
_DULL = re.compile(
    # Anything except quotes and brackets, short strings with few escapes, and flat containers of these.
    # Longer strings are left to _CLOSING, which is many times as fast on them.
    rb'[^"{}\[\]]*+(?:(?:%b|[{\[][^"{}\[\]]*+(?:%b[^"{}\[\]]*+)*+[}\]])[^"{}\[\]]*+)*+' % (_SHORT, _SHORT),
    re.DOTALL,
)
_CLOSING = re.compile(
    # A quote that may end a string: one after exactly 1, 3 or 7 backslashes does not. JSON nested three times has
    # runs of these lengths; after a run of any other length the backslashes are counted.
    rb'"(?<![^\\]\\")(?<![^\\]\\{3}")(?<![^\\]\\{7}")'
)
_RECORDS = re.compile(rb'\{[ \t\r\n]*+"records"[ \t\r\n]*+:[ \t\r\n]*+\[')
_RECORDS_REACH = 1024
"""Bytes within which `{"records":[` must end to be recognised, blanks included."""

_QUOTE, _BACKSLASH, _OPENERS = ord('"'), ord("\\"), b"{["


def split_document(chunks: Iterable[bytes], limit: int) -> Iterator[bytes | None]:
    """Yield each element of the documents in `chunks`; None for one larger than `limit` bytes.

    Raises:
        BrokenStream: the text is no JSON document from here on, or ends too early; elements already yielded are valid.
    """
    text = _Text(chunks, limit)
    while opener := text.next_mark():
        if opener not in (b"[", b"{"):
            _refuse()
        yield from _document(text, opener)


def holds_elements(start: bytes) -> bool:
    """Whether a text with this start is an array or `{"records":[…`."""
    at = _blanks_end(start, 0)
    return start[at : at + 1] == b"[" or _RECORDS.match(start, at) is not None


def value_end(line: bytes) -> int | None:
    """Return where the first container in `line` closes; None if it does not close, or there is none."""
    text = _Text([line], len(line))
    try:
        if text.next_mark() not in (b"{", b"["):
            return None
        text.take_value()
    except BrokenStream:
        return None
    return text.at


def _document(text: _Text, opener: bytes) -> Iterator[bytes | None]:
    if opener == b"[":
        text.skip(1)
        yield from _elements(text)
    elif text.skip_records_opening():
        for element in _elements(text):
            yield element if element is None else b'{"records":[' + element + b"]}"
        text.skip_rest_of_container()
    else:
        yield text.take_value()


def _elements(text: _Text) -> Iterator[bytes | None]:
    """Yield the elements up to the closing bracket, and consume it."""
    if text.next_mark() == b"]":
        text.skip(1)
        return
    while True:
        yield text.take_value()
        mark = text.next_mark()
        if mark not in (b",", b"]"):
            _refuse(mark)
        text.skip(1)
        if mark == b"]":
            return


def _refuse(mark: bytes = b"?") -> NoReturn:
    raise BrokenStream("JSON document is broken, and its rest unread" if mark else "JSON document ends before its end")


def _blanks_end(text: bytes, at: int) -> int:
    blanks = _BLANKS.match(text, at)
    return blanks.end() if blanks else at


def _odd_run_ends(text: bytes) -> bool:
    """Whether an odd number of backslashes ends `text`, so that they escape what follows."""
    return (len(text) - len(text.rstrip(b"\\"))) % 2 == 1


class _Text:
    """A position in the text; only the current chunk and the value being collected are in memory."""

    def __init__(self, chunks: Iterable[bytes], limit: int) -> None:
        self._chunks = filter(None, chunks)
        self._chunk = b""
        self.at = 0
        self._gathering: Gathering | None = None
        self._start = 0
        self._value = Gathering(limit)

    def next_mark(self) -> bytes:
        """Skip blanks and return the next byte without consuming it; `b""` at the end."""
        while True:
            self.at = _blanks_end(self._chunk, self.at)
            if self.at < len(self._chunk):
                return self._chunk[self.at : self.at + 1]
            if not self._turn():
                return b""

    def skip(self, count: int) -> None:
        """Consume bytes that were seen."""
        self.at += count

    def skip_records_opening(self) -> bool:
        """Consume `{"records":[` if it is next; return whether it was."""
        while len(self._chunk) - self.at < _RECORDS_REACH and (more := next(self._chunks, b"")):
            self._chunk, self.at = self._chunk[self.at :] + more, 0
        opening = _RECORDS.match(self._chunk, self.at, self.at + _RECORDS_REACH)
        if opening:
            self.at = opening.end()
        return opening is not None

    def take_value(self) -> bytes | None:
        """Consume and return one whole value; None if it is larger than the limit."""
        mark = self.next_mark()
        self._gathering, self._start = self._value, self.at
        if mark == b'"':
            self._skip_string()
        elif mark and mark in _OPENERS:
            self.skip(1)
            self.skip_rest_of_container()
        else:
            self._skip_scalar()
        self._value.add(self._chunk[self._start : self.at])
        self._gathering = None
        return self._value.take()

    def skip_rest_of_container(self) -> None:
        """Consume everything up to the bracket that closes the present container."""
        depth = 1
        while depth:
            dull = _DULL.match(self._chunk, self.at)
            self.at = dull.end() if dull else self.at
            if self.at >= len(self._chunk):
                self._must_turn()
            elif (mark := self._chunk[self.at]) == _QUOTE:
                self._skip_string()
            else:
                depth += 1 if mark in _OPENERS else -1
                self.at += 1

    def _skip_scalar(self) -> None:
        found = False
        while True:
            scalar = _SCALAR.match(self._chunk, self.at)
            end = scalar.end() if scalar else self.at
            found = found or end > self.at
            self.at = end
            if end < len(self._chunk) or not self._turn():
                break
        if not found:
            _refuse(self._chunk[self.at : self.at + 1])

    def _skip_string(self) -> None:
        """Consume a string, whose opening quote is next."""
        self.at += 1
        while True:
            closing = _CLOSING.search(self._chunk, self.at)
            if closing is None:
                self._turn_within_string()
                if self._chunk[self.at : self.at + 1] != b'"':
                    continue
                self.at += 1
                return
            start, quote = self.at, closing.start()
            self.at = quote + 1
            if quote == start or self._chunk[quote - 1] != _BACKSLASH or not _odd_run_ends(self._chunk[start:quote]):
                return

    def _turn_within_string(self) -> None:
        """Go to the next chunk, past an escape that is split between the chunks.

        After this no run of backslashes began before the chunk: _CLOSING sees each run whole.
        """
        odd = _odd_run_ends(self._chunk[self.at :])
        while True:
            self._must_turn()
            run = _BACKSLASHES.match(self._chunk)
            self.at = run.end() if run else 0
            odd ^= self.at % 2 == 1
            if self.at == len(self._chunk):
                continue
            if not odd:
                return
            self.at += 1
            odd = False
            if self.at < len(self._chunk):
                return

    def _must_turn(self) -> None:
        if not self._turn():
            _refuse(b"")

    def _turn(self) -> bool:
        """Go to the start of the next chunk; False if there is none."""
        if self._gathering:
            self._gathering.add(self._chunk[self._start :])
            self._start = 0
        more = next(self._chunks, None)
        if more is None:
            self._start = self.at = len(self._chunk)
            return False
        self._chunk, self.at = more, 0
        return True
