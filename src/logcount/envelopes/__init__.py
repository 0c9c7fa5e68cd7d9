"""Envelopes: decode the bytes of a log event to exchanges; formats are recognised by shape, never by name.

To add one: write a module with `matches` and `read`, and add a row to `ENVELOPES`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from msgspec.structs import replace

from logcount import jsontext
from logcount.envelopes import diagnostic, howto, moesif, native, seed, usage_only
from logcount.envelopes.whole import read_whole
from logcount.model.exchanges import Decoded, Exchange, Rejected, Skipped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from logcount.envelopes.mapped import Mapped
    from logcount.model.events import LogEvent

__all__ = ["ENVELOPES", "decode"]


class Reader(Protocol):
    """Reads the exchanges of one record; `cut` names the fields in which the event was cut, if it was."""

    def __call__(self, document: dict[str, Any], cut: frozenset[str], /) -> Iterator[Decoded]:
        """Read one record."""
        ...


class Envelope(NamedTuple):
    """One envelope: how to recognise and how to read it."""

    matches: Callable[[dict[str, Any]], bool]
    read: Reader


def _is_chunk(document: dict[str, Any]) -> bool:
    return "kind" in document and not {"chunkIndex", "chunkTotal", "payload", "correlationId"}.isdisjoint(document)


def _read_chunk(_document: dict[str, Any], _cut: frozenset[str]) -> Iterator[Decoded]:
    yield Rejected("a chunk of an exchange: chunks are not joined yet")


def _is_marker(document: dict[str, Any]) -> bool:
    return document.get("kind") == "skip"


def _read_marker(_document: dict[str, Any], _cut: frozenset[str]) -> Iterator[Decoded]:
    yield Skipped("a marker without an exchange")


ENVELOPES: tuple[Envelope, ...] = (
    # First those with a field of their own; last those recognised only by bodies or counts.
    Envelope(diagnostic.matches, diagnostic.read),
    Envelope(moesif.matches, moesif.read),
    Envelope(_is_marker, _read_marker),
    Envelope(_is_chunk, _read_chunk),
    Envelope(usage_only.matches, usage_only.read),
    Envelope(howto.matches, howto.read),
    Envelope(native.matches, native.read),
    Envelope(seed.matches, seed.read),
)

_HTTP_PAIR = re.compile(r"(?:request|response):[0-9A-Za-z-]{8,64}\r?\n")
_CUT_SHORT = "an event that breaks off before its bodies"
_BODY_KEY = re.compile(r"(?:backend)?(?:request|response)(?:_?body|messages)?|payload", re.IGNORECASE)
"""Names of body fields, which are kept if cut; another field with a similar name (`requestId`) is not."""
_NOWHERE: frozenset[str] = frozenset()


def decode(event: LogEvent, mappings: Sequence[Mapped] = ()) -> list[Decoded]:
    """Read every exchange in an event: at least one result, never an exception.

    The operator's own envelopes (`mappings`) are tried before the known ones.
    """
    if event.problem is not None:
        return [Rejected(event.problem)]
    found = read_whole(event.data, mappings)
    return read_document(event.data, mappings) if found is None else found


def read_document(data: bytes, mappings: Sequence[Mapped] = ()) -> list[Decoded]:
    """Read every exchange in any bytes of an event: at least one result, never an exception."""
    text, flags = jsontext.text_of(data)
    text = text.strip("\ufeff\x00 \t\r\n")
    if not text:
        return [Rejected("an empty event")]
    if _HTTP_PAIR.match(text):
        return [Rejected("half of an application/http pair: pairs are not joined yet")]
    try:
        reading, cut = _read_json(text, mappings)
    except jsontext.NotJson as error:
        return [Rejected(str(error))]
    *whole, last = _records(reading.value)
    results = [result for record in whole for result in _read(record, _NOWHERE, mappings)]
    results += [_of_cut(result, reading.flags) for result in _read(last, cut, mappings)]
    flags |= reading.flags - {jsontext.CUT}
    return [_flagged(result, flags) for result in results]


def _read_json(text: str, mappings: Sequence[Mapped]) -> tuple[jsontext.ParsedJson, frozenset[str]]:
    try:
        return jsontext.decode(text), _NOWHERE
    except jsontext.NotJson as error:
        if isinstance(error, jsontext.TooDeeplyNested):
            raise

    def keeps(key: str) -> bool:
        return _BODY_KEY.fullmatch(key) is not None or any(mapping.keeps(key) for mapping in mappings)

    reading, cut = jsontext.decode_cut(text, keeps)
    return reading, frozenset(cut)


def _records(value: Any) -> list[Any]:
    if isinstance(value, list):
        return value or [None]
    if isinstance(value, dict) and isinstance(value.get("records"), list):
        return value["records"] or [None]
    return [value]


def _read(record: Any, cut: frozenset[str], mappings: Sequence[Mapped]) -> Iterator[Decoded]:
    if record is None:
        return iter([Skipped("an event without records")])
    if not isinstance(record, dict):
        return iter([Rejected("JSON, but no log record")])
    for mapping in mappings:
        if mapping.matches(record):
            return mapping.read(record, cut)
    for row in ENVELOPES:
        if row.matches(record):
            return row.read(record, cut)
    return iter([Rejected("no known envelope")])


def _of_cut(result: Decoded, flags: frozenset[str]) -> Decoded:
    """Return the result of a cut record: only an exchange is kept, as the lost fields may define its kind."""
    if jsontext.CUT not in flags:
        return result
    return _flagged(result, frozenset({jsontext.CUT})) if isinstance(result, Exchange) else Rejected(_CUT_SHORT)


def _flagged(result: Decoded, flags: frozenset[str]) -> Decoded:
    if flags and isinstance(result, Exchange):
        return replace(result, flags=result.flags | flags)
    return result
