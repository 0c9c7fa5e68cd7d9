"""What stretches of text were counted as, in bounded memory."""

from __future__ import annotations

import secrets
from sys import getsizeof

from xxhash import xxh3_128_digest

DEFAULT_ROOM = 64 * 2**20
"""Bytes that the memo of one tokenizer may take."""

LONGEST_OWN_KEY = 128
"""Characters up to which a stretch is its own key: beyond, a digest takes less room and hardly more time."""

_SLOT = 130
"""Bytes of an entry in a dictionary that has just been made larger, which is when it is emptiest; half, before."""

_NUMBER = 28
"""Bytes of an integer."""


class Memo:
    """Remembers counts by text: two generations, of which the elder is forgotten when the younger is full.

    Whatever was asked for since the last change of generations is kept. A long stretch is known by a digest of
    128 bits, seeded at random in each process, so that nobody can prepare two texts that share one.
    """

    def __init__(self, room: int = DEFAULT_ROOM) -> None:
        self.young: dict[str | bytes, int] = {}
        """What was asked for lately: the first place to look, before `recall`."""
        self._old: dict[str | bytes, int] = {}
        self._room = room // 2
        self._taken = 0
        self._seed = secrets.randbits(64)

    def key(self, text: str) -> str | bytes:
        """Return what a text is known by.

        Raises:
            UnicodeError: the text is long and holds half a surrogate pair.

        """
        return text if len(text) <= LONGEST_OWN_KEY else xxh3_128_digest(text.encode(), self._seed)

    def recall(self, key: str | bytes) -> int | None:
        """Return a count that was not asked for lately."""
        count = self._old.get(key)
        if count is not None:
            self.keep(key, count)
        return count

    def keep(self, key: str | bytes, count: int) -> None:
        """Remember a count."""
        self._taken += getsizeof(key) + _SLOT + _NUMBER
        if self._taken > self._room:
            self._old, self.young = self.young, {}
            self._taken = getsizeof(key) + _SLOT + _NUMBER
        self.young[key] = count

    def clear(self) -> None:
        """Forget everything."""
        self.young, self._old, self._taken = {}, {}, 0
