"""Azure Monitor's resource logs of API Management: GatewayLogs and GatewayLlmLogs records.

Sources: learn.microsoft.com, api-management-howto-use-azure-monitor, gateway-log-schema-reference, howto-llm-logs, and
the tables ApiManagementGatewayLogs and ApiManagementGatewayLlmLog. Field names are matched in any case; `properties`
may be an object or, in archives of before 2019, a JSON string.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec

from logcount import jsontext
from logcount.bodies.usage import as_stated, to_tokens
from logcount.envelopes import fields
from logcount.model.exchanges import Body, Decoded, Exchange, Rejected, Skipped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from logcount.model.content import Usage

JOIN_ROWS = "one row of a logged exchange: rows are not joined yet"

_DIMENSIONS = {
    "apiid": "API ID",
    "operationid": "Operation ID",
    "productid": "Product ID",
    "userid": "User ID",
    "apimsubscriptionid": "Subscription ID",
    "location": "Location",
    "region": "Location",
    "gatewayid": "Gateway ID",
    "backendid": "Backend ID",
    "calleripaddress": "Client IP",
}


class GatewayProperties(msgspec.Struct, rename="camel", forbid_unknown_fields=True, frozen=True):
    """The properties of a GatewayLogs record, by the schema reference and the table; bodies stay undecoded."""

    method: Any = None
    url: Any = None
    backend_response_code: Any = None
    response_code: Any = None
    response_size: Any = None
    cache: Any = None
    backend_time: Any = None
    request_size: Any = None
    api_id: str | None = None
    operation_id: str | None = None
    product_id: str | None = None
    user_id: str | None = None
    apim_subscription_id: str | None = None
    backend_id: str | None = None
    client_time: Any = None
    client_protocol: Any = None
    backend_protocol: Any = None
    api_revision: Any = None
    client_tls_version: Any = None
    client_cipher_suite: Any = None
    backend_method: Any = None
    backend_url: Any = None
    cache_time: Any = None
    total_time: Any = None
    last_error: Any = None
    errors: Any = None
    trace_records: Any = None
    request_headers: Any = None
    request_body: msgspec.Raw = msgspec.Raw()
    response_headers: Any = None
    response_body: msgspec.Raw = msgspec.Raw()
    backend_request_headers: Any = None
    backend_request_body: msgspec.Raw = msgspec.Raw()
    backend_response_headers: Any = None
    backend_response_body: msgspec.Raw = msgspec.Raw()


class GatewayRecord(msgspec.Struct, rename="camel", forbid_unknown_fields=True, frozen=True):
    """A GatewayLogs record in the present schema, or a set of them; one with other fields is read as a document."""

    deployment_version: Any = msgspec.field(default=None, name="DeploymentVersion")
    level: Any = msgspec.field(default=None, name="Level")
    is_request_success: Any = None
    time: Any = None
    operation_name: Any = None
    category: Any = None
    result_type: Any = None
    result_signature: Any = None
    duration_ms: Any = None
    caller_ip_address: str | None = None
    correlation_id: Any = None
    location: str | None = None
    properties: GatewayProperties | None = None
    resource_id: Any = None
    records: list[GatewayRecord] | None = None


_NO_PROPERTIES = GatewayProperties()
_WHOLE: frozenset[str] = frozenset()
_OFTEN = fields.Dimensions("API ID", "Operation ID", "Product ID", "Subscription ID", "Location")
_SELDOM = fields.Dimensions("User ID", "Backend ID", "Client IP")


def read_whole(record: GatewayRecord) -> list[Decoded]:
    """Read a record that is not cut, or a set of them; an empty list if one is of another kind."""
    records = [record] if record.records is None else record.records
    if any(each.category != "GatewayLogs" for each in records):
        return []
    return [_whole_gateway_log(each, each.properties or _NO_PROPERTIES) for each in records]


def _whole_gateway_log(record: GatewayRecord, props: GatewayProperties) -> Decoded:
    stated = _OFTEN.of(props.api_id, props.operation_id, props.product_id, props.apim_subscription_id, record.location)
    if props.user_id or props.backend_id or record.caller_ip_address:
        stated = {**stated, **_SELDOM.of(props.user_id, props.backend_id, record.caller_ip_address)}
    flat = {
        "correlationid": record.correlation_id,
        "time": record.time,
        "url": props.url,
        "backendurl": props.backend_url,
        "responsecode": props.response_code,
        "requestbody": fields.opened(props.request_body),
        "backendrequestbody": fields.opened(props.backend_request_body),
        "responsebody": fields.opened(props.response_body),
        "backendresponsebody": fields.opened(props.backend_response_body),
    }
    return _gateway_log(flat, _WHOLE, stated)


def matches(document: dict[str, Any]) -> bool:
    """Recognise it by its category, or by the table's name in an export from Log Analytics.

    Other categories match only with Azure's common schema: an operator's own records may have a category too.
    """
    return _category(document) in _READERS or (
        _category(document) is not None and not _COMMON_SCHEMA.isdisjoint(key.lower() for key in document)
    )


_COMMON_SCHEMA = frozenset({"resourceid", "properties", "_resourceid"})


def read(document: dict[str, Any], cut: frozenset[str]) -> Iterator[Decoded]:
    """Read one record; a record of another category, or without a model call, is skipped."""
    reader = _READERS.get(_category(document) or "")
    if reader is None:
        yield Skipped("a record of another log category")
        return
    flat = _flat(document)
    yield Rejected("properties that are no JSON") if flat is None else reader(flat, frozenset(map(str.lower, cut)))


def _category(document: dict[str, Any]) -> str | None:
    for key in ("category", "Category", "Type"):
        value = document.get(key)
        if isinstance(value, str) and (key != "Type" or value.lower().startswith("apimanagement")):
            return value.lower().removeprefix("apimanagement").removesuffix("s")
    return None


_SUFFIX = re.compile(r"(?<=[a-z])_[sdbgt]$")
"""Type suffixes of names in AzureDiagnostics, Log Analytics' older table: `promptTokens_d`."""


