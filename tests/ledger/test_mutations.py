"""Without any one of the protocol's rules some schedule or scene fails: each is needed, and the model sees it."""

from __future__ import annotations

import pytest
from mutations import MUTATIONS, Mutation
from scenes import SCENES
from simulation.schedule import run

SCHEDULES_AT_MOST = 600
"""Most show within ten; a few within some hundreds."""

FIRST_SEEDS = {
    "another hub in the log is not noticed": 90,
    "what another recorded comes into the batch": 90,
    "the checkpoint is asked for after the ledger": 105,
    "a link's hub is not confirmed": 70,
    "a link's hub is confirmed by what was known": 70,
}
"""Where to begin, for those that take long otherwise: to save time alone."""


@pytest.mark.parametrize("rule", MUTATIONS)
def test_a_schedule_fails_without_the_rule(rule: str) -> None:
    mutation = MUTATIONS[rule]
    with mutation.made():
        assert _shows(mutation, FIRST_SEEDS.get(rule, 0)), f"nothing fails where {rule}"


def _shows(mutation: Mutation, first: int) -> bool:
    if mutation.scene is not None:
        try:
            SCENES[mutation.scene]()
        except AssertionError:
            return True
        return False
    return any(run(seed, mutation.focus).failures for seed in range(first, first + SCHEDULES_AT_MOST))
