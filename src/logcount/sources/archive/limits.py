"""How much of a source is read at most, so that no file can take more memory or time than foreseen."""

from __future__ import annotations

from dataclasses import dataclass

KIB = 1024
MIB = 1024 * KIB
GIB = 1024 * MIB


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on what one file may ask of its reader; sizes in bytes."""

    event_bytes: int = 20 * MIB
    """The largest message of Event Hubs is 20 MB (dedicated tier); this is the round figure above it."""
    inflated_bytes: int = GIB
    """A gzip that stays below this is never called a bomb, however well it compresses."""
    inflated_ratio: int = 500
    """Deflate reaches 1032:1 at most, and logs of JSON 5:1 to 50:1: beyond this only padding is left."""
    avro_block_bytes: int = 128 * MIB
    """An Avro block is held in memory whole; this is six events of the largest size."""
    avro_header_bytes: int = MIB
    """The header holds the schema; Capture's is 508 bytes."""


def in_words(size: int) -> str:
    """Say a size in the largest unit that divides it."""
    for unit, name in ((GIB, "GiB"), (MIB, "MiB"), (KIB, "KiB")):
        if size >= unit and size % unit == 0:
            return f"{size // unit} {name}"
    return f"{size} bytes"
