"""Seeded prose whose length in tokens is known while it is written.

The words and what follows what are those of Python's own reference manual, which every CPython carries; the sentences
are new. Pieces begin with a space and a letter, where byte-level tokenizers always cut, so that their tokens add up.
"""

from __future__ import annotations

import random
import re
from collections import defaultdict
from pydoc_data.topics import topics
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_PIECE = re.compile(r" [A-Za-z]+(?: [a-z]+){1,3}[,.;]?")


class Prose:
    """Writes text of any number of tokens; the same seed writes the same text."""

    def __init__(self, count: Callable[[str], int], seed: int) -> None:
        self._random = random.Random(seed)
        manual = re.sub(r"\s+", " ", " ".join(topics[name] for name in sorted(topics)))
        pieces = sorted(set(_PIECE.findall(manual)))
        by_first = defaultdict(list)
        for piece in pieces:
            by_first[piece[1]].append((piece, count(piece)))
        self._starts = [entry for entries in by_first.values() for entry in entries]
        self._following = {letter: entries for letter, entries in by_first.items() if len(entries) > 50}
        words = sorted({f" {word}" for word in re.findall(r"[a-z]+", manual)})
        self._singles = [word for word in words if count(word) == 1]

    def write(self, tokens: int) -> str:
        """Return a text of exactly so many tokens."""
        written: list[str] = []
        choose = self._random.choice
        entries = self._starts
        while tokens > 8:
            piece, size = choose(entries)
            if size > tokens:
                break
            written.append(piece)
            tokens -= size
            entries = self._following.get(piece[-2:-1], self._starts)
        written.extend(choose(self._singles) for _ in range(tokens))
        return "".join(written)
