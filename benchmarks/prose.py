"""Seeded prose whose length in tokens is known while it is written.

Its pieces are words as they follow each other in what is installed: documentation, and translations of programs in
other languages. One in a hundred is a word that was never seen. Each piece begins with a space and a letter, where
byte-level tokenizers always cut, so that their tokens add up.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from installed_text import InstalledText

_PIECE = re.compile(r"(?: [^\W\d_]{1,20}){2,5}[,.;]?")
_MOST = 400_000
"""Pieces: two million words, tens of thousands of them different."""
_NEW = 0.01
"""Share of pieces that are a word never seen before."""


class Prose:
    """Writes text of any number of tokens; the same seed and machine write the same text."""

    def __init__(self, text: InstalledText, count_each: Callable[[Sequence[str]], list[int]]) -> None:
        self._text = text
        self._count_each = count_each
        manual = " ".join(f"{text.prose(4000)} {text.language(800)}" for _ in range(4000))
        found = sorted(set(_PIECE.findall(re.sub(r"\s+", " ", manual))))
        pieces = [piece for piece in found if _is_letters(piece)]
        text.random.shuffle(pieces)
        pieces = pieces[:_MOST]
        self._pieces = list(zip(pieces, count_each(pieces), strict=True))
        words = sorted({f" {word}" for word in re.findall(r"[a-z]+", manual)})
        self._singles = [word for word, size in zip(words, count_each(words), strict=True) if size == 1]

    def write(self, tokens: int) -> str:
        """Return a text of exactly so many tokens."""
        written: list[str] = []
        chances = self._text.random
        while tokens > 8:
            piece, size = self._new_word() if chances.random() < _NEW else chances.choice(self._pieces)
            if size > tokens:
                break
            written.append(piece)
            tokens -= size
        written.extend(chances.choice(self._singles) for _ in range(tokens))
        return "".join(written)

    def _new_word(self) -> tuple[str, int]:
        word = " " + re.sub(r"[^a-zA-Z]", "", self._text.identifier() + self._text.identifier())
        return word, self._count_each([word])[0]


def _is_letters(piece: str) -> bool:
    """Say whether a piece is words of letters, in the one form that tokenizers bring text into."""
    return unicodedata.is_normalized("NFC", piece) and all(word[0].isalpha() for word in piece.split())
