"""Decodes JSON texts that are whole, also with values and characters that JSON does not allow."""

from __future__ import annotations

import codecs
import json
import re
from typing import Any

import msgspec

INVALID_UTF8 = "invalid-utf8"
"""Flag: invalid UTF-8 bytes were read as U+FFFD."""
LONE_SURROGATES = "lone-surrogates"
"""Flag: escapes of half a surrogate pair were read as U+FFFD, as Go and Rust servers read them."""
NOT_A_NUMBER = "not-a-number"
"""Flag: NaN or Infinity, which JSON does not have, was in place of a number."""

CUT = "cut"
"""Flag: the text was cut before its end."""


class NotJson(ValueError):
    """A text is not JSON; the message is a reason that contains no part of the text."""


class TooDeeplyNested(NotJson):
    """A text may be JSON, but is nested too deeply to be decoded."""

    def __init__(self) -> None:
        super().__init__("nested too deeply")


class ParsedJson(msgspec.Struct, frozen=True):
    """A decoded value, and flags for the repairs that were needed."""

    value: Any
    flags: frozenset[str] = frozenset()


_WHOLE: frozenset[str] = frozenset()


def decode(text: str) -> ParsedJson:
    """Decode one JSON text; the last of duplicate keys wins.

    Raises:
        NotJson: it is not JSON; `TooDeeplyNested` if it is nested beyond Python's own limit.
    """
    try:
        return ParsedJson(msgspec.json.decode(text), _WHOLE)
    except RecursionError:
        raise TooDeeplyNested from None
    except (msgspec.DecodeError, UnicodeError, ValueError):
        return _decode_leniently(text)


def _decode_leniently(text: str) -> ParsedJson:
    """Decode what only Python's own decoder accepts: NaN, lone surrogates, raw control characters."""
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
    return ParsedJson(value, frozenset(flags))


def _is_encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


_SURROGATE = re.compile("[\ud800-\udfff]")


def _without_surrogates(value: Any) -> tuple[Any, bool]:
    """Replace every lone surrogate by U+FFFD, without recursion; return whether there were any."""
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
    """Decode UTF-8, or UTF-16 with a byte order mark; invalid bytes become U+FFFD and are flagged."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16", errors="replace"), _WHOLE
    try:
        return data.decode("utf-8-sig"), _WHOLE
    except UnicodeDecodeError as error:
        # A cut inside a character is part of the cut, not an encoding error.
        flag = _WHOLE if error.reason == "unexpected end of data" else frozenset({INVALID_UTF8})
        return data.decode("utf-8-sig", errors="replace"), flag
