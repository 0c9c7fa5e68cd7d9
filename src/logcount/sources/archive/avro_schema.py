"""Avro schemas made plain: what is left decodes the same bytes, and cannot ask for endless work.

A schema comes with the file, and so does its malice: records within themselves exhaust the stack, arrays of nothing the
memory. Fields may be primitives, enums, fixed, and maps, arrays and unions of these: all that Capture and its like use.
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
    """A schema uses what is not read here."""


def plain_record(schema: Schema) -> dict[str, Schema]:
    """Return the fields of a record's schema, by name and in order, each made plain.

    Raises:
        Unsupported: it is no record, or a field is neither primitive nor a collection of primitives.
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
        raise Unsupported  # they take no bytes, so that nothing bounds their number
    return items


def _size(size: object) -> int:
    if not isinstance(size, int) or size < 0:
        raise Unsupported
    return size
