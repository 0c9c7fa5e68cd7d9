"""Mutations: each takes one rule out of the protocol, and says what shows that it is missing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import mutants
from simulation.stores import Objects

from logcount.ledger import batch, cursor
from logcount.ledger.batch import UncommittedBatch
from logcount.ledger.builder import RecordBuilder
from logcount.ledger.driver import Driver
from logcount.ledger.intake import Intake
from logcount.run import emission, link, partition
from logcount.run.context import Context
from logcount.run.emission import Emission
from logcount.run.link import Link, Missed
from logcount.run.partition import Partition

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager


@dataclass(frozen=True, slots=True)
class Mutation:
    """What is put in the place of what."""

    where: Any
    name: str
    put: Any
    focus: str | None = None
    """What the schedules are to be rich in, so that it shows soon."""
    scene: str | None = None
    """The scene that it spoils, where chance would take thousands of schedules to show it."""

    def made(self) -> AbstractContextManager[Any]:
        """Put it in place for the length of a block."""
        if isinstance(self.where, dict):
            return patch.dict(self.where, {self.name: self.put})
        return patch.object(self.where, self.name, self.put)


def _one(where: Any, name: str, put: Callable[..., Any], focus: str | None = None) -> Mutation:
    return Mutation(where, name, put, focus)


MUTATIONS = {
    "a repeat is the next event": _one(Intake, "_judge_old", mutants.judge_without_repeats, "again"),
    "a jump is ignored": _one(Intake, "judge", mutants.judge_without_gaps, "absent"),
    "a gap is stated at first sight": _one(Missed, "covers", lambda *_: True, "hidden"),
    "what comes before the first event is older": _one(link._MINDED, "gap", mutants.mind_gap_before_all, "hidden"),
    "what comes before a gap in a batch is not taken": _one(Link, "_judge", mutants.judge_all_or_none, "absent"),
    "an unclear answer is trusted": _one(batch, "append", mutants.append_that_trusts(True, None), "unreachable"),
    "a taken name is one's own": _one(batch, "append", mutants.append_that_trusts(True, False), "rebalance"),
    "what another recorded is kept": _one(
        UncommittedBatch, "take_over", mutants.take_over_that(drop=False), "rebalance"
    ),
    "what another did not record is dropped": _one(
        UncommittedBatch, "take_over", mutants.take_over_that(rest=False), "rebalance"
    ),
    "another hub in the log is not noticed": _one(
        UncommittedBatch, "take_over", mutants.take_over_that(other=False), "remake"
    ),
    "what another recorded comes into the batch": _one(link, "settle", mutants.settle_without_looking, "rebalance"),
    "reading begins at the checkpoint": _one(Partition, "_find_place", mutants.find_place_at_checkpoint, "remake"),
    "the checkpoint is asked for after the ledger": _one(
        Partition, "_find_place", mutants.find_place_with_an_old_checkpoint, "rebalance"
    ),
    "a checkpoint in an older hub is beyond the ledger": _one(
        partition, "reaches", mutants.reaches_in_this_hub, "remake"
    ),
    "a new hub is not noticed": _one(partition, "start_after", mutants.place_as_the_same, "remake"),
    "a link's hub is not confirmed": _one(Link, "_confirm", mutants.confirm_nothing, "remake"),
    "a link's hub is confirmed by what was known": _one(Link, "_confirm", mutants.confirm_what_was_known, "remake"),
    "an answer of the hub serves for too long": _one(Context, "hub_state", mutants.hub_state_of_old, "remake"),
    "older holes are left out": _one(
        RecordBuilder, "_record", mutants.record_with(mutants.without_holes_before), "remake"
    ),
    "a record has its own events' clock": _one(RecordBuilder, "_record", mutants.record_with(mutants.by_its_own_clock)),
    "a record has any size": _one(RecordBuilder, "draft", mutants.draft_of_all, "split"),
    "the cursor moves before sending": _one(emission, "follow", mutants.follow_in_order("csm"), "sink outage"),
    "marks are written after the cursor": _one(emission, "follow", mutants.follow_in_order("scm"), "mark"),
    "marks are not written": _one(emission, "follow", mutants.follow_in_order("sc"), "mark"),
    "marks of others are written over": _one(cursor, "_write_marks", mutants.write_own_marks, "mark"),
    "the cursor moves anywhere": _one(cursor, "_move", mutants.move_anywhere, "rebalance"),
    "the cursor moves whatever is there": _one(Objects, "write", mutants.write_without_tags, "rebalance"),
    "the checkpoint is at the head": _one(Emission, "step", mutants.step_to_the_head, "sink outage"),
    "a trouble outlives whoever had it": _one(Driver, "_forgetting", mutants.forgetting_nothing, "hub outage"),
    "what was missed is not forgotten when it comes": Mutation(
        Missed,
        "meet",
        lambda *_: None,
        scene="a log's own last event, left out once and then given, may be left out once more",
    ),
    "numbers alone tell a repeat": Mutation(
        Intake,
        "_judge_old",
        mutants.judge_by_numbers,
        scene="an event under a number that is recorded, but taken later, is a stranger: the partition stands still",
    ),
    "the first event need not be the log's own last": Mutation(
        link._MINDED,
        "unmet",
        mutants.mind_unmet_by_meeting,
        scene="a hub that holds the log's own last event, and gives another first twice, is not trusted",
    ),
    "a quiet link is not told that it has ended": Mutation(
        Link,
        "take",
        mutants.take_events_only,
        scene="a link whose log has gone on to another hub is told so by an empty batch",
    ),
}
"""By the rule that is missing.

The times of repeats, and the first event of a link, never decide in the schedules: there every other hub is a later
one, and the hub says so itself (`_confirm`). They are kept for a failover, in which it does not: hence their scenes.
"""
