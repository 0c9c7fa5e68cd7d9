"""Envelopes with token counts and without bodies, as three public accelerators write them.

Sources: Azure-Samples/ai-hub-gateway-solution-accelerator (frag-ai-usage.xml), Azure/apim-landing-zone-accelerator
(usage-tracking-with-eventhub.xml), Azure/enterprise-azureai (api_policy_openai.xml). Counts are numbers in some and
strings in others; one contains a subscription key, which is never read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from logcount.bodies.usage import as_stated, to_tokens
from logcount.envelopes import fields
from logcount.model.exchanges import Body, Decoded, Exchange

if TYPE_CHECKING:
    from collections.abc import Iterator

    from logcount.model.content import Usage

_PROMPT = ("promptTokens", "PromptTokens")
_COMPLETION = ("responseTokens", "completionTokens", "ResponseTokens", "CompletionTokens")
_TOTAL = ("totalTokens", "TotalTokens")
_REQUEST = ("requestBody", "RequestBody", "request", "Request")
_RESPONSE = ("responseBody", "ResponseBody", "response", "Response")
_ID = ("id", "RequestId", "requestId", "correlationId")
_TIME = ("timestamp", "EventTime", "time")
_MODEL = ("model", "modelName", "deploymentName")

_DIMENSIONS = {
    "subscriptionid": "Subscription ID",
    "productname": "Product Name",
    "operationname": "Operation Name",
    "gatewayregion": "Location",
    "gatewayid": "Gateway ID",
    "aigatewayid": "Gateway ID",
    "backendid": "Backend ID",
    "requestip": "Client IP",
    "appid": "App ID",
    "enduserid": "User ID",
}


def matches(document: dict[str, Any]) -> bool:
    """Recognise it by a count at the top level."""
    return not _COUNTS.isdisjoint(document)


_COUNTS = frozenset((*_PROMPT, *_COMPLETION, *_TOTAL))


def read(document: dict[str, Any], cut: frozenset[str]) -> Iterator[Decoded]:
    """Read one exchange with the usage that the gateway's policy saw, and bodies if the operator added them."""
    request, request_flags = _body(document, _REQUEST, cut)
    response, response_flags = _body(document, _RESPONSE, cut)
    yield Exchange(
        envelope="usage-only",
        id=fields.text(_first(document, _ID)),
        time=fields.time(_first(document, _TIME)),
        model=fields.name(_first(document, _MODEL)),
        request=request,
        response=response,
        usage=_usage(document),
        dimensions=fields.dimensions(document, _DIMENSIONS),
        flags=request_flags | response_flags,
    )


def _body(document: dict[str, Any], keys: tuple[str, ...], cut: frozenset[str]) -> tuple[Body | None, frozenset[str]]:
    key = next((key for key in keys if document.get(key) is not None), keys[0])
    return fields.body(document.get(key), cut=key in cut)


def _usage(document: dict[str, Any]) -> Usage | None:
    prompt, completion, total = (to_tokens(_first(document, keys)) for keys in (_PROMPT, _COMPLETION, _TOTAL))
    if total == 1 and prompt in {1, None} and not completion:
        return None  # what these policies write for unknown usage
    return as_stated(prompt, completion, total)


def _first(document: dict[str, Any], keys: tuple[str, ...]) -> Any:
    return next((document[key] for key in keys if document.get(key) is not None), None)
