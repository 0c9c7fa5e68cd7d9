"""One exchange compared: what was reported of it beside what its tokenizer says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


@dataclass(frozen=True, slots=True)
class Compared:
    """One side of an exchange, reported and counted; None is unknown."""

    reported: int | None
    counted: int | None
    doubt: str | None = None
    """Why the two cannot be compared, though `counted` may be a lower bound; holds no piece of a body."""

    @property
    def difference(self) -> int | None:
        """By how many tokens the tokenizer says more than was reported; None where the two cannot be compared."""
        if self.reported is None or self.counted is None or self.doubt is not None:
            return None
        return self.counted - self.reported


@dataclass(frozen=True, slots=True)
class Comparison:
    """Both sides of an exchange whose model reported usage."""

    model: str | None
    tokenizer: str | None
    """The label of the tokenizer, with its fingerprint; None where there is none for the model."""
    prompt: Compared
    completion: Compared | None
    """None where this API generates nothing."""
    cached: bool = False
    """Whether a part of the prompt was reported to come from a cache."""

    @property
    def sides(self) -> tuple[tuple[str, Compared], ...]:
        """The sides that there are, under their names."""
        both = (("prompt", self.prompt), ("completion", self.completion))
        return tuple((name, side) for name, side in both if side is not None)


class ExchangeRef(NamedTuple):
    """Where an exchange is found again."""

    source: str
    position: int
    id: str | None = None
