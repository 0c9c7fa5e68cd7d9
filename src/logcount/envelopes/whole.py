"""Reads whole events of the most common envelopes in one pass; bodies stay undecoded.

Law: the result equals what `decode` reads from the event as a document; doubtful events are left to `decode`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from logcount.envelopes import diagnostic, native, seed
from logcount.jsontext import NotJson

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from logcount.envelopes.mapped import Mapped
    from logcount.model.exchanges import Decoded


class _Schema(NamedTuple):
    """The fields of one envelope, and how to read them."""

    decode: Callable[[bytes], Any]
    read: Callable[[Any], list[Decoded]]
    names: frozenset[str]


def _schema(kind: type[msgspec.Struct], read: Callable[[Any], list[Decoded]]) -> _Schema:
    names = frozenset(field.encode_name for field in msgspec.structs.fields(kind))
    return _Schema(msgspec.json.Decoder(kind).decode, read, names)


_OPENING = 6
"""Bytes at the start that show the first field, which selects one envelope; no other is tried."""
_NATIVE = _schema(native.NativeBytes, native.read_whole)
_SEED = _schema(seed.SeedBytes, seed.read_whole)
_BY_OPENING = {
    **dict.fromkeys((b'{"v":1', b'{"v": ', b'{"requ', b'{"resp'), _NATIVE),
    **dict.fromkeys((b'{"Requ', b'{"Resp'), _SEED),
}
_OTHERS = _schema(diagnostic.GatewayRecord, diagnostic.read_whole)


def read_whole(data: bytes, mappings: Sequence[Mapped] = ()) -> list[Decoded] | None:
    """Return every exchange in an event; None if it must be read as a document."""
    schema = _BY_OPENING.get(data[:_OPENING], _OTHERS)
    if mappings and any(mapping.match.partition(".")[0] in schema.names for mapping in mappings):
        return None
    try:
        results = schema.read(schema.decode(data))
        if not data.isascii():
            data.decode()
    except (msgspec.DecodeError, NotJson, UnicodeError, RecursionError):
        return None
    return results or None
