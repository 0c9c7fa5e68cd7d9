"""Bedrock's streams: `application/vnd.amazon.eventstream`, as bytes or as what a gateway made of them as characters.

The format: https://docs.aws.amazon.com/transcribe/latest/dg/event-stream.html
"""

from __future__ import annotations

import base64
import re
import zlib
from json import JSONDecoder
from typing import TYPE_CHECKING, Any

from logcount import jsontext

if TYPE_CHECKING:
    from collections.abc import Iterator

Found = tuple[list[dict[str, Any]], bool]
"""The documents of a stream, and whether it breaks off."""

_PRELUDE_BYTES = 12
_CRC_BYTES = 4


def is_eventstream(data: bytes) -> bool:
    """Tell a message by the checksum over its two lengths."""
    return len(data) >= _PRELUDE_BYTES and zlib.crc32(data[:8]) == int.from_bytes(data[8:12], "big")


def read_messages(data: bytes) -> Found:
    """Return the documents of every whole message; an exception is a document with an `error`."""
    documents: list[dict[str, Any]] = []
    position = 0
    while is_eventstream(data[position : position + _PRELUDE_BYTES]):
        total = int.from_bytes(data[position : position + 4], "big")
        headers_end = _PRELUDE_BYTES + int.from_bytes(data[position + 4 : position + 8], "big")
        message = data[position : position + total]
        if len(message) < total or total < headers_end + _CRC_BYTES:
            return documents, True
        payload = _payload(jsontext.text_of(message[headers_end : total - _CRC_BYTES])[0])
        failed = b":exception-type" in message[_PRELUDE_BYTES:headers_end]
        documents.extend({"error": document} if failed else document for document in payload)
        position += total
    return documents, position < len(data)


def _payload(text: str) -> Iterator[dict[str, Any]]:
    """Return the document of one message: the payload itself, or what it carries in base64."""
    try:
        document = jsontext.decode(text).value
    except jsontext.NotJson:
        return
    if isinstance(document, dict):
        yield from _carried(document)


def _carried(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    packed = document.get("bytes")
    if not isinstance(packed, str):
        yield document
        return
    try:
        yield from _payload(jsontext.text_of(base64.b64decode(packed))[0])
    except ValueError:
        return


_HEADER = re.compile(r"[\x0b\x0d\x0f]:(?:event|message|content|exception)-type\x07")
"""The name of a header, with its length before and its type after: no JSON has such characters."""
_HEADERS_REACH = 200
"""Within how many characters the first message names its first header."""


def opens_like_eventstream(text: str) -> bool:
    """Say whether a text begins as a message that was read as characters, its frame broken and its headers whole."""
    return _HEADER.search(text, 0, _HEADERS_REACH) is not None


_PAYLOAD_START = re.compile(r'\{"')
_PAYLOADS = JSONDecoder()
_FAILURES = 10
"""Payloads that may be broken before the search is given up: only the last one ever is, in a few places at most,
and each can cost a look at all of the text."""


def read_remains(text: str) -> Found | None:
    """Find the payloads between what is left of the frames; None where no header is left either."""
    if ":message-type" not in text and ":event-type" not in text:
        return None
    documents: list[dict[str, Any]] = []
    position, failures = 0, 0
    while failures < _FAILURES and (match := _PAYLOAD_START.search(text, position)):
        try:
            document, position = _PAYLOADS.raw_decode(text, match.start())
        except (ValueError, RecursionError):
            position = match.end()
            failures += 1
        else:
            documents.extend(_carried(document))
    return documents, failures > 0
