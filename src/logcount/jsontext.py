"""JSON as it comes off a log: whole, cut short, or with characters that JSON does not have.

Law: what can be read is read, what was done to read it is flagged, and no input raises anything but `NotJson`.
"""

from __future__ import annotations

import codecs
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable

INVALID_UTF8 = "invalid-utf8"
"""Flag: bytes that are no UTF-8 were read as U+FFFD."""
LONE_SURROGATES = "lone-surrogates"
"""Flag: escapes of half a surrogate pair were read as U+FFFD, as Go and Rust servers read them."""
NOT_A_NUMBER = "not-a-number"
"""Flag: NaN or Infinity, which JSON does not have, stood in place of a number."""

CUT = "cut"
"""Flag: the text broke off before its end."""


class NotJson(ValueError):
    """A text is not JSON; the message is a reason that holds nothing of the text."""


class TooDeeplyNested(NotJson):
    """A text may be JSON, but nobody reads it: it is nested beyond bounds."""

    def __init__(self) -> None:
        super().__init__("nested too deeply")


@dataclass(frozen=True, slots=True)
class Reading:
    """A decoded value and what had to be done to read it."""

    value: Any
    flags: frozenset[str] = frozenset()


_WHOLE: frozenset[str] = frozenset()


def decode(text: str) -> Reading:
    """Decode one JSON text; the last of duplicate keys wins.

    Raises:
        NotJson: it is none; `TooDeeplyNested` where it is nested beyond Python's own limit.
    """
    try:
        return Reading(msgspec.json.decode(text), _WHOLE)
    except RecursionError:
        raise TooDeeplyNested from None
    except (msgspec.DecodeError, UnicodeError, ValueError):
        return _decode_leniently(text)


def _decode_leniently(text: str) -> Reading:
    """Decode what the fast decoder refuses and Python's own takes: NaN, lone surrogates, raw control characters."""
    flags = set()

    def not_a_number(_: str) -> None:
        flags.add(NOT_A_NUMBER)

    try:
        value = json.loads(text, parse_constant=not_a_number, strict=False)
    except RecursionError:
        raise TooDeeplyNested from None
    except ValueError:
        raise NotJson("not JSON") from None
    if "\\u" in text or not _is_encodable(text):
        value, scrubbed = _without_surrogates(value)
        if scrubbed:
            flags.add(LONE_SURROGATES)
    return Reading(value, frozenset(flags))


def _is_encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


_SURROGATE = re.compile("[\ud800-\udfff]")


def _without_surrogates(value: Any) -> tuple[Any, bool]:
    """Replace every lone surrogate by U+FFFD, without recursion; say whether there were any."""
    found = False

    def clean(item: Any) -> Any:
        nonlocal found
        if isinstance(item, str) and _SURROGATE.search(item):
            found = True
            return _SURROGATE.sub("\ufffd", item)
        return item

    root = [value]
    pending: list[Any] = [root]
    while pending:
        container = pending.pop()
        if isinstance(container, dict):
            entries = [(clean(key), clean(item)) for key, item in container.items()]
            container.clear()
            container.update(entries)
            pending.extend(item for _, item in entries if isinstance(item, dict | list))
        else:
            container[:] = [clean(item) for item in container]
            pending.extend(item for item in container if isinstance(item, dict | list))
    return root[0], found


def text_of(data: bytes) -> tuple[str, frozenset[str]]:
    """Decode UTF-8, or UTF-16 with a byte order mark; what is none becomes U+FFFD and is flagged."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16", errors="replace"), _WHOLE
    try:
        return data.decode("utf-8-sig"), _WHOLE
    except UnicodeDecodeError as error:
        # A cut inside a character is the cut's doing, not an encoding error of its own.
        flag = _WHOLE if error.reason == "unexpected end of data" else frozenset({INVALID_UTF8})
        return data.decode("utf-8-sig", errors="replace"), flag


_PIECE = re.compile(r'"(?:[^"\\]++|\\.)*+"|[{}\[\],:]|[^\s"{}\[\],:]++|"', re.DOTALL)
_HALF_ESCAPE = re.compile(r"\\(?:u[0-9a-fA-F]{0,3})?\Z")
_HALF_PAIR = re.compile(r"\\u[dD][89abAB][0-9a-fA-F]{2}\Z")
_CLOSER = {"{": "}", "[": "]"}
_DEEPEST = 500
"""Levels beyond which a cut text is not closed: no body of a model call comes near."""
_MOST_PIECES = 2_000_000
"""Pieces beyond which a cut text is not closed, some two seconds' work: 20 MB of embeddings have as many."""


