"""Limits on reading a source, so that no file can use unbounded memory or time."""

from __future__ import annotations

from dataclasses import dataclass

KIB = 1024
MIB = 1024 * KIB
GIB = 1024 * MIB


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits for one file; sizes in bytes."""

    event_bytes: int = 20 * MIB
    """The largest message of Event Hubs is 20 MB (dedicated tier); this is the next round figure."""
    inflated_bytes: int = GIB
    """A gzip smaller than this, unpacked, is never rejected as a bomb."""
    inflated_ratio: int = 500
    """Deflate reaches 1032:1 at most, JSON logs 5:1 to 50:1; only padding compresses better than this."""
    avro_block_bytes: int = 128 * MIB
    """A whole Avro block is held in memory; this is six events of the largest size."""
    avro_header_bytes: int = MIB
    """The header holds the schema; Capture's is 508 bytes."""


def in_words(size: int) -> str:
    """Return a size in the largest unit that divides it."""
    for unit, name in ((GIB, "GiB"), (MIB, "MiB"), (KIB, "KiB")):
        if size >= unit and size % unit == 0:
            return f"{size // unit} {name}"
    return f"{size} bytes"
