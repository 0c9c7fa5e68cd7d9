"""Folds tallies into points: sums by metric, minute and dimensions, within the budget of time series.

Law: a point belongs to the minute in which its exchanges happened; an unknown number is in no point.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from logcount.model.exchanges import LONGEST_NAME
from logcount.model.points import (
    ASTRAY,
    CALIBRATED,
    COUNTED_BY,
    DIMENSIONS_AT_MOST,
    EXACT,
    FOLDED,
    OTHER,
    REASON,
    REJECTED,
    TOKEN_METRICS,
    UNCOUNTED,
    Calibrated,
    Dimensions,
    MetricSet,
    Point,
    Tally,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from logcount.metrics.series import SeriesBudget


class PointMaker:
    """Folds tallies into points, within the budget of time series."""

    def __init__(self, sets: Sequence[MetricSet], budget: SeriesBudget) -> None:
        self._sets = tuple(sets)
        self._budget = budget

    def fold(self, tallies: Iterable[Tally], now: datetime) -> list[Point]:
        """Return the points of these tallies; their order depends only on the tallies."""
        cells: dict[_PointKey, _Cell] = {}
        tallies = list(tallies)
        for tally, number, columns in _bundles(tallies):
            if tally.word == "counted":
                for index, metrics in enumerate(self._sets):
                    self._place_tokens((tally, number, columns), index, metrics, cells, now)
            elif tally.word in _UNREAD:
                self._place_unread(tally, number, cells, now)
        for tally in tallies:
            for side in tally.calibrated:
                self._place_calibrated(side, tally.minute, cells, now)
        return [
            Point(namespace, metric, _minute(minute), dimensions, cell[0], cell[1], cell[2], cell[3], number)
            for (number, namespace, metric, minute, dimensions), cell in cells.items()
        ]

    def fold_event(self, tallies: Sequence[Tally], arrived: int, room: int) -> list[Tally]:
        """Fold the tallies of one event until their points fit into so many bytes.

        The dimension with the most values becomes `other` first, then the next. Where that is not enough, the exchanges
        get the minute in which the event arrived.
        """
        folded = list(tallies)
        while self._weigh(folded) > room:
            name, values = max(_values(folded).items(), key=lambda one: len(one[1]), default=("", ()))
            if len(values) <= 1:
                return [tally._replace(minute=arrived, folded=True) for tally in folded]
            folded = [_fold_one(tally, name) for tally in folded]
        return folded

    def _weigh(self, tallies: Sequence[Tally]) -> int:
        """Return how many bytes of JSON the points of tallies take at most."""
        points = sum(len(one.metrics) for one in self._sets) + 1
        combinations = {(tally.minute, tally.dimensions, tally.word == "counted" or tally.reason) for tally in tallies}
        compared = {(tally.minute, side.dimensions, None) for tally in tallies for side in tally.calibrated}
        return sum(
            points * (_POINT_BYTES + sum(len(name) + 6 * len(value) for name, value in dimensions))
            for _, dimensions, _ in combinations | compared
        )

    def _place_tokens(
        self, bundle: _Bundle, index: int, metrics: MetricSet, cells: dict[_PointKey, _Cell], now: datetime
    ) -> None:
        tally, number, columns = bundle
        dimensions = tuple(pair for pair in tally.dimensions if pair[0] in metrics.dimensions)
        admitted = self._budget.admits((index, dimensions), len(metrics.metrics), now)
        if not admitted:
            dimensions = _folded(dimensions)
        if not admitted or tally.folded:
            _add(cells, (index, metrics.namespace, FOLDED, tally.minute, ()), [1] * number)
        for metric, column in zip(TOKEN_METRICS, columns, strict=True):
            if metric in metrics.metrics:
                known = [value for value in column if value is not None]
                _add(cells, (index, metrics.namespace, metric, tally.minute, dimensions), known)

    def _place_unread(self, tally: Tally, number: int, cells: dict[_PointKey, _Cell], now: datetime) -> None:
        metric, first = _UNREAD[tally.word], self._sets[0]
        names = [name for name in first.dimensions if name != COUNTED_BY][: DIMENSIONS_AT_MOST - 1]
        known = tuple(pair for pair in tally.dimensions if pair[0] in names)
        dimensions = (*known, (REASON, (tally.reason or "")[:LONGEST_NAME]))
        if not self._budget.admits((metric, dimensions), 1, now):
            dimensions = _folded(dimensions)
        _add(cells, (0, first.namespace, metric, tally.minute, dimensions), [1] * number)

    def _place_calibrated(self, side: Calibrated, minute: int, cells: dict[_PointKey, _Cell], now: datetime) -> None:
        """Add calibration points in the first set's namespace: they belong to the deployment, not to one set."""
        error = abs(side.counted - side.reported)
        values = {CALIBRATED: side.reported, ASTRAY: error, EXACT: int(error == 0)}
        dimensions = side.dimensions
        if not self._budget.admits((CALIBRATED, dimensions), len(values), now):
            dimensions = _folded(dimensions)
        for metric, value in values.items():
            _add(cells, (0, self._sets[0].namespace, metric, minute, dimensions), [value])


