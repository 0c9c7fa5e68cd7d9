"""The seed's envelope: `{"RequestBody": …, "ResponseBody": …}`, with an optional `RequestId`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from logcount.envelopes import fields
from logcount.model.exchanges import Decoded, Exchange

if TYPE_CHECKING:
    from collections.abc import Iterator


class SeedBytes(msgspec.Struct, rename="pascal", forbid_unknown_fields=True, frozen=True):
    """A seed's event with undecoded bodies; one with other fields is read as a document."""

    request_id: Any = None
    request_body: msgspec.Raw = msgspec.Raw()
    response_body: msgspec.Raw = msgspec.Raw()


def matches(document: dict[str, Any]) -> bool:
    """Recognise it by either body."""
    return "RequestBody" in document or "ResponseBody" in document


def read(document: dict[str, Any], cut: frozenset[str]) -> Iterator[Decoded]:
    """Read one exchange: text bodies and perhaps an id."""
    yield _read(document.get("RequestId"), document.get("RequestBody"), document.get("ResponseBody"), cut)


def read_whole(event: SeedBytes) -> list[Decoded]:
    """Read a seed's event that is not cut; an empty list if it has no body to recognise it."""
    if not (len(event.response_body) or len(event.request_body)):
        return []
    return [_read(event.request_id, event.request_body, event.response_body, frozenset())]


def _read(identity: Any, asked: Any, said: Any, cut: frozenset[str]) -> Decoded:
    request, request_flags = fields.body(asked, cut="RequestBody" in cut)
    response, response_flags = fields.body(said, cut="ResponseBody" in cut)
    return Exchange(
        envelope="seed",
        id=fields.text(identity),
        request=request,
        response=response,
        flags=request_flags | response_flags,
    )
