"""What the server took in: metric points, as a reader of them would see them, and their totals."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Taken:
    """A point that was accepted."""

    metric: str
    namespace: str
    time: str
    sum: float
    count: int
    min: float
    max: float
    dimensions: dict[str, str]
    record: str | None = None
    """None where it stands in no ledger."""
    number: int | None = None
    tags: dict[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return it as it is told over the control port."""
        return asdict(self)


@dataclass(slots=True)
class Total:
    """What a metric came to, each point once."""

    sum: float = 0
    count: int = 0
    items: int = 0
    repeats: int = 0
    """Items that had been accepted before."""


class TakenItems:
    """All that was accepted, in its order."""

    def __init__(self) -> None:
        self.items: list[Taken] = []
        self._seen: set[tuple[str, int | None, str]] = set()
        self._totals: dict[str, Total] = {}

    def put(self, items: list[Taken]) -> None:
        """Accept items."""
        for item in items:
            self.items.append(item)
            total = self._totals.setdefault(item.metric, Total())
            name = (item.record or "", item.number, item.metric)
            if item.record is not None and name in self._seen:
                total.repeats += 1
                continue
            self._seen.add(name)
            total.items += 1
            total.sum += item.sum
            total.count += item.count

    def totals(self) -> dict[str, dict[str, float]]:
        """Return by metric what the points come to, repeats left out."""
        return {metric: asdict(total) for metric, total in self._totals.items()}

    def clear(self) -> None:
        """Forget everything."""
        self.items.clear()
        self._seen.clear()
        self._totals.clear()
