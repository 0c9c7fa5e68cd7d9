"""Points: tallies folded by metric, minute and dimensions, within the budget of series; nothing is lost in folding."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logcount.metrics.fold import PointMaker
from logcount.metrics.series import ACTIVE, SeriesBudget
from logcount.model.exchanges import LONGEST_NAME
from logcount.model.points import (
    ASTRAY,
    CACHED,
    CALIBRATED,
    COMPLETION,
    COUNTED_BY,
    EXACT,
    FOLDED,
    OTHER,
    PROMPT,
    REASON,
    REASONING,
    REJECTED,
    SIDE,
    TOTAL,
    UNCOUNTED,
    Calibrated,
    MetricSet,
    Point,
    Tally,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
MINUTE = int(NOW.timestamp()) // 60
FIRST = MetricSet("llm", ("API ID", "Model", COUNTED_BY))
SETS = (FIRST, MetricSet("chargeback", ("Model",), (TOTAL, CACHED, REASONING)))
METRICS = (PROMPT, COMPLETION, TOTAL, CACHED, REASONING)

compared = st.builds(
    Calibrated,
    dimensions=st.tuples(st.tuples(st.just(SIDE), st.sampled_from(("prompt", "completion")))),
    reported=st.integers(0, 50),
    counted=st.integers(0, 50),
)
tallies = st.builds(
    Tally,
    folded=st.just(False),
    word=st.sampled_from(("counted", "uncounted", "rejected", "skipped")),
    minute=st.integers(MINUTE, MINUTE + 2),
    dimensions=st.tuples(
        *(st.tuples(st.just(name), st.sampled_from("ab")) for name in ("API ID", "Model", COUNTED_BY))
    ),
    reason=st.sampled_from((None, "x", "y")),
    tokens=st.tuples(*[st.none() | st.integers(0, 2**40)] * 5),
    calibrated=st.lists(compared, max_size=2).map(tuple),
).map(lambda tally: tally._replace(dimensions=(), calibrated=()) if tally.word == "rejected" else tally)
steady = settings(max_examples=150, derandomize=True, database=None, deadline=None)


def _fold(tallies: Iterable[Tally], sets: tuple[MetricSet, ...] = SETS, most: int = 10**6) -> list[Point]:
    return PointMaker(sets, SeriesBudget(most)).fold(tallies, NOW)


def _counted(total: int, **dimensions: str) -> Tally:
    return Tally("counted", MINUTE, tuple(dimensions.items()), None, (None, None, total, None, None))


def _naive(tallies: Iterable[Tally]) -> dict[tuple[object, ...], list[int]]:
    """Return every value of every point, tally by tally, without any folding."""
    values: dict[tuple[object, ...], list[int]] = {}
    for tally in tallies:
        minute = NOW + timedelta(minutes=tally.minute - MINUTE)
        rows: list[tuple[int, MetricSet, str, tuple[tuple[str, str], ...], int | None]] = []
        if tally.word == "counted":
            for number, one in enumerate(SETS):
                known = tuple(pair for pair in tally.dimensions if pair[0] in one.dimensions)
                pairs = zip(METRICS, tally.tokens, strict=True)
                rows += [(number, one, metric, known, value) for metric, value in pairs if metric in one.metrics]
        elif tally.word in {"uncounted", "rejected"}:
            known = tuple(pair for pair in tally.dimensions if pair[0] != COUNTED_BY)
            name = UNCOUNTED if tally.word == "uncounted" else REJECTED
            rows.append((0, FIRST, name, (*known, (REASON, tally.reason or "")), 1))
        for side in tally.calibrated:
            error = abs(side.counted - side.reported)
            told = (CALIBRATED, side.reported), (ASTRAY, error), (EXACT, int(not error))
            rows += [(0, FIRST, metric, side.dimensions, tokens) for metric, tokens in told]
        for number, one, metric, dimensions, value in rows:
            if value is not None:
                values.setdefault((number, one.namespace, metric, minute, dimensions), []).append(value)
    return values


@steady
@given(st.lists(tallies, max_size=30))
def test_points_are_the_sum_count_least_and_greatest_of_their_values(some: list[Tally]) -> None:
    expected = {key: (sum(all_), len(all_), min(all_), max(all_)) for key, all_ in _naive(some).items()}
    found = {
        (point.set, point.namespace, point.metric, point.minute, point.dimensions): (
            point.sum,
            point.count,
            point.min,
            point.max,
        )
        for point in _fold(some)
    }
    assert found == expected


@steady
@given(st.lists(tallies, max_size=30), st.integers(0, 12))
def test_under_any_budget_no_token_and_no_exchange_is_lost(some: list[Tally], most: int) -> None:
    def sums(points: Iterable[Point]) -> Counter[tuple[object, ...]]:
        found: Counter[tuple[object, ...]] = Counter()
        for point in points:
            if point.metric != FOLDED:
                key = point.set, point.metric, point.minute
                found[*key, "sum"] += point.sum
                found[*key, "count"] += point.count
        return found

    assert sums(_fold(some, most=most)) == sums(_fold(some))


@steady
@given(st.lists(tallies, max_size=30), st.integers(0, 12))
def test_what_is_folded_is_said_and_the_rest_fits_the_budget(some: list[Tally], most: int) -> None:
    points = _fold(some, most=most)
    whole = {(p.set if p.metric in METRICS else p.metric, p.dimensions) for p in points if not _is_folded(p)}
    series = sum(len(SETS[key].metrics) if isinstance(key, int) else 1 for key, _ in whole if key != FOLDED)
    assert series <= most
    counted = sum(tally.word == "counted" for tally in some)
    for number in range(len(SETS)):
        said = sum(point.count for point in points if point.metric == FOLDED and point.set == number)
        assert said <= counted
        assert said or not any(_is_folded(p) for p in points if p.set == number and p.metric in METRICS)


def _is_folded(point: Point) -> bool:
    return all(value == OTHER for _, value in point.dimensions)


def test_beyond_the_budget_values_become_other_and_folded_exchanges_are_counted() -> None:
    some = [_counted(1, Model="a"), _counted(2, Model="b"), _counted(4, Model="c"), _counted(8, Model="a")]
    points = _fold(some, (MetricSet("llm", ("Model",), (TOTAL,)),), most=1)
    assert [(point.metric, point.dimensions, point.sum, point.count) for point in points] == [
        (TOTAL, (("Model", "a"),), 9, 2),
        (FOLDED, (), 2, 2),
        (TOTAL, (("Model", OTHER),), 6, 2),
    ]


def test_unknown_numbers_are_in_no_point_and_zero_is_a_value() -> None:
    tally = Tally("counted", MINUTE, (), None, (None, 0, None, None, None))
    (point,) = _fold([tally], (FIRST,))
    assert (point.metric, point.sum, point.count) == (COMPLETION, 0, 1)


def test_skipped_exchanges_are_in_no_point() -> None:
    assert _fold([Tally("skipped", MINUTE, (), "status 429")]) == []


def test_an_unknown_dimension_is_absent() -> None:
    points = _fold([_counted(1), _counted(1, Model="a")], (FIRST,))
    assert [point.dimensions for point in points] == [(), (("Model", "a"),)]


def test_an_uncounted_exchange_has_nine_dimensions_and_its_reason() -> None:
    names = tuple(f"D{number}" for number in range(9))
    tally = Tally("uncounted", MINUTE, tuple((name, "v") for name in (*names, COUNTED_BY)), "r" * 300)
    (point,) = _fold([tally], (MetricSet("llm", (*names, COUNTED_BY)),))
    assert point.dimensions == (*((name, "v") for name in names), (REASON, "r" * LONGEST_NAME))


def test_the_order_of_points_depends_on_the_tallies_alone() -> None:
    some = [_counted(number, Model=str(number % 3)) for number in range(9)]
    assert _fold(some) == _fold(some)


def test_a_combination_is_admitted_while_its_series_fit() -> None:
    budget = SeriesBudget(5)
    assert [
        budget.admits(name, series, NOW) for name, series in (("a", 3), ("b", 3), ("c", 2), ("a", 3), ("d", 1))
    ] == [
        True,
        False,
        True,
        True,
        False,
    ]


@pytest.mark.parametrize(("after", "admitted"), [(ACTIVE - timedelta(seconds=1), False), (ACTIVE, True)])
def test_room_is_made_by_what_was_not_used_for_twelve_hours(after: timedelta, admitted: bool) -> None:
    budget = SeriesBudget(1)
    assert budget.admits("a", 1, NOW)
    assert budget.admits("b", 1, NOW + after) is admitted


def test_what_is_used_stays_and_the_oldest_goes_first() -> None:
    budget, hour = SeriesBudget(2), timedelta(hours=1)
    assert budget.admits("a", 1, NOW)
    assert budget.admits("b", 1, NOW + hour)
    assert budget.admits("a", 1, NOW + 11 * hour)
    assert budget.admits("c", 1, NOW + 13 * hour), "b was last used twelve hours before"
    assert not budget.admits("b", 1, NOW + 13 * hour)
    assert budget.admits("a", 1, NOW + 13 * hour)


@steady
@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(0, 8)), max_size=40), st.integers(1, 6))
def test_the_budget_is_that_of_a_naive_book(uses: list[tuple[str, int]], most: int) -> None:
    series = dict(zip("abcdef", (1, 2, 3, 1, 2, 3), strict=True))
    budget, book, now = SeriesBudget(most), dict[str, datetime](), NOW
    for name, hours in uses:
        now += timedelta(hours=hours)
        if name not in book and sum(series[one] for one in book) + series[name] > most:
            book = {one: used for one, used in book.items() if now - used < ACTIVE}
        admitted = name in book or sum(series[one] for one in book) + series[name] <= most
        assert budget.admits(name, series[name], now) is admitted
        if admitted:
            book[name] = now
