"""The intake, the batch and the builder: what an event of a link is, what is kept of it, and how it is written."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from drafts import BEGAN, HUB, LATER_HUB, MINUTE, anew, builder, holding, row, tally
from hypothesis import given, settings
from hypothesis import strategies as st
from steps import PlainStore

from logcount.errors import Halted, Unsettled
from logcount.ledger.batch import settle
from logcount.ledger.builder import RecordBuilder, _joined, _spans
from logcount.ledger.head import Head, head_of
from logcount.ledger.intake import Arrival, Intake, StartPosition, start_after
from logcount.ledger.log import record_name
from logcount.ledger.record import LARGEST, Hole, Span, decode_record
from logcount.metrics.fold import PointMaker
from logcount.metrics.series import SeriesBudget
from logcount.model.points import COMPLETION, FOLDED, PROMPT, TOTAL, MetricSet, Tally

if TYPE_CHECKING:
    from logcount.ledger.batch import UncommittedBatch

LOG = "eventhub:contoso/apim-logs/0"


def at(seconds: int) -> Any:
    return BEGAN + timedelta(seconds=seconds)


PLACE = StartPosition(HUB, to=5, enqueued=at(5), clock=at(7), offset="x")
JUDGED = {
    "the log's own last event, then the next": ([(5, 5), (6, 8), (7, 8)], ["repeat", "next", "next"]),
    "older events first": ([(3, 3), (4, 7), (5, 5), (6, 6)], ["repeat", "repeat", "repeat", "next"]),
    "the first is a later one": ([(6, 8)], ["unmet"]),
    "the first is much later": ([(9, 9)], ["unmet"]),
    "a number left out": ([(5, 5), (7, 8)], ["repeat", "gap"]),
    "an older number, taken later than all": ([(4, 8)], ["stranger"]),
    "the last number with another time": ([(5, 6)], ["stranger"]),
    "a repeat in the link": ([(5, 5), (6, 9), (6, 9), (7, 8)], ["repeat", "next", "repeat", "next"]),
    "a stranger in the link": ([(5, 5), (6, 9), (6, 10)], ["repeat", "next", "stranger"]),
}


@pytest.mark.parametrize("what", JUDGED)
def test_an_event_is_judged_by_its_number_and_its_time(what: str) -> None:
    events, verdicts = JUDGED[what]
    intake = Intake(PLACE)
    assert [intake.judge(Arrival(number, at(seconds))) for number, seconds in events] == verdicts


def test_by_numbers_only_times_say_nothing() -> None:
    intake = Intake(StartPosition(HUB, to=5, clock=at(7), numbers_only=True))
    assert [intake.judge(Arrival(number, at(99))) for number in (4, 5, 6, 8)] == ["repeat", "repeat", "next", "gap"]


def test_in_an_empty_log_zero_is_next_and_all_else_a_gap() -> None:
    assert Intake(StartPosition(HUB)).judge(Arrival(0, at(0))) == "next"
    intake = Intake(StartPosition(HUB))
    assert intake.judge(Arrival(3, at(0))) == "gap"
    intake.skip(2)
    assert intake.judge(Arrival(3, at(0))) == "next"


HEAD = head_of(builder().draft(Head(), holding(range(6))))


def test_a_link_begins_where_the_ledger_ends() -> None:
    assert start_after(Head(), HUB, BEGAN) == StartPosition(HUB)
    assert start_after(HEAD, HUB, BEGAN) == StartPosition(HUB, 5, at(5), at(5), "offset 5")
    assert start_after(HEAD, LATER_HUB, at(3600)) == StartPosition(LATER_HUB)


def test_a_hub_that_is_neither_the_ledgers_nor_later_is_for_the_operator() -> None:
    with pytest.raises(Halted, match="failover"):
        start_after(HEAD, "older", at(5))
    assert start_after(HEAD, "older", at(5), "anew") == StartPosition("older")
    assert start_after(HEAD, "older", at(5), "go on") == StartPosition("older", 5, None, at(5), None, numbers_only=True)


def _drop(head: Head, batch: Any) -> list[int]:
    batch.take_over(head)
    return [one.number for one in batch.rows]


def test_what_another_recorded_leaves_the_hand_and_the_rest_stays() -> None:
    batch = holding([3, 5, 6, 8])
    batch.gaps = [Hole(HUB, 0, 2, "before"), Hole(HUB, 4, 4, "absent"), Hole(HUB, 7, 7, "absent")]
    assert _drop(HEAD, batch) == [6, 8]
    assert batch.gaps == [Hole(HUB, 7, 7, "absent")]


def test_a_gap_in_part_another_recorded_keeps_its_end_which_is_not_older_than_the_log() -> None:
    batch = holding([9])
    batch.gaps = [Hole(HUB, 0, 8, "before")]
    assert _drop(HEAD, batch) == [9]
    assert batch.gaps == [Hole(HUB, 6, 8, "expired")]


def test_a_record_of_the_older_hub_covers_nothing_of_the_later() -> None:
    batch = holding([0, 1], Head(n=0, hub=HUB, to=3), LATER_HUB)
    assert _drop(HEAD, batch) == [0, 1]
    assert batch.first(HEAD) == 0
    later = Head(n=2, hub=LATER_HUB, to=0)
    assert _drop(later, batch) == [1]
    assert _drop(HEAD, batch) == [1], "also if an older head is looked at again"
    with pytest.raises(Unsettled):
        batch.take_over(Head(n=3, hub="a third", to=0))


def test_a_hand_is_settled_over_what_others_record_meanwhile() -> None:
    store = PlainStore()
    others = builder().draft(Head(), holding(range(2)))
    store.put(record_name(LOG, 0), anew(others).data)
    head = store.take(settle(LOG, Head(), holding(range(4)), builder().draft))
    mine = decode_record(store.held[record_name(LOG, 1)].data)
    assert (head.n, mine.first, mine.to, mine.events) == (1, 2, 3, 2)


def test_what_was_recorded_before_it_came_into_the_hand_is_not_recorded_again() -> None:
    store = PlainStore()
    assert store.take(settle(LOG, HEAD, holding([4, 5]), builder().draft)) == HEAD
    assert not store.asked


@pytest.mark.parametrize("largest", [900, 2000, 5000])
def test_a_hand_that_is_too_large_becomes_several_records(largest: int) -> None:
    rows = [row(number, tally(word="uncounted", reason=f"reason {number} " + "x" * 40)) for number in range(40)]
    store = PlainStore()
    store.take(settle(LOG, Head(), holding(rows), builder(largest=largest).draft))
    records = [decode_record(stored.data) for stored in store.held.values()]
    assert [one.number for record in records for one in record.uncounted] == [1] * 40
    assert [record.first for record in records[1:]] == [record.to + 1 for record in records[:-1]]
    assert all(len(record.data) <= largest or record.events == 1 for record in records)


def _many(vary: str) -> list[Tally]:
    """Return 12,000 exchanges of one event, which differ in one thing."""
    return [
        Tally(
            "counted",
            MINUTE + (number if vary == "minute" else 0),
            (("Subscription ID", "s"), ("Model", f"model {number}" if vary == "Model" else "m")),
            None,
            (9, 12, 21, None, None),
        )
        for number in range(12_000)
    ]


@pytest.mark.parametrize(
    ("vary", "kept"),
    [
        ("Model", [(MINUTE, (("Subscription ID", "s"), ("Model", "other")))]),
        ("minute", [(MINUTE, (("Subscription ID", "s"), ("Model", "m")))]),
    ],
)
def test_an_event_that_alone_would_fill_a_record_is_folded_within_itself(vary: str, kept: list[Any]) -> None:
    sets = [MetricSet("logcount", ("Subscription ID", "Model"), (PROMPT, COMPLETION, TOTAL))]
    points = PointMaker(sets, SeriesBudget(10**6))
    drafts = RecordBuilder(points, writer="w", program="0", clock=lambda: BEGAN)
    batch = holding([row(0), row(1, *_many(vary)), row(2)])
    store = PlainStore()
    store.take(settle(LOG, Head(), batch, drafts.draft))
    records = [decode_record(stored.data) for stored in store.held.values()]
    assert all(len(record.data) <= LARGEST for record in records)
    assert [(record.first, record.to) for record in records] == [(0, 0), (1, 1), (2, 2)]
    totals = [point for point in records[1].points if point.metric == TOTAL]
    assert [(int(one.minute.timestamp()) // 60, one.dimensions, one.sum) for one in totals] == [
        (minute, tuple(sorted(dimensions)), 21 * 12_000) for minute, dimensions in kept
    ]
    assert [point.sum for point in records[1].points if point.metric == FOLDED] == [12_000]


def test_gaps_beyond_a_cut_stand_in_the_record_that_reaches_them() -> None:
    rows = [row(number, tally(word="uncounted", reason=f"{number}" * 300)) for number in (0, 1, 5, 6)]
    batch, store = holding(rows), PlainStore()
    batch.gaps = [Hole(HUB, 2, 4, "absent")]
    store.take(settle(LOG, Head(), batch, builder(largest=2400).draft))
    records = [decode_record(stored.data) for stored in store.held.values()]
    assert (records[0].to, records[0].holes) == (1, ())
    assert records[-1].holes == (Hole(HUB, 2, 4, "absent"),)


def test_the_clock_never_goes_back_within_a_hub_and_begins_anew_with_another() -> None:
    late = head_of(builder().draft(Head(), holding([row(0, seconds=50), row(1, seconds=20)])))
    assert (late.clock, late.enqueued) == (at(50), at(20))
    assert builder().draft(late, holding([row(2, seconds=30)], late)).clock == at(50)
    assert builder().draft(late, holding([row(0, seconds=30)], late, LATER_HUB)).clock == at(30)


def test_what_was_not_counted_stands_with_its_reason_and_its_numbers() -> None:
    bad, odd = tally(word="rejected", reason="not JSON"), tally(word="skipped", reason="status 429")
    rows = [row(0, bad), row(1, tally(), bad), row(2, tally()), row(3, bad, bad), row(4, odd)]
    record = builder().draft(Head(), holding(rows))
    assert [(one.reason, one.number, one.at) for one in record.rejected] == [("not JSON", 4, (Span(0, 1), Span(3, 3)))]
    assert [(one.reason, one.number, one.at) for one in record.skipped] == [("status 429", 1, (Span(4, 4),))]


@settings(max_examples=100, derandomize=True, database=None, deadline=None)
@given(st.lists(st.integers(0, 30)).map(sorted))
def test_spans_hold_the_numbers_and_no_others(numbers: list[int]) -> None:
    spans = _spans(numbers)
    assert [n for span in spans for n in range(span.first, span.last + 1)] == sorted(set(numbers))
    assert all(one.last + 1 < other.first for one, other in pairwise(spans))


def test_holes_that_touch_are_one_if_they_are_alike() -> None:
    a, b = Hole(HUB, 0, 2, "absent"), Hole(HUB, 3, 3, "absent")
    assert _joined([a, b]) == [Hole(HUB, 0, 3, "absent")]
    for other in (Hole(HUB, 4, 4, "absent"), Hole(LATER_HUB, 3, 3, "absent"), Hole(HUB, 3, 3, "expired")):
        assert _joined([a, other]) == [a, other]


def _overdue(head: Head, *numbered: tuple[int, Tally]) -> UncommittedBatch:
    batch = holding([], head)
    batch.overdue = list(numbered)
    return batch


def test_what_time_alone_has_closed_makes_a_record_without_events_that_leaves_the_log_where_it_was() -> None:
    first = builder().draft(Head(), holding(range(6)))
    head = head_of(first)
    tick = decode_record(
        builder().draft(head, _overdue(head, (2, tally(7)), (4, tally(0, "uncounted", "a half")))).data
    )
    after = head.after(tick)
    assert (tick.first, tick.to, tick.events) == (6, 5, 0)
    assert (after.to, after.offset, after.clock, after.enqueued) == (head.to, head.offset, head.clock, head.enqueued)
    assert [point.sum for point in tick.points if point.metric == "Total Tokens"] == [7]
    assert [(one.reason, one.at) for one in tick.uncounted] == [("a half", (Span(4, 4),))]
    following = builder().draft(after, holding([6, 7], after))
    assert (following.first, following.to, following.prev) == (6, 7, tick.id)


def test_a_tick_and_uncommitted_events_are_one_record() -> None:
    store, head = PlainStore(), head_of(builder().draft(Head(), holding(range(6))))
    batch = holding([6, 7], head)
    batch.overdue = [(3, tally(7))]
    after = store.take(settle(LOG, head, batch, builder().draft))
    record = decode_record(store.held[record_name(LOG, 1)].data)
    assert (record.first, record.to, record.events, after.to) == (6, 7, 2, 7)
    assert [point.sum for point in record.points if point.metric == "Total Tokens"] == [9]
    assert (batch.rows, batch.overdue) == ([], [])


def test_a_tick_that_comes_second_is_dropped_for_the_record_that_is_there() -> None:
    store, head = PlainStore(), head_of(builder().draft(Head(), holding(range(6))))
    theirs = anew(builder().draft(head, _overdue(head, (2, tally(7)))))
    store.put(record_name(LOG, 1), theirs.data)
    after = store.take(settle(LOG, head, _overdue(head, (2, tally(7))), builder().draft))
    assert (after.n, after.id) == (1, theirs.id)
    assert set(store.held) == {record_name(LOG, 1)}


def test_in_an_empty_log_nothing_can_be_overdue() -> None:
    with pytest.raises(ValueError, match="empty log"):
        builder().draft(Head(), _overdue(Head(), (0, tally(7))))


minutes = st.integers(
    int(datetime(1, 1, 2, tzinfo=UTC).timestamp()) // 60, int(datetime(9999, 12, 30, tzinfo=UTC).timestamp()) // 60
)
texts = st.text(max_size=12)
tallies = st.builds(
    Tally,
    st.sampled_from(["counted", "uncounted", "rejected", "skipped"]),
    minutes,
    st.lists(st.tuples(st.just("API ID"), texts), max_size=1).map(tuple),
    st.none() | texts,
    st.tuples(*[st.none() | st.integers(0, 2**70)] * 5),
    st.none() | texts,
)


@settings(max_examples=100, derandomize=True, database=None, deadline=None)
@given(st.lists(st.lists(tallies, min_size=1, max_size=3), min_size=1, max_size=4))
def test_any_tallies_make_a_record_that_is_read_back_as_it_was_written(some: list[list[Tally]]) -> None:
    batch = holding([row(number, *its) for number, its in enumerate(some)])
    record = builder().draft(Head(), batch)
    assert decode_record(record.data).data == record.data
