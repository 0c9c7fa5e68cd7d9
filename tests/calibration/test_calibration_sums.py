"""A calibration is the same however its exchanges are divided and ordered, and stays within its bounds."""

from __future__ import annotations

import itertools
import pickle
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logcount.calibration import Calibration, Compared, Comparison, Differences, ExchangeRef
from logcount.calibration.differences import OTHER_REASONS, REASONS_AT_MOST
from logcount.calibration.table import MODELS_AT_MOST, OTHER_MODELS
from logcount.reports.calibrations import calibration_rows

if TYPE_CHECKING:
    from random import Random

steady = settings(max_examples=150, derandomize=True, database=None, deadline=None)

numbers = st.integers(0, 40) | st.integers(0, 10**7)
sides = st.builds(Compared, st.none() | numbers, st.none() | numbers, st.sampled_from((None, None, None, "cut", "x")))
comparisons = st.builds(
    Comparison,
    st.sampled_from((None, "a", "b")),
    st.sampled_from((None, "t", "u")),
    sides,
    st.none() | sides,
    cached=st.booleans(),
)
places = st.builds(ExchangeRef, st.sampled_from(("x.jsonl", "y.jsonl")), st.integers(1, 3))
met = st.lists(st.tuples(comparisons, places), max_size=30)


def _of(some: list[tuple[Comparison, ExchangeRef]]) -> Calibration:
    calibration = Calibration()
    for comparison, place in some:
        calibration.add(comparison, place)
    return calibration


def _same(one: Calibration, other: Calibration) -> bool:
    return one == other and calibration_rows(one) == calibration_rows(other)


@steady
@given(met, st.lists(st.integers(0, 30), max_size=4))
def test_any_division_of_the_exchanges_gives_the_same(
    some: list[tuple[Comparison, ExchangeRef]], cuts: list[int]
) -> None:
    merged, edges = Calibration(), [0, *sorted(cuts), len(some)]
    for first, last in itertools.pairwise(edges):
        merged.merge(pickle.loads(pickle.dumps(_of(some[first:last]))))
    assert _same(merged, _of(some))


@steady
@given(met, st.randoms(use_true_random=False))
def test_any_order_of_the_exchanges_gives_the_same(some: list[tuple[Comparison, ExchangeRef]], random: Random) -> None:
    shuffled = list(some)
    random.shuffle(shuffled)
    assert _same(_of(shuffled), _of(some))


@steady
@given(met)
def test_sums_are_those_of_the_exchanges_one_by_one(some: list[tuple[Comparison, ExchangeRef]]) -> None:
    for (model, tokenizer), row in _of(some).rows.items():
        own = [one for one, _ in some if (one.model or "", one.tokenizer or "") == (model, tokenizer)]
        for name, told in row.sides:
            found = [side for one in own for its, side in one.sides if its == name]
            differences = [side.difference for side in found if side.difference is not None]
            assert told.compared == len(differences)
            assert told.exact == differences.count(0)
            assert told.counted - told.reported == sum(differences)
            assert told.astray == sum(map(abs, differences))
            assert abs(told.worst.difference if told.worst else 0) == max(map(abs, differences), default=0)
            assert told.unlike.total() == len(found) - len(differences)


def test_of_equal_differences_the_first_in_the_archive_is_the_worst() -> None:
    places = ((12, ExchangeRef("b", 7)), (6, ExchangeRef("b", 3)), (12, ExchangeRef("c", 1)))
    calibration = _of([(_compared(9, counted), place) for counted, place in places])
    worst = calibration.rows["m", "t"].prompt.worst
    assert worst is not None
    assert (worst.difference, worst.place) == (-3, ExchangeRef("b", 3))


@pytest.mark.parametrize("backwards", [False, True])
def test_of_very_many_models_those_that_come_first_by_name_are_told_apart(backwards: bool) -> None:
    names = sorted((f"m{number:04}" for number in range(3 * MODELS_AT_MOST)), reverse=backwards)
    some = [(_compared(9, 9 + order % 2, model=name), ExchangeRef("a", 1)) for order, name in enumerate(2 * names)]
    whole, merged = _of(some), _of(some[:317])
    merged.merge(_of(some[317:]))
    assert _same(merged, whole)
    kept = [model for (model, _), _ in whole.sorted_rows()]
    assert kept == [*sorted(names)[:MODELS_AT_MOST], OTHER_MODELS]
    assert sum(row.prompt.compared for row in whole.rows.values()) == len(some)


def test_of_very_many_reasons_those_that_come_first_by_name_are_told_apart() -> None:
    one, other, whole = Differences(), Differences(), Differences()
    for number in range(500):
        for told in (whole, one if number % 3 else other):
            told.add(Compared(1, None, f"r{number:03}"), ExchangeRef("a", 1), cached=False)
    one.merge(other)
    assert one == whole
    assert len(whole.unlike) == REASONS_AT_MOST
    assert whole.unlike[OTHER_REASONS] == 500 - (REASONS_AT_MOST - 1)


def test_large_differences_are_kept_by_powers_of_two_so_that_there_are_few() -> None:
    told = Differences()
    for number in range(0, 10**6, 77):
        told.add(Compared(10**6, 10**6 - number), ExchangeRef("a", 1), cached=False)
    assert len(told.offsets) < 50
    assert min(told.offsets) == -(2**19)


def _compared(reported: int, counted: int, model: str = "m") -> Comparison:
    return Comparison(model, "t", Compared(reported, counted), None)