def decode_cut(text: str, keeps: Callable[[str], bool]) -> tuple[Reading, tuple[str, ...]]:
    """Decode a JSON text that breaks off before its end, as far as it goes.

    A string in which the text breaks off is kept only where `keeps` says so of its key (a name that is cut is
    another name); a number at the very end is dropped, for more digits may have followed.

    Returns the reading, flagged `cut`, and the keys, outermost first, whose values the cut fell into.

    Raises:
        NotJson: the text does not just break off.
    """
    scanner = _Scanner(text)
    end, tail = scanner.run(keeps)
    closers = "".join(_CLOSER[opener] for opener in reversed(scanner.stack))
    reading = decode(text[:end] + tail + closers)
    return Reading(reading.value, reading.flags | {CUT}), scanner.open_keys()


class _Scanner:
    """Walks a JSON text that breaks off, and remembers the last place where it could be closed."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.stack: list[str] = []
        self.keys: list[str | None] = []
        self.end = 0
        self.awaits_value = True

    def run(self, keeps: Callable[[str], bool]) -> tuple[int, str]:
        """Return where to end and what to append, before the open containers are closed."""
        for number, match in enumerate(_PIECE.finditer(self.text)):
            piece = match[0]
            if number > _MOST_PIECES:
                raise NotJson("too long to be closed")
            if piece == '"':
                return self._broken_string(match.start(), keeps)
            self._step(piece, match.end())
        if not self.stack:
            raise NotJson("not JSON")
        return self.end, ""

    def open_keys(self) -> tuple[str, ...]:
        """Return the keys that the walk ended under, outermost first."""
        known = zip(self.stack, self.keys, strict=True)
        named = [key if opener == "{" else None for opener, key in known]
        if named and not self.awaits_value:
            named.pop()  # the innermost object's last value is whole
        return tuple(key for key in named if key is not None)

    def _step(self, piece: str, end: int) -> None:
        if piece in "{[":
            self._open(piece, end)
        elif piece in "}]":
            self._close(piece, end)
        elif piece in ",:":
            self.awaits_value = piece == ":" or (bool(self.stack) and self.stack[-1] == "[")
        elif not self.stack:
            raise NotJson("not JSON")
        elif self.awaits_value:
            # The last bare piece of a text may be half of one: it only counts when something follows.
            if piece[0] == '"' or end < len(self.text):
                self.end, self.awaits_value = end, self.stack[-1] == "["
        else:
            self.keys[-1] = piece[1:-1]

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

    def _broken_string(self, start: int, keeps: Callable[[str], bool]) -> tuple[int, str]:
        key = self.keys[-1] if self.keys else None
        if not self.stack:
            raise NotJson("not JSON")
        if not self.awaits_value or key is None or not keeps(key):
            return self.end, ""
        kept = _trim(self.text[start:])
        return start, kept + '"'


def _trim(broken: str) -> str:
    """Cut half an escape, half a surrogate pair and half a character off the end of a broken string."""
    broken = broken.rstrip("\ufffd")
    match = _HALF_ESCAPE.search(broken)
    if match and _odd_backslashes(broken, match.start()):
        broken = broken[: match.start()]
    match = _HALF_PAIR.search(broken)
    if match and _odd_backslashes(broken, match.start()):
        broken = broken[: match.start()]
    return broken


def _odd_backslashes(text: str, position: int) -> bool:
    """Say whether the backslash at `position` begins an escape (an odd one of its run)."""
    run = 0
    while position - run >= 0 and text[position - run] == "\\":
        run += 1
    return run % 2 == 1
