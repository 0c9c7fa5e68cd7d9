"""Moesif's envelope: an event for the request and one for the response, bodies in base64.

Source: Moesif/ApimEventProcessor, src/ApimEventProcessor/ApimMessageParams.cs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from logcount.envelopes import fields
from logcount.model.exchanges import Body, Decoded, Exchange, Rejected

if TYPE_CHECKING:
    from collections.abc import Iterator

JOIN_PAIRS = "the request half of an exchange: halves are not joined yet"

_DIMENSIONS = {"ip_address": "Client IP", "user_id": "User ID", "company_id": "Subscription ID"}


def matches(document: dict[str, Any]) -> bool:
    """Recognise it by its event type and message id."""
    return "event_type" in document and "message-id" in document


def read(document: dict[str, Any], cut: frozenset[str]) -> Iterator[Decoded]:
    """Read the response half as an exchange; the request half is rejected, as halves are not joined yet."""
    if document.get("event_type") != "response":
        yield Rejected(JOIN_PAIRS if document.get("event_type") == "request" else "an event of unknown type")
        return
    request, request_flags = _body(document, "request_body", cut)
    response, response_flags = _body(document, "response_body", cut)
    yield Exchange(
        envelope="moesif",
        id=fields.text(document.get("message-id")),
        url=fields.text(document.get("uri")),
        status=fields.status(document.get("status_code")),
        request=request,
        response=response,
        dimensions=fields.dimensions(document, _DIMENSIONS),
        flags=request_flags | response_flags,
    )


def _body(document: dict[str, Any], key: str, cut: frozenset[str]) -> tuple[Body | None, frozenset[str]]:
    value = document.get(key)
    if isinstance(value, str) and value.lstrip().startswith(_PLAIN):
        return fields.body(value, cut=key in cut)  # some deployments do not encode bodies
    return fields.body(value, "base64", cut=key in cut)


_PLAIN = ("{", "[", "data:", "event:")
