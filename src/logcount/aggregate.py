"""Adds up outcomes: groups by dimensions, totals, and everything that was not counted, by reason."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeVar

from logcount.calibration import Calibration, ExchangeRef
from logcount.model.counts import TOKEN_KINDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from logcount.model.counts import Outcome, TokenCount

HOUR, DAY = "hour", "day"
"""What outcomes can be grouped by besides their dimensions: the hour and the day of the exchange, in UTC."""


@dataclass(slots=True)
class Group:
    """Sums over the counted exchanges that share the same dimensions; an unknown count adds nothing."""

    exchanges: int = 0
    prompt: int = 0
    completion: int = 0
    total: int = 0
    cached: int = 0
    reasoning: int = 0
    counted_by: Counter[str] = field(default_factory=Counter)

    def add(self, count: TokenCount) -> None:
        """Add one count."""
        self.exchanges += 1
        self.counted_by[count.counted_by] += 1
        self.prompt += count.prompt or 0
        self.completion += count.completion or 0
        self.total += count.total or 0
        if count.cached:
            self.cached += count.cached
        if count.reasoning:
            self.reasoning += count.reasoning

    def merge(self, other: Group) -> None:
        """Add another group's sums."""
        self.exchanges += other.exchanges
        self.counted_by.update(other.counted_by)
        for part in TOKEN_KINDS:
            setattr(self, part, getattr(self, part) + getattr(other, part))


Key = tuple[tuple[str, str], ...]
"""The dimensions of a group, as pairs of name and value; an unknown one is absent."""


@dataclass(slots=True)
class Summary:
    """The result of a replay: everything read is counted, uncounted, skipped, rejected or a duplicate."""

    by: tuple[str, ...]
    """The dimensions that groups are made by, in order; `hour` and `day` among them."""
    counted: int = 0
    duplicates: int = 0
    outside: int = 0
    """Exchanges and events outside the requested time span; `read` does not include them."""
    cells: dict[tuple[str | None, Key], Group] = field(default_factory=dict)
    """Sums by model and dimensions; groups, models and the overall sums are computed from these."""
    uncounted: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    rejected: Counter[str] = field(default_factory=Counter)
    first_rejected: dict[str, str] = field(default_factory=dict)
    """The position of the first event rejected for each reason, as SOURCE:POSITION."""
    flags: Counter[str] = field(default_factory=Counter)
    uncounted_models: Counter[tuple[str, str]] = field(default_factory=Counter)
    """How many exchanges were uncounted, by reason and model."""
    calibration: Calibration = field(default_factory=Calibration)
    """Reported counts compared with tokenizer counts, from the outcomes that have a comparison."""
    _met: dict[tuple[str | None, ...], Group] = field(default_factory=dict, init=False, repr=False, compare=False)
    """A cache of cells by model and raw values: most exchanges have the same values as an earlier one."""

    @property
    def read(self) -> int:
        """The number of exchanges in the span, plus events from which no exchange could be read."""
        return self.counted + self.duplicates + sum(map(Counter.total, (self.uncounted, self.skipped, self.rejected)))

    @property
    def groups(self) -> dict[Key, Group]:
        """The sums by the requested dimensions."""
        return merged((key, group) for (_, key), group in self.cells.items())

    @property
    def models(self) -> dict[str | None, Group]:
        """The sums by model."""
        return merged((model, group) for (model, _), group in self.cells.items())

    @property
    def overall(self) -> Group:
        """The sums over everything counted."""
        return merged((None, group) for group in self.cells.values()).get(None, Group())

    def add(self, outcome: Outcome, source: str = "", position: int = 0) -> None:
        """Add the outcome of one exchange, or of an event without a readable exchange, and the event's position."""
        if outcome.flags:
            self.flags.update(outcome.flags)
        if outcome.count is not None:
            self.counted += 1
            values = outcome.model, *(map(outcome.dimensions.get, self.by))
            if HOUR in self.by or DAY in self.by:
                values = outcome.model, *(_value(outcome, name) for name in self.by)
            cell = self._met.get(values)
            if cell is None:
                cell = self._met[values] = self._cell(outcome.model, key_of(outcome, self.by))
            cell.add(outcome.count)
            if outcome.comparison is not None:
                self.calibration.add(outcome.comparison, ExchangeRef(source, position, outcome.id))
        else:
            self._add_uncounted(outcome, f"{source}:{position}")

    def _add_uncounted(self, outcome: Outcome, place: str) -> None:
        word, reason = outcome.word, outcome.reason or ""
        if word == "duplicate":
            self.duplicates += 1
            return
        if word == "outside":
            self.outside += 1
            return
        getattr(self, word)[reason] += 1
        if word == "uncounted":
            self.uncounted_models[reason, outcome.model or ""] += 1
        if word == "rejected":
            self.first_rejected.setdefault(reason, place)

    def _cell(self, model: str | None, key: Key) -> Group:
        cell = self.cells.get((model, key))
        if cell is None:
            cell = self.cells[model, key] = Group()
        return cell

    def merge(self, later: Summary) -> None:
        """Add the summary of events that come after all events added so far."""
        self.counted += later.counted
        self.duplicates += later.duplicates
        self.outside += later.outside
        for (model, key), group in later.cells.items():
            self._cell(model, key).merge(group)
        for name in ("uncounted", "skipped", "rejected", "flags", "uncounted_models"):
            getattr(self, name).update(getattr(later, name))
        for reason, place in later.first_rejected.items():
            self.first_rejected.setdefault(reason, place)
        self.calibration.merge(later.calibration)

    def move(self, records: int) -> None:
        """Move every position forward by this number of records."""
        for reason, place in self.first_rejected.items():
            source, _, position = place.rpartition(":")
            self.first_rejected[reason] = f"{source}:{int(position) + records}"
        for row in self.calibration.rows.values():
            for _, side in row.sides:
                if side.worst is not None:
                    moved = side.worst.place._replace(position=side.worst.place.position + records)
                    side.worst = replace(side.worst, place=moved)


GroupKey = TypeVar("GroupKey")


def merged(cells: Iterable[tuple[GroupKey, Group]]) -> dict[GroupKey, Group]:
    """Return one group per key: the sum of all cells with that key."""
    sums: dict[GroupKey, Group] = {}
    for place, group in cells:
        sums.setdefault(place, Group()).merge(group)
    return sums


def key_of(outcome: Outcome, by: Sequence[str]) -> Key:
    """Return the values of an outcome by which it is grouped."""
    pairs = ((name, _value(outcome, name)) for name in by)
    return tuple((name, value) for name, value in pairs if value is not None)


def _value(outcome: Outcome, name: str) -> str | None:
    if name in {HOUR, DAY}:
        return _span(outcome.time, name)
    return outcome.dimensions.get(name)


def _span(time: datetime | None, name: str) -> str | None:
    if time is None:
        return None
    return time.strftime("%Y-%m-%dT%H:00Z" if name == HOUR else "%Y-%m-%d")
