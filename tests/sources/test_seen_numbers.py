"""Repeated sequence numbers, in memory that grows with the gaps only."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from logcount.sources.seen import SeenNumbers

START = datetime(2026, 11, 22, tzinfo=UTC)


def at(second: int) -> datetime:
    return START + timedelta(seconds=second)


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 30))))
def test_a_number_is_a_repeat_if_and_only_if_it_was_there(numbers: list[tuple[str, int]]) -> None:
    seen, known = SeenNumbers(), set()
    for partition, number in numbers:
        assert seen.add(partition, number, None) is ((partition, number) in known)
        known.add((partition, number))


@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 30))), st.integers(1, 5))
def test_hubs_of_one_name_are_told_apart_by_time(numbers: list[tuple[int, int]], per_second: int) -> None:
    seen, known = SeenNumbers(), set()
    for hub, number in numbers:
        time = at(hub * 1000 + number // per_second)
        assert seen.add("p", number, time) is ((hub, number) in known)
        known.add((hub, number))


def test_memory_grows_with_gaps_and_not_with_numbers() -> None:
    seen = SeenNumbers()
    for start in (0, 1, 2):
        for number in range(start, 30_000, 3):
            assert not seen.add("p", number, at(number))

    (spans,) = seen._hubs["p"]
    assert [(span.first, span.last) for span in spans._spans] == [(0, 29_999)]


def test_no_disorder_of_times_makes_memory_grow() -> None:
    seen = SeenNumbers()
    for number in range(1000):
        assert not seen.add("p", number, at(-number))

    assert len(seen._hubs["p"]) == 16
