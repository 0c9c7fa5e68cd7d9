"""The native envelope: one event an exchange, as logcount's own policy writes it or a mapping makes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from logcount.bodies.usage import as_cut, read_usage
from logcount.envelopes import fields
from logcount.exchanges import Decoded, Exchange, Rejected

if TYPE_CHECKING:
    from collections.abc import Iterator

_BODIES = frozenset({"requestBody", "responseBody"})
_WITHOUT_BODIES = frozenset({"requestId", "usage", "url", "status", "apiId"})

JOIN_PARTS = "one part of an exchange: parts are not joined yet"


def matches(document: dict[str, Any]) -> bool:
    """Tell it by its bodies; where a cut took both, by its version and another field."""
    return not _BODIES.isdisjoint(document) or ("v" in document and not _WITHOUT_BODIES.isdisjoint(document))


def read(document: dict[str, Any], cut: frozenset[str], *, envelope: str = "native") -> Iterator[Decoded]:
    """Read a native event; `cut` names the fields in which it broke off."""
    if (parts := fields.text(document.get("parts"))) not in {None, "1"} or document.get("part"):
        yield Rejected(JOIN_PARTS if parts else "a part of unknown number")
        return
    request, request_flags = _body(document, "request", cut)
    response, response_flags = _body(document, "response", cut)
    usage = read_usage(document.get("usage"))
    yield Exchange(
        envelope=envelope,
        id=fields.text(document.get("requestId")),
        time=fields.time(document.get("time")),
        model=fields.name(document.get("model")),
        url=fields.text(document.get("url")),
        status=fields.status(document.get("status")),
        request=request,
        response=response,
        usage=as_cut(usage) if "usage" in cut else usage,
        dimensions=fields.dimensions(document) | fields.own_dimensions(document.get("dimensions")),
        flags=request_flags | response_flags,
    )


def _body(document: dict[str, Any], side: str, cut: frozenset[str]) -> tuple[Any, frozenset[str]]:
    key = f"{side}Body"
    return fields.body(document.get(key), document.get(f"{side}Encoding"), cut=key in cut)
