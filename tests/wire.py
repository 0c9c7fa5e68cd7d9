"""Builds what goes over the wire: log events, streams of server-sent events, Amazon's event streams."""

from __future__ import annotations

import base64
import json
import zlib
from typing import TYPE_CHECKING, Any

from logcount.bodies import read_response
from logcount.envelopes import decode
from logcount.model.events import LogEvent
from logcount.model.exchanges import Body, Decoded, Exchange

if TYPE_CHECKING:
    from collections.abc import Sequence

    from logcount.envelopes.mapped import Mapped
    from logcount.model.content import Usage


def event(data: Any, position: int = 1, **attributes: Any) -> LogEvent:
    """Return a log event that holds bytes, a text, or JSON."""
    if not isinstance(data, bytes | str):
        data = json.dumps(data)
    return LogEvent(data.encode() if isinstance(data, str) else data, "archive.jsonl", position, **attributes)


def results(data: Any, mappings: Sequence[Mapped] = ()) -> list[Decoded]:
    """Return all that is read from an event."""
    return decode(event(data), mappings)


def result(data: Any, mappings: Sequence[Mapped] = ()) -> Decoded:
    """Return the only thing that is read from an event."""
    (only,) = results(data, mappings)
    return only


def exchange(data: Any, mappings: Sequence[Mapped] = ()) -> Exchange:
    """Return the only thing that is read from an event, which is an exchange."""
    only = result(data, mappings)
    assert isinstance(only, Exchange), only
    return only


def sse(*documents: Any, done: bool = True, end: str = "\n") -> str:
    """Return documents as server-sent events."""
    pieces = [document if isinstance(document, str) else f"data: {json.dumps(document)}" for document in documents]
    return (end * 2).join([*pieces, *(["data: [DONE]"] if done else []), ""])


def ndjson(*documents: Any) -> str:
    """Return documents as JSON lines."""
    return "".join(json.dumps(document) + "\n" for document in documents)


def frame(document: Any, kind: str = "chunk", *, exception: bool = False) -> bytes:
    """Return one message of `application/vnd.amazon.eventstream`."""
    names = {":exception-type": kind} if exception else {":event-type": kind}
    names |= {":content-type": "application/json", ":message-type": "exception" if exception else "event"}
    headers = b"".join(
        bytes([len(name)]) + name.encode() + b"\x07" + len(value).to_bytes(2, "big") + value.encode()
        for name, value in names.items()
    )
    payload = json.dumps(document, separators=(",", ":")).encode()
    prelude = (len(headers) + len(payload) + 16).to_bytes(4, "big") + len(headers).to_bytes(4, "big")
    message = prelude + zlib.crc32(prelude).to_bytes(4, "big") + headers + payload
    return message + zlib.crc32(message).to_bytes(4, "big")


def invoke_frame(document: Any) -> bytes:
    """Return one message of an Invoke stream, whose payload carries the model's chunk in base64."""
    return frame({"bytes": base64.b64encode(json.dumps(document).encode()).decode(), "p": "abcdefgh"})


def as_characters(data: bytes) -> str:
    """Return what is left of bytes that a gateway read as UTF-8 text."""
    return data.decode("utf-8", errors="replace")


def assert_reports(api: str, body: Any, usage: Usage) -> None:
    """Check that a whole body is told to be of an API and reports just that usage."""
    response, flags = read_response(Body(body))
    assert (response.api, response.usage) == (api, usage)
    assert not flags
    assert not response.error
    assert not response.cut
