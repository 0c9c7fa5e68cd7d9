"""Random schedules of the whole live count: whatever fails, every event is counted once and every promise holds."""

from __future__ import annotations

from collections import Counter

import pytest
from simulation.schedule import run
from simulation.world import SECRET

SCHEDULES = 600
FOCUSES = (None, None, "remake", "hidden", "rebalance", "kill", "absent", "late", "mark")
"""What the schedules are rich in, in turn; None is nothing in particular."""

HAPPENINGS = (
    "another's record taken over, all dropped",
    "another's record taken over, the rest kept",
    "own record met again",
    "cursor met another's write",
    "marks met another's write",
    "header met another's write",
    "answer lost",
    "took effect late",
    "took effect after the caller's death",
    "took effect when there was peace",
    "killed before an operation",
    "killed after writing a record",
    "killed after writing a cursor",
    "killed after sending",
    "emitted again",
    "marked",
    "several records emitted together",
    "number missing: before",
    "number missing: expired",
    "number missing: absent",
    "read again: events N to N did not come: the partition is read again",
    "read again: the last recorded event did not come first: the partition is read again",
    "read again: the hub was made again while the link was opened",
    "record of a new hub",
    "record near the size bound",
    "repeat dropped",
    "link refused",
    "stopped and settled",
    "add partition",
    "checkpoint moved back",
)
"""Each of these comes twenty times and more; what is rarer would be missed whenever something else has changed."""


@pytest.fixture(scope="module")
def happened() -> Counter[str]:
    """Run all schedules; what has happened in them."""
    happened: Counter[str] = Counter()
    for seed in range(SCHEDULES):
        focus = FOCUSES[seed % len(FOCUSES)]
        ran = run(seed, focus)
        happened += ran.happened
        if ran.failures:
            again = f"python tests/ledger/run_schedules.py --schedules 1 --seed {seed} --focus {focus}"
            pytest.fail(f"{ran.failures[0]}\nstep by step: {again.removesuffix(' --focus None')}")
    return happened


def test_every_schedule_keeps_every_promise(happened: Counter[str]) -> None:
    assert happened["records"] > 10 * SCHEDULES


@pytest.mark.parametrize("what", HAPPENINGS)
def test_what_could_go_wrong_has_happened(happened: Counter[str], what: str) -> None:
    assert happened[what]


PORTS = ("store", "hub", "checkpoints", "counting", "appinsights", "otlp")


def test_an_error_that_no_port_speaks_of_is_seen_and_recovered_from() -> None:
    happened: Counter[str] = Counter()
    logged = ""
    for seed in range(150):
        ran = run(seed, "unexpected", traced=True)
        assert ran.failures == []
        happened += ran.happened
        logged += "".join(line for line in ran.trace if " log " in line)
    assert all(happened[f"unexpected error of the {port}"] >= 5 for port in PORTS)
    assert logged.count("unexpected RuntimeError at") >= 100
    assert SECRET not in logged


def test_a_schedule_can_be_run_again_step_by_step() -> None:
    one, same = run(7, "remake", traced=True), run(7, "remake", traced=True)
    assert one.trace == same.trace
    assert len(one.trace) > 100
