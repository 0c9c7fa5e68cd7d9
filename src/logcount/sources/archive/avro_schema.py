"""Simplifies Avro schemas: the result decodes the same bytes, in bounded time and memory.

A schema comes with the file and may be hostile: recursive records exhaust the stack, arrays of empty items the memory.
Fields may be primitives, enums, fixed, and maps, arrays and unions of these; Capture uses no others.
"""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

Schema = Any
"""A schema as JSON."""

_PRIMITIVES = frozenset(("null", "boolean", "int", "long", "float", "double", "bytes", "string"))


class Unsupported(Exception):
    """A schema uses a feature that is not supported."""


def plain_record(schema: Schema) -> dict[str, Schema]:
    """Return the simplified fields of a record's schema, by name and in order.

    Raises:
        Unsupported: it is not a record, or a field is neither primitive nor a collection of primitives.
    """
    if not isinstance(schema, dict) or schema.get("type") != "record" or not isinstance(schema.get("fields"), list):
        raise Unsupported
    names = count()
    fields: dict[str, Schema] = {}
    for field in schema["fields"]:
        if not isinstance(field, dict) or not isinstance(field.get("name"), str) or field["name"] in fields:
            raise Unsupported
        try:
            fields[field["name"]] = _plain(field.get("type"), names)
        except RecursionError:
            raise Unsupported from None
    return fields


def _plain(schema: Schema, names: Iterator[int]) -> Schema:
    if isinstance(schema, str) and schema in _PRIMITIVES:
        return schema
    if isinstance(schema, list) and schema:
        return [_plain(branch, names) for branch in schema]
    if not isinstance(schema, dict):
        raise Unsupported
    kind = schema.get("type")
    if kind == "enum":
        return "int"  # the same bytes, without symbols to check
    if kind == "map":
        return {"type": "map", "values": _plain(schema.get("values"), names)}
    if kind == "array":
        return {"type": "array", "items": _not_empty(_plain(schema.get("items"), names))}
    if kind == "fixed":
        return {"type": "fixed", "name": f"fixed{next(names)}", "size": _size(schema.get("size"))}
    return _plain(kind, names)


def _not_empty(items: Schema) -> Schema:
    if items == "null" or (isinstance(items, dict) and items.get("size") == 0):
        raise Unsupported  # they take no bytes, so their number has no bound
    return items


def _size(size: object) -> int:
    if not isinstance(size, int) or size < 0:
        raise Unsupported
    return size
