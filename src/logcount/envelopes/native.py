"""The native envelope: one event per exchange, as logcount's own policy writes it or a mapping makes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from logcount.bodies.usage import as_cut, read_usage
from logcount.envelopes import fields
from logcount.model.exchanges import Decoded, Exchange, Rejected

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_BODIES = frozenset({"requestBody", "responseBody"})
_WITHOUT_BODIES = frozenset({"requestId", "usage", "url", "status", "apiId"})

JOIN_PARTS = "one part of an exchange: parts are not joined yet"


class NativeEvent(msgspec.Struct, rename="camel", frozen=True):
    """The fields of a native event."""

    v: Any = None
    request_id: Any = None
    time: Any = None
    api_id: str | None = None
    operation_id: str | None = None
    product_id: str | None = None
    user_id: str | None = None
    subscription_id: str | None = None
    location: str | None = None
    gateway_id: str | None = None
    backend_id: str | None = None
    client_ip: str | None = None
    method: Any = None
    url: Any = None
    status: Any = None
    content_type: Any = None
    model: Any = None
    dimensions: Any = None
    usage: Any = None
    part: Any = None
    parts: Any = None
    response_encoding: Any = None
    response_body: Any = None
    request_encoding: Any = None
    request_body: Any = None


class NativeBytes(NativeEvent, forbid_unknown_fields=True, frozen=True):
    """A native event with undecoded bodies; one with other fields is read as a document."""

    response_body: msgspec.Raw = msgspec.Raw()
    request_body: msgspec.Raw = msgspec.Raw()


_WHOLE: frozenset[str] = frozenset()
_FIELDS = {field.encode_name: field.name for field in msgspec.structs.fields(NativeEvent)}
_OFTEN = fields.Dimensions("API ID", "Operation ID", "Product ID", "Subscription ID", "Location", "Gateway ID")
_SELDOM = fields.Dimensions("User ID", "Backend ID", "Client IP")


def matches(document: dict[str, Any]) -> bool:
    """Recognise it by its bodies; if a cut removed both, by its version and another field."""
    return not _BODIES.isdisjoint(document) or ("v" in document and not _WITHOUT_BODIES.isdisjoint(document))


def read(document: dict[str, Any], cut: frozenset[str], *, envelope: str = "native") -> Iterator[Decoded]:
    """Read a native event; `cut` names the fields in which it was cut."""
    event = NativeEvent(**{_FIELDS[key]: value for key, value in document.items() if key in _FIELDS})
    yield _read(event, fields.dimensions(document), cut, envelope)


def read_whole(event: NativeBytes) -> list[Decoded]:
    """Read a native event that is not cut; an empty list if it has no body to recognise it."""
    if not (len(event.response_body) or len(event.request_body)):
        return []
    stated = _OFTEN.of(
        event.api_id, event.operation_id, event.product_id, event.subscription_id, event.location, event.gateway_id
    )
    if event.user_id or event.backend_id or event.client_ip:
        stated = {**stated, **_SELDOM.of(event.user_id, event.backend_id, event.client_ip)}
    return [_read(event, stated, _WHOLE, "native")]


def _read(event: NativeEvent, stated: Mapping[str, str], cut: frozenset[str], envelope: str) -> Decoded:
    if event.part or event.parts is not None:
        parts = fields.text(event.parts)
        if event.part or parts not in {None, "1"}:
            return Rejected(JOIN_PARTS if parts else "a part of unknown number")
    request, asked = fields.body(event.request_body, event.request_encoding, cut="requestBody" in cut)
    response, said = fields.body(event.response_body, event.response_encoding, cut="responseBody" in cut)
    usage = None if event.usage is None else read_usage(event.usage)
    return Exchange(
        envelope=envelope,
        id=fields.text(event.request_id),
        time=fields.time(event.time),
        model=fields.name(event.model),
        url=fields.text(event.url),
        status=fields.status(event.status),
        request=request,
        response=response,
        usage=as_cut(usage) if "usage" in cut else usage,
        dimensions={**stated, **fields.own_dimensions(event.dimensions)} if event.dimensions else stated,
        flags=asked | said if asked or said else asked,
    )
