"""The connection string of an Application Insights resource: where to send, under which key, with which token.

The format: https://learn.microsoft.com/azure/azure-monitor/app/connection-strings. No error text shows a value.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from logcount.errors import Misconfigured
from logcount.sinks.routes import check_endpoint

_DEFAULT_ENDPOINT = "https://dc.services.visualstudio.com"
_DEFAULT_SCOPE = "https://monitor.azure.com//.default"
"""With both slashes: what Azure's own clients ask for."""
_WHAT = "the connection string of Application Insights"
_EXPECTED = "expected InstrumentationKey=GUID;IngestionEndpoint=https://HOST/"
_GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ConnectionString:
    """What a connection string says."""

    key: str = field(repr=False)
    """The instrumentation key."""
    endpoint: str
    """Scheme, host and, behind a proxy, a path; without a slash at its end."""
    scope: str
    """What a token must be asked for."""


def parse_connection_string(text: str) -> ConnectionString:
    """Read a connection string: keys in any case, in any order, unknown ones ignored.

    Raises:
        Misconfigured: it cannot be read, or has no key, or its endpoint is no URL.

    """
    parts = _split(text)
    key = parts.get("instrumentationkey", "")
    if not key:
        raise Misconfigured(f"{_WHAT} has no InstrumentationKey; {_EXPECTED}")
    if not _GUID.fullmatch(key):
        raise Misconfigured(f"the InstrumentationKey in {_WHAT} is no GUID; {_EXPECTED}")
    endpoint = parts.get("ingestionendpoint") or _from_suffix(parts) or _DEFAULT_ENDPOINT
    audience = parts.get("aadaudience")
    return ConnectionString(
        key=key,
        endpoint=check_endpoint(endpoint, f"the endpoint in {_WHAT}"),
        scope=f"{audience}/.default" if audience else _DEFAULT_SCOPE,
    )


def scope_of(connection_string: str) -> str:
    """Return the scope for which a token of this resource's cloud is asked.

    Raises:
        Misconfigured: the connection string is wrong.

    """
    return parse_connection_string(connection_string).scope


def _split(text: str) -> dict[str, str]:
    parts: dict[str, str] = {}
    for piece in text.strip().strip("\"'").split(";"):
        name, equals, value = piece.partition("=")
        name = name.strip().lower()
        if not name and not equals and not value:
            continue  # a semicolon at the end, or two in a row
        if not name or not equals:
            raise Misconfigured(f"{_WHAT} has a part without a name and =; {_EXPECTED}")
        if name in parts and parts[name] != value.strip():
            raise Misconfigured(f"{_WHAT} names a part twice; {_EXPECTED}")
        parts[name] = value.strip()
    return parts


def _from_suffix(parts: dict[str, str]) -> str | None:
    """Make the endpoint of a cloud that is named by its domain alone."""
    suffix, location = parts.get("endpointsuffix", "").strip("."), parts.get("location", "").strip(".")
    return f"https://{location and location + '.'}dc.{suffix}" if suffix else None
