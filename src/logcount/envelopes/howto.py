"""The envelope of Azure's how-to for `log-to-eventhub`, plain or with bodies added by the operator.

Source: learn.microsoft.com, api-management-howto-log-event-hubs; with bodies: MicrosoftDocs/azure-docs issue 115539.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from logcount.envelopes import fields
from logcount.model.exchanges import Decoded, Exchange

if TYPE_CHECKING:
    from collections.abc import Iterator

_DIMENSIONS = {
    "requestip": "Client IP",
    "subscriptionid": "Subscription ID",
    "gatewayid": "Gateway ID",
    "operationname": "Operation Name",
}
_BODIES = {
    "request": ("request", "Request", "requestBody", "RequestBody"),
    "response": ("response", "Response", "responseBody", "ResponseBody"),
}


def matches(document: dict[str, Any]) -> bool:
    """Recognise it by the two fields that every variant has."""
    return "EventTime" in document and "ServiceName" in document


def read(document: dict[str, Any], cut: frozenset[str]) -> Iterator[Decoded]:
    """Read one exchange; it has bodies only if the operator added them."""
    request, request_flags = _body(document, "request", cut)
    response, response_flags = _body(document, "response", cut)
    yield Exchange(
        envelope="how-to",
        id=fields.text(document.get("RequestId")),
        time=fields.time(document.get("EventTime")),
        request=request,
        response=response,
        dimensions=fields.dimensions(document, _DIMENSIONS),
        flags=request_flags | response_flags,
    )


def _body(document: dict[str, Any], side: str, cut: frozenset[str]) -> tuple[Any, frozenset[str]]:
    key = next((key for key in _BODIES[side] if document.get(key) is not None), side)
    return fields.body(document.get(key), cut=key in cut)
