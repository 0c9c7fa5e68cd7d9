"""The comparison of one exchange: its reported tokens and its tokenizer's count."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


@dataclass(frozen=True, slots=True)
class Compared:
    """One side of an exchange, reported and counted; None is unknown."""

    reported: int | None
    counted: int | None
    doubt: str | None = None
    """Why the two cannot be compared (`counted` may be a lower bound); contains no part of a body."""

    @property
    def difference(self) -> int | None:
        """The tokenizer's count minus the reported one; None if the two cannot be compared."""
        if self.reported is None or self.counted is None or self.doubt is not None:
            return None
        return self.counted - self.reported


@dataclass(frozen=True, slots=True)
class Comparison:
    """Both sides of an exchange whose model reported usage."""

    model: str | None
    tokenizer: str | None
    """The label of the tokenizer, with its fingerprint; None if the model has none."""
    prompt: Compared
    completion: Compared | None
    """None if this API generates nothing."""
    cached: bool = False
    """Whether cached prompt tokens were reported."""

    @property
    def sides(self) -> tuple[tuple[str, Compared], ...]:
        """The existing sides, with their names."""
        both = (("prompt", self.prompt), ("completion", self.completion))
        return tuple((name, side) for name, side in both if side is not None)


class ExchangeRef(NamedTuple):
    """The source, position and id of an exchange."""

    source: str
    position: int
    id: str | None = None
