"""Every event of a batch is counted, uncounted, rejected, skipped or a duplicate, and never two of them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from wire import event

from logcount.aggregate import Summary
from logcount.counting import Counter
from logcount.pipeline import Pipeline, TimeSpan
from logcount.replay.replay import Replay

if TYPE_CHECKING:
    from collections.abc import Sequence

    from logcount.model.counts import Outcome
    from logcount.model.events import LogEvent

ANSWER = json.dumps({"model": "m", "choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 12}})
COUNTED = {"v": 1, "requestId": "a", "time": "2026-11-22T10:03:17Z", "responseBody": ANSWER}
UNCOUNTED = {"EventTime": "11/22/2026 10:03:17 AM", "ServiceName": "s"}
REFUSED = {"v": 1, "requestId": "b", "time": "2026-11-22T10:03:17Z", "status": 429, "responseBody": ""}
LLM = {"category": "GatewayLlmLogs", "correlationId": "c", "properties": {"modelName": "m", "promptTokens": 9,
       "completionTokens": 12}}  # fmt: skip
GATEWAY = {"category": "GatewayLogs", "correlationId": "c", "properties": {"apiId": "a", "responseBody": ANSWER}}
AT = datetime(2026, 11, 22, 10, 3, 17, tzinfo=UTC)


async def _replayed(*batches: Sequence[LogEvent], **options: Any) -> tuple[Summary, list[tuple[int, Outcome]]]:
    summary, each = Summary(("Model",)), []
    pipeline = Pipeline(Counter(lambda _: None), **options)
    replay = Replay(pipeline, summary, lambda event, outcome: each.append((event.position, outcome)))
    for batch in batches:
        await replay.handle(batch)
    return summary, each


def _five(summary: Summary) -> tuple[int, ...]:
    counters = (summary.uncounted, summary.rejected, summary.skipped)
    return (summary.counted, *(counter.total() for counter in counters), summary.duplicates)


async def test_every_event_is_in_one_of_the_five() -> None:
    batch = [
        event(COUNTED),
        event(UNCOUNTED, 2),
        event("nonsense", 3),
        event(REFUSED, 4),
        event([], 5),
        event(COUNTED, 6, duplicate=True),
        event(b"", 7, problem="a torn block"),
    ]
    summary, each = await _replayed(batch)
    assert _five(summary) == (1, 1, 2, 2, 1)
    assert summary.read == 7
    assert summary.rejected == {"not JSON": 1, "a torn block": 1}
    assert [(position, outcome.word) for position, outcome in each] == [
        (1, "counted"), (2, "uncounted"), (4, "skipped"), (5, "skipped"),
    ]  # fmt: skip


async def test_an_event_of_several_exchanges_counts_for_each() -> None:
    several = [COUNTED, UNCOUNTED, 7, COUNTED]
    summary, _ = await _replayed([event(several), event(several, 2, duplicate=True)])
    assert _five(summary) == (2, 1, 1, 0, 4)
    assert summary.read == 8


async def test_a_retry_with_the_same_id_is_an_exchange_of_its_own() -> None:
    summary, _ = await _replayed([event(COUNTED), event(COUNTED, 2)], [event(COUNTED, 3)])
    assert _five(summary) == (3, 0, 0, 0, 0)
    assert summary.overall.total == 63


@pytest.mark.parametrize(
    ("span", "holds"),
    [
        (TimeSpan(), True),
        (TimeSpan(since=AT), True),
        (TimeSpan(until=AT), False),
        (TimeSpan(since=AT.replace(second=18)), False),
        (TimeSpan(until=AT.replace(second=18)), True),
        (TimeSpan(AT, AT), False),
    ],
)
async def test_a_span_begins_with_its_first_moment_and_ends_before_its_last(span: TimeSpan, holds: bool) -> None:
    summary, each = await _replayed([event(COUNTED)], span=span)
    assert (summary.read, summary.outside, len(each)) == ((1, 0, 1) if holds else (0, 1, 0))


async def test_an_exchange_without_a_time_happened_when_the_broker_took_it() -> None:
    undated = {"RequestBody": "{}", "ResponseBody": ANSWER}
    summary, each = await _replayed([event(undated, 1, enqueued=AT), event(undated, 2)], span=TimeSpan(since=AT))
    assert (summary.read, summary.outside) == (1, 1)
    assert each[0][1].time == AT


@pytest.mark.parametrize(
    ("time", "possible"),
    [
        ("0001-01-01T00:00:00", False),
        ("0999-12-31T23:59:59Z", False),
        ("1999-12-31T23:59:59Z", False),
        ("2000-01-01T00:00:00Z", True),
        ("2026-11-23T10:03:17Z", True),
        ("2026-11-23T10:03:18Z", False),
        ("9999-12-31T23:59:59Z", False),
    ],
)
async def test_a_time_that_cannot_be_gives_way_to_the_brokers(time: str, possible: bool) -> None:
    _, ((_, outcome),) = await _replayed([event(COUNTED | {"time": time}, 1, enqueued=AT)])
    assert (outcome.time == AT, "impossible-time" in outcome.flags) == (not possible, not possible)
    assert outcome.count is not None


async def test_a_time_that_cannot_be_is_unknown_where_no_broker_says_another() -> None:
    _, ((_, outcome),) = await _replayed([event(COUNTED | {"time": "0001-01-01T00:00:00"}, 1)])
    assert (outcome.time, "impossible-time" in outcome.flags) == (None, True)


async def test_what_cannot_be_read_and_was_taken_outside_the_span_is_outside() -> None:
    early = AT.replace(year=2025)
    summary, _ = await _replayed([event("x", 1, enqueued=early), event("x", 2)], span=TimeSpan(since=AT))
    assert (summary.outside, _five(summary)) == (1, (0, 0, 1, 0, 0))


@pytest.mark.parametrize(
    ("batches", "skipped"),
    [
        pytest.param([[GATEWAY, LLM]], "a gateway log whose exchange is counted from its LLM log", id="one batch"),
        pytest.param(
            [[LLM], [GATEWAY]], "a gateway log whose exchange is counted from its LLM log", id="llm log first"
        ),
        pytest.param([[GATEWAY], [LLM]], "an LLM log whose exchange was counted from its gateway log", id="too late"),
        pytest.param(
            [[{"records": [GATEWAY, LLM]}]], "a gateway log whose exchange is counted from its LLM log", id="one event"
        ),
    ],
)
async def test_two_logs_of_one_exchange_count_once(batches: list[list[Any]], skipped: str) -> None:
    summary, _ = await _replayed(*([event(record) for record in batch] for batch in batches))
    assert summary.counted == 1
    assert summary.skipped == {skipped: 1}
    assert summary.overall.total == 21


async def test_an_llm_log_counts_where_its_gateway_log_did_not() -> None:
    bare = {"category": "GatewayLogs", "correlationId": "c", "properties": {"responseBody": '{"choices":[]}'}}
    summary, _ = await _replayed([event(bare)], [event(LLM)])
    assert _five(summary) == (1, 1, 0, 0, 0)
    assert summary.overall.total == 21


async def test_logs_of_different_exchanges_both_count() -> None:
    summary, _ = await _replayed([event(LLM), event(GATEWAY | {"correlationId": "d"})])
    assert summary.counted == 2


async def test_an_empty_batch_is_nothing() -> None:
    summary, each = await _replayed([])
    assert (summary.read, each) == (0, [])
