"""Outcomes are added up by dimension, and everything that was not counted by reason."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from logcount.aggregate import Group, Summary, key_of
from logcount.model.counts import CountedBy, Outcome, TokenCount

AT = datetime(2026, 11, 22, 10, 3, 17, tzinfo=UTC)


def _counted(
    prompt: int | None, completion: int | None, total: int | None, by: CountedBy = "usage", **more: Any
) -> Outcome:
    return Outcome(TokenCount(prompt, completion, total, by), **more)


def test_groups_are_made_by_the_dimensions_that_are_known() -> None:
    summary = Summary(("API ID", "Model"))
    summary.add(_counted(9, 12, 21, dimensions={"API ID": "a", "Model": "m", "Other": "x"}))
    summary.add(_counted(1, 2, 3, dimensions={"API ID": "a", "Model": "m"}))
    summary.add(_counted(4, 5, 9, dimensions={"Model": "m"}))
    assert {key: (group.exchanges, group.total) for key, group in summary.groups.items()} == {
        (("API ID", "a"), ("Model", "m")): (2, 24),
        (("Model", "m"),): (1, 9),
    }


def test_an_unknown_count_adds_nothing_and_is_no_zero() -> None:
    summary = Summary(())
    summary.add(_counted(None, 12, 12, "partial"))
    summary.add(_counted(None, None, 5, "usage"))
    assert summary.overall == Group(2, 0, 12, 17, counted_by=summary.overall.counted_by)
    assert summary.overall.counted_by == {"partial": 1, "usage": 1}


def test_cached_and_reasoning_tokens_are_added_up() -> None:
    group = Group()
    group.add(TokenCount(9, 12, 21, "usage", cached=4, reasoning=5))
    group.add(TokenCount(9, 12, 21, "usage"))
    assert (group.prompt, group.completion, group.cached, group.reasoning) == (18, 24, 4, 5)


def test_merged_groups_are_what_adding_to_one_makes() -> None:
    counts = [
        TokenCount(9, 12, 21, "usage", cached=4),
        TokenCount(None, 3, 3, "partial"),
        TokenCount(1, 1, 2, "tokenizer"),
    ]
    one, left, right = Group(), Group(), Group()
    for order, count in enumerate(counts):
        one.add(count)
        (left if order % 2 else right).add(count)
    left.merge(right)
    assert left == one


@pytest.mark.parametrize(
    ("by", "key"),
    [
        (("hour",), (("hour", "2026-11-22T10:00Z"),)),
        (("day",), (("day", "2026-11-22"),)),
        (("day", "Model", "hour"), (("day", "2026-11-22"), ("Model", "m"), ("hour", "2026-11-22T10:00Z"))),
        (("Absent",), ()),
        ((), ()),
    ],
)
def test_a_key_has_the_names_in_their_order(by: tuple[str, ...], key: Any) -> None:
    assert key_of(_counted(1, 1, 2, time=AT, dimensions={"Model": "m"}), by) == key


def test_an_exchange_without_a_time_has_no_hour() -> None:
    assert key_of(_counted(1, 1, 2), ("hour", "day")) == ()


def test_what_was_not_counted_is_kept_by_reason() -> None:
    summary = Summary(())
    summary.add(Outcome(reason="no tokenizer for this model", model="m", flags=frozenset({"cut"})))
    summary.add(Outcome(reason="no tokenizer for this model", model="m"))
    summary.add(Outcome(reason="no tokenizer for this model"))
    summary.add(Outcome(reason="status 429", left_out="skipped"))
    summary.add(Outcome(reason="not JSON", left_out="rejected"), "a.jsonl", 7)
    summary.add(Outcome(left_out="duplicate"), "a.jsonl", 8)
    summary.add(Outcome(left_out="outside"), "a.jsonl", 9)
    assert summary.uncounted == {"no tokenizer for this model": 3}
    assert summary.uncounted_models == {("no tokenizer for this model", "m"): 2, ("no tokenizer for this model", ""): 1}
    assert (summary.skipped, summary.rejected, summary.flags) == ({"status 429": 1}, {"not JSON": 1}, {"cut": 1})
    assert summary.first_rejected == {"not JSON": "a.jsonl:7"}
    assert (summary.read, summary.counted, summary.outside) == (6, 0, 1)


def test_summaries_that_are_merged_in_order_are_what_adding_to_one_makes() -> None:
    outcomes = [
        _counted(9, 12, 21, model="m", time=AT, dimensions={"Model": "m"}),
        Outcome(reason="status 429", left_out="skipped"),
        Outcome(reason="no tokenizer for this model", model="n", flags=frozenset({"cut"})),
        _counted(1, None, 1, "partial", model="o", dimensions={"Model": "o"}),
        _counted(9, 12, 21, model="m", time=AT, dimensions={"Model": "m"}),
    ]
    rejected = Outcome(reason="not JSON", left_out="rejected")
    one, merged = Summary(("Model", "hour")), Summary(("Model", "hour"))
    for order, outcome in enumerate(outcomes):
        one.add(outcome)
        one.add(rejected, "a:b.jsonl", 10 + order)
        part = Summary(("Model", "hour"), duplicates=order)
        one.duplicates += order
        part.add(outcome)
        part.add(rejected, "a:b.jsonl", order)
        part.move(10)
        merged.merge(part)
    assert merged == one
    assert (list(merged.cells), list(merged.skipped)) == (list(one.cells), list(one.skipped))
