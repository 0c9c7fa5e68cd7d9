"""The crash test: two of its runs, and that its plans are what they are said to be; `make crash` plays more."""

from __future__ import annotations

from crash.plan import make_plan
from crash.points import ALL
from crash.programme import play_all
from crash.stream import Author, now

SEEDS = (4, 20)
"""Two whose runs are short."""


def test_the_books_balance_whatever_is_killed() -> None:
    results = list(play_all(SEEDS))
    assert [result.differences for result in results] == [[], []]
    assert all(result.kills for result in results)


def test_a_seed_gives_the_same_plan_and_stream_again() -> None:
    assert make_plan(7) == make_plan(7)
    assert make_plan(7) != make_plan(8)
    base = now()
    first, second = Author(7, base, refused=True), Author(7, base, refused=True)
    assert [first.event() for _ in range(200)] == [second.event() for _ in range(200)]


def test_runs_of_consecutive_seeds_try_every_crash_point() -> None:
    plans = [make_plan(seed) for seed in range(2 * len(ALL))]
    points = [life.point for plan in plans for slot in plan.slots for life in slot if life.point]
    assert {(point.step, point.when) for point in points} == set(ALL)
