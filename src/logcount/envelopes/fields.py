"""Reads single fields of envelopes, which may have any type: policy expressions write them."""

from __future__ import annotations

import base64
import binascii
import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import msgspec

from logcount.jsontext import Escaped, unopened
from logcount.model.exchanges import LONGEST_NAME, UNDECODABLE, Body

if TYPE_CHECKING:
    from collections.abc import Mapping

_GZIP_MAGIC = b"\x1f\x8b"

_LARGEST = 1e30
"""A number above this is not an id, status or time."""

_UNKNOWN = frozenset({"", "na", "n/a", "null", "none", "undefined", "unknown"})
"""Placeholders that policies write for unknown values."""


def text(value: Any) -> str | None:
    """Return a non-empty string, or a number as string; anything else is unknown."""
    if isinstance(value, str):
        return value.strip() or None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return str(value) if abs(value) <= _LARGEST else None


def name(value: Any) -> str | None:
    """Return a string that names something: placeholders such as `NA` are unknown."""
    if type(value) is str and len(value) <= LONGEST_NAME:
        return _short_name(value)
    return None if value is None else _name(value)


def _name(value: Any) -> str | None:
    found = text(value)
    return None if found is None or found.lower() in _UNKNOWN else found[:LONGEST_NAME]


_short_name = lru_cache(4096)(_name)


def status(value: Any) -> int | None:
    """Return an HTTP status, given as number or string."""
    if type(value) is int:
        return value if 100 <= value <= 599 else None
    found = text(value)
    if found is None or not re.fullmatch(r"[1-5][0-9][0-9](\.0)?", found):
        return None
    return int(found[:3])


_FORMATS = (
    "%m/%d/%Y %I:%M:%S %p",  # DateTime.UtcNow.ToString() in the culture of gateways
    "%m/%d/%Y %H:%M:%S",
    "%d/%m/%Y %H:%M:%S",
    "%d.%m.%Y %H:%M:%S",
)


def time(value: Any) -> datetime | None:
    """Return a time as aware UTC: ISO 8601, .NET's `ToString()`, or Unix seconds or milliseconds.

    A time without zone is UTC: policies write `DateTime.UtcNow`.
    """
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _unix(value)
    if not isinstance(value, str):
        return None
    try:
        return _aware(datetime.fromisoformat(value.strip()))
    except (ValueError, OverflowError):
        pass
    for form in _FORMATS:
        try:
            return _aware(datetime.strptime(value.strip(), form))  # noqa: DTZ007 - made aware at once
        except ValueError:
            continue
    return None


def _aware(moment: datetime) -> datetime:
    if moment.tzinfo is UTC:
        return moment
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _unix(value: float) -> datetime | None:
    try:
        return datetime.fromtimestamp(value / 1000 if abs(value) > 1e11 else value, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def body(value: Any, encoding: Any = None, *, cut: bool = False) -> tuple[Body | None, frozenset[str]]:
    """Return a body in the encoding its envelope names (`utf8`, `base64`, `gzip+base64`), and flags.

    Null and the empty string are no body. An object or array is embedded JSON. A raw JSON value is decoded only as far
    as necessary.

    Raises:
        NotJson: a raw value that is not a string cannot be decoded.
    """
    if isinstance(value, msgspec.Raw):
        value = opened(value)
        if isinstance(value, Escaped) and encoding in _PLAIN:
            return Body(value, cut), _UNFLAGGED
    if isinstance(value, _EMBEDDED):
        return Body(value, cut), _UNFLAGGED
    if not isinstance(value, _TEXT) or not value:
        return None, _UNFLAGGED
    kind = (text(encoding) or "utf8").lower()
    if kind in {"utf8", "utf-8"}:
        return Body(value, cut), _UNFLAGGED
    try:
        return _encoded(value if isinstance(value, str) else value.text(), kind, cut=cut), _UNFLAGGED
    except ValueError:
        return None, frozenset({UNDECODABLE})


def opened(raw: msgspec.Raw) -> Any:
    """Return a raw value, decoded only as far as necessary; None if it is missing or the empty string.

    Raises:
        NotJson: it cannot be decoded.
    """
    size = len(raw)
    return unopened(raw) if size > len(_EMPTY) or (size and bytes(raw) != _EMPTY) else None


_EMPTY = b'""'
_EMBEDDED = (dict, list)
_TEXT = (str, Escaped)
_PLAIN = (None, "utf8")
_UNFLAGGED: frozenset[str] = frozenset()


def _encoded(value: str, kind: str, *, cut: bool) -> Body:
    if kind not in {"base64", "gzip+base64"}:
        raise ValueError(kind)
    data = unbase64(value, cut=cut)
    if kind != "base64" and not data.startswith(_GZIP_MAGIC):
        raise ValueError("not gzip")
    return Body(data, cut)  # stays compressed: the reader of a body decompresses it


def unbase64(value: str, *, cut: bool = False) -> bytes:
    """Decode base64, standard or URL-safe, with or without padding; a cut text as far as possible.

    Raises:
        ValueError: it is not base64.
    """
    packed = re.sub(r"\s+", "", value).translate(_STANDARD_ALPHABET).rstrip("=")
    if cut or len(packed) % 4 == 1:
        if not cut:
            raise ValueError("not base64")
        packed = packed[: len(packed) // 4 * 4]
    try:
        return base64.b64decode(packed + "=" * (-len(packed) % 4), validate=True)
    except binascii.Error:
        raise ValueError("not base64") from None


_STANDARD_ALPHABET = str.maketrans("-_", "+/")


_DIMENSIONS = {
    "apiid": "API ID",
    "operationid": "Operation ID",
    "productid": "Product ID",
    "userid": "User ID",
    "subscriptionid": "Subscription ID",
    "location": "Location",
    "gatewayid": "Gateway ID",
    "backendid": "Backend ID",
    "clientip": "Client IP",
}
"""The native envelope's fields, and their names in APIM's policy."""


def dimensions(document: Mapping[str, Any], names: Mapping[str, str] = _DIMENSIONS) -> dict[str, str]:
    """Return a record's dimensions, under the policy's names; field names in any case."""
    found = {}
    for key, value in document.items():
        dimension = names.get(key.lower())
        if dimension is not None and (known := name(value)) is not None:
            found[dimension] = known
    return found


class Dimensions:
    """Dimensions from a fixed list of fields; caches up to `_REMEMBERED` combinations of values."""

    _REMEMBERED = 4096
    _LONGEST = 1024
    """The most characters of one cached combination: callers may send values of any length."""

    def __init__(self, *names: str) -> None:
        self._names = names
        self._met: dict[tuple[str | None, ...], Mapping[str, str]] = {}

    def of(self, *values: str | None) -> Mapping[str, str]:
        """Return the known values by name; callers share the returned mapping."""
        found = self._met.get(values)
        return self._of(values) if found is None else found

    def _of(self, values: tuple[str | None, ...]) -> Mapping[str, str]:
        named = zip(self._names, values, strict=True)
        found = {dimension: known for dimension, value in named if (known := name(value)) is not None}
        if sum(len(value) for value in values if value) <= self._LONGEST:
            if len(self._met) >= self._REMEMBERED:
                self._met.clear()
            self._met[values] = found
        return found


def own_dimensions(value: Any) -> dict[str, str]:
    """Return the operator's own dimensions from an object of names and values."""
    if not isinstance(value, dict):
        return {}
    return {key: known for key, item in value.items() if key and (known := name(item)) is not None}
