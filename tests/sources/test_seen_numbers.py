"""Repeated sequence numbers, in memory that grows with the gaps only."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from logcount.sources.archive.seen import RisingNumbers, SeenNumbers

if TYPE_CHECKING:
    from random import Random

START = datetime(2026, 11, 22, tzinfo=UTC)


def at(second: int) -> datetime:
    return START + timedelta(seconds=second)


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 30))))
def test_a_number_is_a_repeat_if_and_only_if_it_was_there(numbers: list[tuple[str, int]]) -> None:
    seen, known = SeenNumbers(), set()
    for partition, number in numbers:
        assert seen.add(partition, number, None) is ((partition, number) in known)
        known.add((partition, number))


@given(st.lists(st.integers(1, 40), min_size=1, max_size=5), st.integers(1, 5), st.randoms(use_true_random=False))
def test_hubs_that_follow_each_other_under_one_name_are_told_apart(
    counts: list[int], per_second: int, random: Random
) -> None:
    events = [
        (number, at(hub * 1000 + number // per_second)) for hub, count in enumerate(counts) for number in range(count)
    ]
    seen = SeenNumbers()

    assert [seen.add("p", number, time) for number, time in events] == [False] * len(events)
    random.shuffle(events)
    assert all(seen.add("p", number, time) for number, time in events)


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


numbered = st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 40), st.none() | st.integers(0, 60)), max_size=12)
rising = st.tuples(st.sampled_from("ab"), st.integers(0, 40), st.lists(st.integers(1, 3), max_size=12)).map(
    lambda made: [(made[0], made[1] + sum(made[2][:at]), made[1] + at) for at in range(len(made[2]))]
)


@given(st.lists(numbered | rising, max_size=6))
def test_what_is_followed_apart_and_appended_is_what_adding_each_number_makes(
    parts: list[list[tuple[str, int, int | None]]],
) -> None:
    one, other = SeenNumbers(), SeenNumbers()
    for part in parts:
        events = [(partition, number, None if time is None else at(time)) for partition, number, time in part]
        followed = RisingNumbers()
        for event in events:
            followed.add(*event)
        repeats = [one.add(*event) for event in events]
        if followed.tidy and other.append(followed.runs):
            assert not any(repeats)
        else:
            assert [other.add(*event) for event in events] == repeats
    assert _known(one) == _known(other)


def _known(seen: SeenNumbers) -> dict[object, list[object]]:
    return {key: [spans._spans for spans in hubs] for key, hubs in seen._hubs.items() if hubs}


def test_runs_that_follow_one_another_are_appended_without_being_read_again() -> None:
    seen = SeenNumbers()
    for hour in range(3):
        followed = RisingNumbers()
        for number in range(hour * 1000, hour * 1000 + 900):
            assert not followed.add("p", number, at(number))
        assert followed.tidy
        assert len(followed.runs["p"]) == 1
        assert seen.append(followed.runs)
    assert not seen.append(followed.runs)
    assert seen.add("p", 2000, at(2000))
    assert not seen.add("p", 950, at(950))