_UNREAD = {"uncounted": UNCOUNTED, "rejected": REJECTED}
"""The metrics of exchanges and events that were not counted."""

_POINT_BYTES = 400
"""What a point takes in a record besides its dimensions, with long names and long numbers."""


def _values(tallies: Iterable[Tally]) -> dict[str, set[str]]:
    """Return the values of each dimension."""
    values: defaultdict[str, set[str]] = defaultdict(set)
    for tally in tallies:
        for name, value in (*tally.dimensions, *(pair for side in tally.calibrated for pair in side.dimensions)):
            values[name].add(value)
    return values


def _fold_one(tally: Tally, name: str) -> Tally:
    calibrated = tuple(side._replace(dimensions=_with_other(side.dimensions, name)) for side in tally.calibrated)
    return tally._replace(dimensions=_with_other(tally.dimensions, name), calibrated=calibrated, folded=True)


def _with_other(dimensions: Dimensions, folded: str) -> Dimensions:
    return tuple((name, OTHER if name == folded else value) for name, value in dimensions)


_PointKey = tuple[int, str, str, int, Dimensions]
_Cell = list[int]
_Bundle = tuple[Tally, int, Sequence[Sequence[int | None]]]
"""Tallies of the same points: the first one, their number, and their tokens in columns."""


def _bundles(tallies: Iterable[Tally]) -> Iterable[_Bundle]:
    """Group the tallies of the same points, so that most of the work is done once for many events.

    Dimensions are compared by identity, which is fast: equal ones in a batch are one object.
    """
    bundles: dict[tuple[str, int, int, str | None, bool], tuple[Tally, list[tuple[int | None, ...]]]] = {}
    for tally in tallies:
        reason = None if tally.word == "counted" else tally.reason
        key = tally.word, tally.minute, id(tally.dimensions), reason, tally.folded
        found = bundles.get(key)
        if found is None:
            found = bundles[key] = tally, []
        found[1].append(tally.tokens)
    return [(tally, len(tokens), list(zip(*tokens, strict=True))) for tally, tokens in bundles.values()]


def _add(cells: dict[_PointKey, _Cell], place: _PointKey, values: Sequence[int]) -> None:
    if not values:
        return
    cell = cells.get(place)
    if cell is None:
        cells[place] = [sum(values), len(values), min(values), max(values)]
        return
    cell[0] += sum(values)
    cell[1] += len(values)
    cell[2] = min(cell[2], *values)
    cell[3] = max(cell[3], *values)


def _folded(dimensions: Dimensions) -> Dimensions:
    return tuple((name, OTHER) for name, _ in dimensions)


def _minute(number: int) -> datetime:
    return datetime.fromtimestamp(number * 60, UTC)
