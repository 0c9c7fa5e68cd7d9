"""The seed's envelope: `{"RequestBody": …, "ResponseBody": …}`, with an optional `RequestId`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from logcount.envelopes import fields
from logcount.exchanges import Decoded, Exchange

if TYPE_CHECKING:
    from collections.abc import Iterator


def matches(document: dict[str, Any]) -> bool:
    """Tell it by either body."""
    return "RequestBody" in document or "ResponseBody" in document


def read(document: dict[str, Any], cut: frozenset[str]) -> Iterator[Decoded]:
    """Read one exchange: text bodies and perhaps an id."""
    request, request_flags = fields.body(document.get("RequestBody"), cut="RequestBody" in cut)
    response, response_flags = fields.body(document.get("ResponseBody"), cut="ResponseBody" in cut)
    yield Exchange(
        envelope="seed",
        id=fields.text(document.get("RequestId")),
        request=request,
        response=response,
        flags=request_flags | response_flags,
    )
