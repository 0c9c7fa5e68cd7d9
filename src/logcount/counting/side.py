"""One side of an exchange, counted: how many tokens, and whether that is all of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from logcount.model.content import Finish

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True)
class Side:
    """The tokens of a prompt or a completion.

    `doubts` says why `tokens` is only a lower bound, or why it is None; without any it is exact.
    """

    tokens: int | None
    doubts: frozenset[str] = frozenset()

    @property
    def whole(self) -> bool:
        """Whether it was counted to the last token."""
        return self.tokens is not None and not self.doubts


def uncounted_parts(kinds: Iterable[str], side: str) -> frozenset[str]:
    """Return the doubts that come of what a prompt or reply holds beyond countable text."""
    return frozenset(f"{kind} in the {side} is not counted" for kind in kinds)


def unknown(doubt: str) -> Side:
    """Return a side of which nothing is known, and why."""
    return Side(None, frozenset({doubt}))


_STOPPED = frozenset({Finish.STOP, Finish.STOP_EITHER, Finish.STOP_STRING})


def stop_tokens(finish: Finish) -> int:
    """Return how many tokens end a reply unseen: servers count the stop token, and there is none at a length limit."""
    return 1 if finish in _STOPPED else 0
