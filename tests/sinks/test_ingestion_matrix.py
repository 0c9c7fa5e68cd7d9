"""Every way in which the service answers, or does not: nothing is lost, and only what must be is sent again."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from ingestion import Fault, IngestionServer, ItemRule
from sample_points import CANARY, KEY, RECORD, SENDER, items
from sink_watch import numbers, watch, why

from logcount.sinks import AppInsightsSink, Terms

if TYPE_CHECKING:
    from collections.abc import Callable

    from fast_clock import FastClock

pytest_plugins = ["loopback_sink"]

FAST = Terms(rate=10_000, answer_seconds=2.0)
"""The only real waiting: for answers that never come."""


PAUSES = [
    # status, the least and the most that the first pause may be, in seconds
    *[(status, 0.5, 1.5) for status in (408, 418, 429, 500, 502, 503, 504)],
    *[(status, 5, 15) for status in (307, 401, 403, 404, 405, 415)],
    *[(status, 150, 450) for status in (402, 439)],
]


@pytest.mark.parametrize(("status", "least", "most"), PAUSES)
async def test_after_a_failure_all_is_sent_again_once(
    server: IngestionServer, sink: AppInsightsSink, clock: FastClock, status: int, least: float, most: float
) -> None:
    server.fail(Fault(status), times=3)
    said = watch(clock, sink)

    marks = await sink.send(items(5))

    assert marks == []
    assert numbers(server) == [0, 1, 2, 3, 4]
    assert [seen.items for seen in server.seen] == [5] * 4
    assert least <= clock.slept[0] <= most
    first, second, third = clock.slept
    assert first < second < third
    assert len(said) == 3
    assert all(f"{status} from 127.0.0.1:{server.port}: " in each for each in said)
    assert all("since 2026-11-22T10:05:17Z, next attempt in " in each for each in said)
    assert sink.trouble is None


@pytest.mark.parametrize("status", [400, 413])
async def test_a_refused_request_is_halved_until_what_is_refused_stands_alone(
    server: IngestionServer, sink: AppInsightsSink, clock: FastClock, status: int
) -> None:
    server.fail(Fault(status, body="no JSON"), times=2)

    assert await sink.send(items(8)) == []

    assert sorted(number or 0 for number in numbers(server)) == list(range(8))
    assert [seen.items for seen in server.seen] == [8, 4, 2, 2, 4]
    assert clock.slept == []


async def test_what_is_refused_whole_and_alone_is_marked_and_nothing_else_is(
    server: IngestionServer, sink: AppInsightsSink, clock: FastClock
) -> None:
    server.fail(Fault(400), times=None)

    marks = await sink.send(items(5))

    assert why(marks) == dict.fromkeys(range(5), ("refused", "400: not valid"))
    assert len(server.seen) == 9
    assert clock.slept == []


RETRY_AFTER = [("40", 40), ("Sun, 22 Nov 2026 10:05:57 GMT", 40), ("999999999", 3600)]


@pytest.mark.parametrize(("header", "seconds"), RETRY_AFTER)
@pytest.mark.parametrize("status", [402, 429, 439, 503])
async def test_the_pause_that_the_service_asks_for_is_kept(
    server: IngestionServer, sink: AppInsightsSink, clock: FastClock, status: int, header: str, seconds: float
) -> None:
    server.fail(Fault(status, headers={"Retry-After": header}))

    assert await sink.send(items(2)) == []

    (slept,) = clock.slept
    assert seconds <= slept <= max(seconds + 300, 450)


async def test_of_a_partial_success_only_what_may_yet_be_taken_is_sent_again(
    server: IngestionServer, sink: AppInsightsSink, clock: FastClock
) -> None:
    server.refuse(ItemRule(400, f"105: Field 'properties' holds {CANARY}", number=1))
    server.refuse(ItemRule(500, number=2, times=1))
    server.refuse(ItemRule(206, "Telemetry sampled out.", number=3))
    server.refuse(ItemRule(400, "103: Field 'time' on type 'Envelope' is older than the allowed min date.", number=4))
    server.refuse(ItemRule(429, number=5, times=2))
    said = watch(clock, sink)

    marks = await sink.send(items(8))

    assert why(marks) == {1: ("refused", "400 105: not valid"), 4: ("late", "400 103: time too old")}
    assert numbers(server) == [0, 6, 7, 2, 5]
    assert [seen.items for seen in server.seen] == [8, 2, 1]
    assert len(said) == 2
    assert sink.trouble is None


async def test_where_nothing_is_accepted_each_item_still_has_its_own_answer(
    server: IngestionServer, sink: AppInsightsSink
) -> None:
    server.refuse(ItemRule(503, number=0, times=1))
    server.refuse(ItemRule(400, number=1))
    server.refuse(ItemRule(439, number=2, times=1))

    marks = await sink.send(items(3))

    assert why(marks) == {1: ("refused", "400: not valid")}
    assert numbers(server) == [0, 2]


@pytest.mark.parametrize(
    ("fault", "told"),
    [(Fault(hangs=True), "it did not come in time"), (Fault(drops=True), "the connection broke")],
)
async def test_a_request_without_an_answer_is_sent_again(
    server: IngestionServer, make: Callable[..., AppInsightsSink], clock: FastClock, fault: Fault, told: str
) -> None:
    sink = make(terms=FAST)
    server.fail(fault, times=2)
    said = watch(clock, sink)

    assert await sink.send(items(3)) == []

    assert numbers(server) == [0, 1, 2]
    assert all(each.startswith(f"no answer from 127.0.0.1:{server.port}: {told}, since ") for each in said)
    assert sink.trouble is None


@pytest.mark.parametrize("fault", [Fault(hangs=True, accepts=True), Fault(drops=True, accepts=True)])
async def test_an_answer_that_is_lost_makes_repeats_that_can_be_told(
    server: IngestionServer, make: Callable[..., AppInsightsSink], fault: Fault
) -> None:
    sink = make(terms=FAST)
    server.fail(fault)

    assert await sink.send(items(3)) == []

    assert [(item.record, item.number) for item in server.accepted] == [(RECORD, n) for n in (0, 1, 2)] * 2
    assert server.taken.totals()["Total Tokens"] == {"sum": 3 * 4210, "count": 3 * 37, "items": 3, "repeats": 3}


async def test_slow_answers_are_waited_for(server: IngestionServer, sink: AppInsightsSink) -> None:
    server.fail(Fault(wait=0.05), times=3)

    assert await sink.send(items(1_203)) == []

    assert len(numbers(server)) == 1_203
    assert len(server.seen) == 3


async def test_a_service_that_cannot_be_reached_is_tried_until_it_can(clock: FastClock) -> None:
    async with IngestionServer(now=clock.now) as gone:
        where, port = gone.connection_string, gone.port
    sink = AppInsightsSink(where, sender=SENDER, terms=FAST, clock=clock.clock)
    back = IngestionServer(now=clock.now, port=port)
    reached = asyncio.Event()

    async def come_back() -> None:
        await reached.wait()
        await back.__aenter__()

    said = watch(clock, sink, lambda number: reached.set() if number == 3 else None)
    coming = asyncio.create_task(come_back())
    try:
        assert await sink.send(items(2)) == []
        assert numbers(back) == [0, 1]
        assert f"no answer from 127.0.0.1:{port}: it cannot be reached (ClientConnectorError)" in said[0]
    finally:
        await coming
        await sink.close()
        await back.__aexit__()


NOT_ITS_ANSWERS = ["<html>a portal that wants a password</html>", "", "{}", "[]"]


@pytest.mark.parametrize("body", NOT_ITS_ANSWERS)
async def test_a_200_of_something_else_accepts_nothing(
    server: IngestionServer, sink: AppInsightsSink, clock: FastClock, body: str
) -> None:
    server.fail(Fault(200, body=body))
    said = watch(clock, sink)

    assert await sink.send(items(2)) == []

    assert numbers(server) == [0, 1]
    assert "configuration: this is no answer of an ingestion service" in said[0]


async def test_a_200_that_leaves_items_out_is_looked_into(server: IngestionServer, sink: AppInsightsSink) -> None:
    server.fail(Fault(200, body='{"itemsReceived":4,"itemsAccepted":3,"errors":[]}'))

    assert await sink.send(items(4)) == []

    assert [seen.items for seen in server.seen] == [4, 2, 2]
    assert numbers(server) == [0, 1, 2, 3]


async def test_a_wrong_key_refuses_nothing_and_is_a_matter_of_configuration(
    server: IngestionServer, sink: AppInsightsSink, clock: FastClock
) -> None:
    server.keys = frozenset()

    def mend(number: int) -> None:
        server.keys = frozenset({KEY}) if number == 3 else frozenset()

    said = watch(clock, sink, mend)

    assert await sink.send(items(3)) == []

    assert numbers(server) == [0, 1, 2]
    assert "configuration: the instrumentation key is not known there" in said[0]
    assert KEY not in said[0]
