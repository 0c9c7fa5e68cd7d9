"""Parses the connection string of an Application Insights resource: endpoint, key and token scope.

The format: https://learn.microsoft.com/azure/azure-monitor/app/connection-strings. No error text shows a value.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from logcount.errors import Misconfigured
from logcount.sinks.routes import check_endpoint

_DEFAULT_ENDPOINT = "https://dc.services.visualstudio.com"
_DEFAULT_SCOPE = "https://monitor.azure.com//.default"
"""With both slashes, as Azure's own clients request it."""
_WHAT = "the connection string of Application Insights"
_EXPECTED = "expected InstrumentationKey=GUID;IngestionEndpoint=https://HOST/"
_GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ConnectionString:
    """A parsed connection string."""

    key: str = field(repr=False)
    """The instrumentation key."""
    endpoint: str
    """Scheme, host and, for a proxy, a path; without a slash at its end."""
    scope: str
    """The scope to request a token for."""


def parse_connection_string(text: str) -> ConnectionString:
    """Parse a connection string: keys in any case and order; unknown ones are ignored.

    Raises:
        Misconfigured: it cannot be parsed, has no key, or its endpoint is not a URL.

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
    """Return the scope of a token for this resource's cloud.

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
    """Return the endpoint of a cloud that is given only by its domain."""
    suffix, location = parts.get("endpointsuffix", "").strip("."), parts.get("location", "").strip(".")
    return f"https://{location and location + '.'}dc.{suffix}" if suffix else None
