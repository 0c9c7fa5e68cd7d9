"""Threads: conversations as request bodies repeat them, of which only what is new is read.

A client sends all of a conversation with each request, and the JSON of what was said before does not change. So the
text of a body up to the end of its messages is remembered by a digest; of a body that begins so, the rest alone is
decoded. It is cut in the escaped form in which it lies in its event, so that it is not even unescaped.

Law: what is returned is what decoding the whole body gives. A cut is taken only where it is proven to fall between two
messages, or after the last: what precedes it was read to that very place before, and what follows is decoded from it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from secrets import randbits
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

import msgspec
import xxhash

from logcount.bodies.recent import Recent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from logcount.bodies.api import Document

_ROLE = b'\\"role\\":'
"""The key that messages begin with in an escaped body, as nearly every client of OpenAI's writes them.

Within a string of the body a quote is escaped twice, so that these bytes are never a part of one.
"""
_BLANKS = b" \\nrt"
"""What white space is made of in an escaped body."""
_LIST_END = re.compile(rb"""\}B\](?=B(?:,B\\"|\}B"\Z))""".replace(b"B", rb"(?: |\\[nrt])*+"))
"""How a list of messages ends: with another key of the body, or with the body.

In a string of the body there are such bytes only where it ends with `}],`, for a quote in it is escaped twice; and a
message may hold lists of its own. So a place like this is only likely to be the end.
"""
_LOOKED_AT = 32
"""Messages from the end of a body of which one may be the first new one."""
_BRACE = ord("{")
_LONGEST_BLANK = 200
"""Bytes of white space between two messages, or before their first key."""
_TRIED = 8
"""Places at which the list of messages may end that are tried."""
_LARGEST = 16 * 2**20
"""Bytes of a body that is looked at."""
_TAIL_BYTES = 2 * 2**20
"""How much text what is remembered beside the messages was made of: tools, for the most part."""
_FRAME_BYTES = 1000

_list = msgspec.json.Decoder(list[dict[str, Any]]).decode
_object = msgspec.json.Decoder(dict[str, Any]).decode
_text = msgspec.json.Decoder(str).decode
Value = TypeVar("Value")
_FAILURES = (msgspec.DecodeError, UnicodeError, ValueError, LookupError, RecursionError)


@dataclass(slots=True, eq=False)
class Said:
    """A message where it stands in a conversation."""

    before: Said | None
    number: int
    counter: Any = None
    counted: Any = None
    """What a counter knows of it."""


class Thread(Sequence["Document"]):
    """The messages of a conversation, of which those known from before are decoded only if they are asked for."""

    def __init__(self, last: Said, new: Sequence[Document], whole: Callable[[], Sequence[Document]]) -> None:
        self.last = last
        self._new = new
        self._old = last.number + 1 - len(new)
        self._whole = whole
        self._decoded: Sequence[Document] | None = None

    def __len__(self) -> int:
        return self.last.number + 1

    @overload
    def __getitem__(self, place: int) -> Document: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Document]: ...
    def __getitem__(self, place: int | slice) -> Document | Sequence[Document]:
        if isinstance(place, int) and self._old <= place < len(self):
            return self._new[place - self._old]
        if self._decoded is None:
            self._decoded = self._whole()
        return self._decoded[place]

    def __iter__(self) -> Iterator[Document]:
        return iter(self[:])


@dataclass(frozen=True, slots=True)
class Known:
    """A place in a body that was read before."""

    key: bytes
    """What stands before the messages, as a digest."""
    start: int
    """Where the first message begins."""
    last: Said | None
    """The last message before this place."""


class Threads(Generic[Value]):
    """Remembers conversations, in bounded memory.

    `frame` makes something of a body without its messages, which is remembered, too; `accept` returns a message as it
    is to be handed on, and raises `ValueError` where the body has to be read as a whole. `most` is the number of
    messages that are remembered, some 1 KB each.
    """

    def __init__(
        self,
        frame: Callable[[Document], Value],
        accept: Callable[[Document], Document],
        *,
        most: int = 40_000,
    ) -> None:
        self._frame = frame
        self._accept = accept
        self._known = Recent[Known](most)
        self._frames = Recent[Value](_TAIL_BYTES)
        self._seed = randbits(64)
        """So that nobody can write a body with the digest of another."""

    def read(self, quoted: bytes) -> tuple[Thread, Value] | None:
        """Read an escaped body, with its quotes: the messages, and what is made of the rest.

        None where it is none whose messages can be told apart here.
        """
        try:
            return self._read(quoted) if len(quoted) <= _LARGEST else None
        except _FAILURES:
            return None

    def _read(self, quoted: bytes) -> tuple[Thread, Value] | None:
        view = memoryview(quoted)
        start, known, passed = self._begun(quoted, view)
        if known is None:
            start, known, passed = self._begin(quoted, view, passed)
        end, new, exact = _new_messages(quoted, start, [place for place, _ in passed])
        frame = self._framed(known, view, end)
        new = [self._accept(message) for message in new]
        last = known.last
        keys = [key for _, key in passed] if exact else []
        keys.append(self._key(view[:end], _separator(quoted, start)))
        for place in range(len(new)):
            last = Said(last, last.number + 1 if last else 0)
            at = place if len(keys) > 1 else place - len(new) + 1
            if at >= 0:
                weight = 1 if len(keys) > 1 else len(new)
                self._known.put(keys[at], Known(known.key, known.start, last), weight, last.number + 1)
        return None if last is None else (Thread(last, new, partial(self._whole, quoted)), frame)

    def _whole(self, quoted: bytes) -> Sequence[Document]:
        return [self._accept(message) for message in _object(_text(quoted))["messages"]]

    def _begun(self, quoted: bytes, view: memoryview) -> tuple[int, Known | None, list[tuple[int, bytes]]]:
        """Return the last place of a body that was read before, and the places and digests of what may follow it."""
        passed: list[tuple[int, bytes]] = []
        place = len(quoted)
        for _ in range(_LOOKED_AT):
            place = quoted.rfind(_ROLE, 0, place)
            if place < 0:
                break
            place = _opening(quoted, place)
            if place < 0:
                break
            key = self._key(view[:place])
            known = self._known.get(key)
            if known is not None:
                return place, known, passed[::-1]
            passed.append((place, key))
        return 0, None, passed[::-1]

    def _begin(
        self, quoted: bytes, view: memoryview, passed: list[tuple[int, bytes]]
    ) -> tuple[int, Known, list[tuple[int, bytes]]]:
        """Read a body from its beginning up to its first message."""
        start = _opening(quoted, quoted.index(_ROLE))
        _decoded_head(quoted[:start])
        known = Known(self._key(view[:start]), start, None)
        self._known.put(known.key, known, 1, 1)
        return start, known, passed[1:] if passed and passed[0][0] == start else []

    def _framed(self, known: Known, view: memoryview, end: int) -> Value:
        """Return what is made of a body without its messages, which end at `end`; it is often the same."""
        text = view[end:]
        key = known.key + self._key(text)
        frame = self._frames.get(key)
        if frame is None:
            after = _object('{"messages":0' + _text(b'"' + bytes(text).partition(b"]")[2]))
            if after.pop("messages") != 0:
                raise ValueError("the messages of such a body are others")
            frame = self._frame(_decoded_head(bytes(view[: known.start])) | after)
            weight = known.start + len(text) + _FRAME_BYTES
            self._frames.put(key, frame, weight, weight)
        return frame

    def _key(self, text: memoryview, separator: bytes = b"") -> bytes:
        if not separator:
            return xxhash.xxh3_128_digest(text, self._seed)
        digest = xxhash.xxh3_128(text, self._seed)
        digest.update(separator)
        return digest.digest()


def _decoded_head(head: bytes) -> Document:
    """Return what stands before the messages, of which the first begins where `head` ends."""
    document = _object(_text(head + b'"') + "]}")
    if document.pop("messages") != []:
        raise ValueError("what opens is not the first message")
    return document


def _new_messages(quoted: bytes, start: int, places: Sequence[int]) -> tuple[int, list[Document], bool]:
    """Decode messages from the start of one on; return where their list ends, them, and whether `places` are theirs.

    `places` are where others may begin; they do where each stretch between two of them is one object.
    """
    starts = [start, *places]
    try:
        messages = [_object(_text(_stretch(quoted[one:after]))) for one, after in pairwise(starts)]
        end, last = _last_messages(quoted, starts[-1])
    except _FAILURES:
        end, messages = _last_messages(quoted, start)
        return end, messages, False
    return end, messages + last, len(last) == 1


def _last_messages(quoted: bytes, start: int) -> tuple[int, list[Document]]:
    """Decode all messages from the start of one on; return where their list ends, and them."""
    end = start
    for _ in range(_TRIED):
        found = _LIST_END.search(quoted, end)
        if found is None:
            break
        end = found.start() + 1
        try:
            return end, _list(_text(b'"[%b]"' % quoted[start:end]))
        except _FAILURES:
            continue  # a list within a message
    raise ValueError("the messages do not end")


def _stretch(message: bytes) -> bytes:
    """Return a message with quotes, and without the comma that follows it."""
    whole = message.rstrip(_BLANKS)
    if not whole.endswith(b","):
        raise ValueError("not one message")
    return b'"%b"' % whole[:-1]


def _separator(quoted: bytes, start: int) -> bytes:
    """Return what this client writes between two messages, going by what stands around one that begins at `start`."""
    before = quoted[max(0, start - _LONGEST_BLANK) : start]
    blank = before[len(before.rstrip(_BLANKS)) :]
    after_key = quoted.index(_ROLE, start) + len(_ROLE)
    return b"," + (blank or (b" " if quoted.startswith(b" ", after_key) else b""))


def _opening(quoted: bytes, role: int) -> int:
    """Return where the object begins whose first key stands at `role`; -1 where it is not the first."""
    if quoted[role - 1] == _BRACE:
        return role - 1
    before = quoted[max(0, role - _LONGEST_BLANK) : role]
    blank = len(before) - len(before.rstrip(_BLANKS))
    return role - blank - 1 if blank and quoted[role - blank - 1] == _BRACE else -1
