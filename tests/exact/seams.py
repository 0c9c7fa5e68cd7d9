"""Where logcount cuts a text: the counts of the pieces are to add up to the count of the whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from logcount.tokenizers.cutting import Cutter


def seams(cutter: Cutter, text: str) -> list[int]:
    """Return the offsets, ascending, at which the added tokens that a text is cut at start and end."""
    if cutter._pattern is None:
        return []
    offsets = [offset for found in cutter._pattern.finditer(text) for offset in found.span()]
    assert len(cutter.stretches(text)) == 1 + len(offsets) // 2
    return list(dict.fromkeys(offsets))
