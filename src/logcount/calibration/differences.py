"""Sums of the differences between reported and counted tokens of one side of one model, in bounded memory."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from logcount.calibration.comparison import Compared, ExchangeRef

_FINE = 1024
"""Differences below it are kept exactly; larger ones are rounded to powers of two, so that there are few."""

REASONS_AT_MOST = 32
OTHER_REASONS = "other reasons"


@dataclass(frozen=True, slots=True)
class Worst:
    """The greatest difference, and the first exchange with it."""

    difference: int
    reported: int
    place: ExchangeRef

    @property
    def _order(self) -> tuple[int, str, int, int, int, str]:
        place = self.place
        return -abs(self.difference), place.source, place.position, self.difference, self.reported, place.id or ""

    def or_worse(self, other: Worst | None) -> Worst:
        """Return the worse of the two; if equal, the first by source and position."""
        return other if other is not None and other._order < self._order else self


@dataclass(slots=True)
class Differences:
    """Sums over one side of the exchanges of one model; all are integers, so the order does not matter."""

    compared: int = 0
    exact: int = 0
    reported: int = 0
    """Reported tokens of the compared sides."""
    counted: int = 0
    """Tokens counted by the tokenizer of the same sides."""
    astray: int = 0
    """The sum of the absolute differences, in tokens."""
    offsets: Counter[int] = field(default_factory=Counter)
    """How often each difference occurred; large ones are rounded to powers of two."""
    sizes: tuple[int, int] | None = None
    """The smallest and the largest reported number."""
    worst: Worst | None = None
    cached_exact: int = 0
    """How many of the exact ones had cached tokens reported."""
    cached_differing: int = 0
    """How many of the others had cached tokens reported."""
    unlike: Counter[str] = field(default_factory=Counter)
    """How many could not be compared, by reason."""
    exceeding: int = 0
    """How many of those had a lower bound above the reported number, by more than the one token that a cut may add."""
    meeting: int = 0
    """How many of those had a lower bound equal to the reported number."""

    def add(self, side: Compared, place: ExchangeRef, *, cached: bool) -> None:
        """Add one exchange."""
        difference, reported = side.difference, side.reported
        if difference is None or reported is None:
            self._add_unlike(side)
            return
        self.compared += 1
        self.reported += reported
        self.counted += reported + difference
        self.astray += abs(difference)
        self.offsets[_coarse(difference)] += 1
        self.sizes = _span(self.sizes, (reported, reported))
        if difference:
            self.worst = Worst(difference, reported, place).or_worse(self.worst)
            self.cached_differing += cached
        else:
            self.exact += 1
            self.cached_exact += cached

    def _add_unlike(self, side: Compared) -> None:
        self.unlike[side.doubt or "unknown"] += 1
        if side.reported is not None and side.counted is not None:
            self.exceeding += side.counted > side.reported + 1
            self.meeting += side.counted == side.reported
        self._trim()

    def merge(self, other: Differences) -> None:
        """Add the sums of another one."""
        for name in ("compared", "exact", "reported", "counted", "astray", "exceeding", "meeting"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.cached_exact += other.cached_exact
        self.cached_differing += other.cached_differing
        self.offsets.update(other.offsets)
        self.sizes = _span(self.sizes, other.sizes)
        self.worst = self.worst.or_worse(other.worst) if self.worst else other.worst
        self.unlike.update(other.unlike)
        self._trim()

    def _trim(self) -> None:
        """Keep the reasons that sort first by name: then the result does not depend on their order of arrival."""
        while len(self.unlike) > REASONS_AT_MOST:
            last = max(reason for reason in self.unlike if reason != OTHER_REASONS)
            self.unlike[OTHER_REASONS] += self.unlike.pop(last)

    @property
    def differing(self) -> int:
        """How many compared sides are not exact."""
        return self.compared - self.exact

    @property
    def exact_share(self) -> float | None:
        """The exact share of the compared sides, 0 to 1."""
        return self.exact / self.compared if self.compared else None

    @property
    def mean(self) -> float | None:
        """The mean difference in tokens, with its sign."""
        return (self.counted - self.reported) / self.compared if self.compared else None

    @property
    def mean_percent(self) -> float | None:
        """The sum of the differences in percent of the reported tokens, with its sign."""
        return 100 * (self.counted - self.reported) / self.reported if self.reported else None

    @property
    def astray_percent(self) -> float | None:
        """The absolute differences in percent of the reported tokens."""
        return 100 * self.astray / self.reported if self.reported else None

    def common(self, most: int) -> list[tuple[int, int]]:
        """Return the most common exact differences, without 0, and how often each occurred."""
        fine = [(offset, number) for offset, number in self.offsets.items() if 0 < abs(offset) < _FINE]
        return sorted(fine, key=lambda pair: (-pair[1], abs(pair[0]), pair[0]))[:most]


def _coarse(difference: int) -> int:
    if abs(difference) < _FINE:
        return difference
    size: int = 1 << (abs(difference).bit_length() - 1)
    return size if difference > 0 else -size


def _span(one: tuple[int, int] | None, other: tuple[int, int] | None) -> tuple[int, int] | None:
    if one is None or other is None:
        return one or other
    return min(one[0], other[0]), max(one[1], other[1])