def _flat(document: dict[str, Any]) -> dict[str, Any] | None:
    """Return the record's fields and its properties in one mapping, keys in lower case and without type suffixes.

    None if the properties are a text that cannot be parsed.
    """
    flat = {_SUFFIX.sub("", key.lower()): value for key, value in document.items()}
    properties = flat.pop("properties", None)
    if isinstance(properties, str) and properties.strip():
        try:
            properties = jsontext.decode(properties).value
        except jsontext.NotJson:
            return None
    if isinstance(properties, dict):
        flat.update((key.lower(), value) for key, value in properties.items() if value is not None)
    return flat


def _gateway_log(flat: dict[str, Any], cut: frozenset[str], stated: Mapping[str, str] | None = None) -> Decoded:
    request, request_flags = _body(flat, ("requestbody", "backendrequestbody"), cut)
    response, response_flags = _body(flat, ("responsebody", "backendresponsebody"), cut)
    identity = _identity(flat)
    dimensions = fields.dimensions(flat, _DIMENSIONS) if stated is None else stated
    if request is None and response is None:
        return Skipped("a gateway log without bodies", identity, _time(flat), dimensions=dimensions)
    return Exchange(
        envelope="GatewayLogs",
        id=identity,
        time=_time(flat),
        url=fields.text(flat.get("url")) or fields.text(flat.get("backendurl")),
        status=fields.status(flat.get("responsecode")),
        request=request,
        response=response,
        dimensions=dimensions,
        flags=request_flags | response_flags,
        any_api=True,
        correlation=identity,
    )


def _llm_log(flat: dict[str, Any], _cut: frozenset[str]) -> Decoded:
    usage = _usage(flat)
    identity, model = _identity(flat), fields.name(flat.get("modelname")) or fields.name(flat.get("deploymentname"))
    asked, said = _messages(flat.get("requestmessages")), _messages(flat.get("responsemessages"))
    if usage is None and not (asked and said):
        if asked is None and said is None and _is_blank(flat):
            return Skipped("a log record of no model call", identity, _time(flat))
        return Rejected(JOIN_ROWS)
    return Exchange(
        envelope="GatewayLlmLogs",
        id=identity,
        time=_time(flat),
        model=model,
        request=Body({"messages": asked}) if asked else None,
        response=Body({"choices": [{"message": message} for message in said]}) if said else None,
        usage=usage,
        dimensions=fields.dimensions(flat, _DIMENSIONS),
        correlation=identity,
    )


_READERS: dict[str, Callable[[dict[str, Any], frozenset[str]], Decoded]] = {
    "gatewaylog": _gateway_log,
    "gatewayllmlog": _llm_log,
}


def _identity(flat: dict[str, Any]) -> str | None:
    return fields.text(flat.get("correlationid"))


def _time(flat: dict[str, Any]) -> Any:
    return fields.time(flat.get("time")) or fields.time(flat.get("timegenerated"))


def _body(flat: dict[str, Any], keys: tuple[str, ...], cut: frozenset[str]) -> tuple[Body | None, frozenset[str]]:
    key = next((key for key in keys if flat.get(key)), keys[0])
    return fields.body(flat.get(key), cut=key in cut)


def _usage(flat: dict[str, Any]) -> Usage | None:
    prompt, completion, total = (
        to_tokens(flat.get(key)) for key in ("prompttokens", "completiontokens", "totaltokens")
    )
    return as_stated(prompt, completion, total, cached=to_tokens(flat.get("promptcachedtokens")))


def _messages(value: Any) -> list[Any] | None:
    """Return logged messages: a JSON string, or chunks of one that cannot be read without joining them."""
    if isinstance(value, str) and value:
        try:
            value = jsontext.decode(value).value
        except jsontext.NotJson:
            return []
    if isinstance(value, dict):
        return [value]
    return value if isinstance(value, list) else None


def _is_blank(flat: dict[str, Any]) -> bool:
    """Return whether a row names no model and no request: probes and refused calls produce such rows."""
    return not (fields.text(flat.get("modelname")) or fields.text(flat.get("requestid")))
