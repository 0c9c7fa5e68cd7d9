"""The live audit: the fast engine under the eyes of the reference, for as long as it counts."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from logcount.tokenizers.engine import agrees

if TYPE_CHECKING:
    from collections.abc import Callable

    from logcount.tokenizers.engine import Engine

ONE_IN = 1_000
"""Texts that the fast engine counts for each that is audited."""

LONGEST_SAMPLE = 4_096
"""Characters that are audited of a longer text, from anywhere in it: a few milliseconds of the reference."""


class AuditedEngine:
    """Counts by the fast engine; about one text in `one_in`, chosen at random, by the reference too.

    What the fast engine cannot count is counted by the reference. On the first difference `dismiss` is called
    with the number of texts that the fast engine had counted: what it counted since it was loaded is in doubt.
    """

    def __init__(
        self, fast: Engine, reference: Engine, *, dismiss: Callable[[int], None], one_in: int = ONE_IN
    ) -> None:
        self._fast = fast
        self._reference = reference
        self._dismiss = dismiss
        self._one_in = one_in
        self._chance = random.Random()  # noqa: S311  (nothing to guess: it decides what is looked at)
        self._counted = 0
        self._until = self._draw()

    def count(self, text: str) -> int:
        """Return the number of tokens."""
        try:
            count = self._fast.count(text)
        except Exception:  # half a surrogate pair, which the reference refuses too, or whatever a foreigner may raise
            return self._reference.count(text)
        self._counted += 1
        self._until -= 1
        return count if self._until > 0 else self._audit(text, count)

    def _audit(self, text: str, count: int) -> int:
        self._until = self._draw()
        if len(text) <= LONGEST_SAMPLE:
            right = self._reference.count(text)
            sound = right == count
        else:
            start = self._chance.randrange(len(text) - LONGEST_SAMPLE + 1)
            sound = agrees(self._fast, self._reference, text[start : start + LONGEST_SAMPLE])
            right = count if sound else self._reference.count(text)
        if not sound:
            self._dismiss(self._counted)
        return right

    def _draw(self) -> int:
        return self._chance.randrange(1, 2 * self._one_in)
