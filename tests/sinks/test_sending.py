"""How sending goes: what is too old, what holds up what, pauses, bounds, cancelling, and telling."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from fast_clock import NOW
from ingestion import Fault, ItemRule
from sample_points import RECORD, items, point
from sink_watch import numbers, watch, why

from logcount.model.points import Item
from logcount.sinks import Terms
from logcount.sinks.http_client import HttpClient
from logcount.sinks.outcomes import HttpResponse
from logcount.sinks.routes import Route

if TYPE_CHECKING:
    from collections.abc import Callable

    from fast_clock import FastClock
    from ingestion import IngestionServer

    from logcount.sinks import AppInsightsSink

pytest_plugins = ["loopback_sink"]


async def test_pauses_do_not_grow_for_ever(server: IngestionServer, sink: AppInsightsSink, clock: FastClock) -> None:
    server.fail(Fault(503), times=30)

    assert await sink.send(items(1)) == []

    assert clock.slept == sorted(clock.slept)
    assert max(clock.slept) <= 120
    assert numbers(server) == [0]


async def test_an_item_that_cannot_be_taken_yet_holds_up_no_other(
    server: IngestionServer, sink: AppInsightsSink, clock: FastClock
) -> None:
    server.refuse(ItemRule(500, number=0, times=3))

    assert await sink.send(items(1_203)) == []

    assert [seen.items for seen in server.seen] == [500, 500, 203, 1, 1, 1]
    assert Counter(numbers(server)) == Counter(range(1_203))


async def test_the_pauses_of_an_item_grow_and_begin_anew_once_something_was_taken(
    server: IngestionServer, sink: AppInsightsSink, clock: FastClock
) -> None:
    server.refuse(ItemRule(500, number=0, times=6))
    server.refuse(ItemRule(500, number=600, times=3))
    said = watch(clock, sink)

    assert await sink.send(items(1_000)) == []

    assert numbers(server)[-2:] == [600, 0]
    growing = clock.slept[:3]
    assert growing == sorted(set(growing))
    assert clock.slept[3:] == growing
    assert said[0].startswith(f"2 points wait: 500 from 127.0.0.1:{server.port}: not available, since ")


async def test_items_too_old_at_their_attempt_are_not_sent(server: IngestionServer, sink: AppInsightsSink) -> None:
    old = [Item(RECORD, 7, point(minute=NOW - timedelta(hours=48, minutes=30)))]

    marks = await sink.send([*items(2), *old])

    assert why(marks) == {7: ("late", "48.5 h old when it was to be sent")}
    assert [seen.items for seen in server.seen] == [2]


async def test_items_that_grow_too_old_while_they_wait_are_not_sent(
    server: IngestionServer, sink: AppInsightsSink, clock: FastClock
) -> None:
    ageing = [Item(RECORD, 7, point(minute=NOW - timedelta(hours=46, minutes=45)))]
    server.fail(Fault(503, headers={"Retry-After": "1200"}))

    marks = await sink.send([*ageing, *items(2)])

    assert why(marks) == {7: ("late", "47.1 h old when it was to be sent")}
    assert [seen.items for seen in server.seen] == [3, 2]
    assert numbers(server) == [0, 1]


async def test_what_has_all_grown_too_old_makes_no_request(server: IngestionServer, sink: AppInsightsSink) -> None:
    marks = await sink.send(items(3, minute=NOW - timedelta(days=3)))

    assert {mark.why for mark in marks} == {"late"}
    assert server.seen == []


async def test_requests_are_bounded_in_items_and_in_bytes(server: IngestionServer, sink: AppInsightsSink) -> None:
    wide = tuple((f"{'é' * 140}{number}", "ü" * 256) for number in range(10))
    large = [Item("f" * 64, number, point(dimensions=wide)) for number in range(300)]

    assert await sink.send([*items(1_100), *large]) == []

    sizes = [seen.items or 0 for seen in server.seen]
    assert sizes[:2] == [500, 500]
    assert sum(sizes) == 1_400
    assert len(sizes) >= 5
    assert Counter((item.record, item.number) for item in server.accepted) == Counter(
        (item.record, item.number) for item in [*items(1_100), *large]
    )


async def test_while_the_service_is_away_one_request_at_a_time_finds_out(
    server: IngestionServer, sink: AppInsightsSink, clock: FastClock
) -> None:
    server.fail(Fault(429), times=4)

    sent = await asyncio.gather(*(sink.send(items(3, record=str(number))) for number in range(8)))

    assert sent == [[]] * 8
    assert len(server.seen) == 4 + 8
    assert len(clock.slept) == 4
    assert Counter((item.record, item.number) for item in server.accepted) == Counter(
        (str(record), number) for record in range(8) for number in range(3)
    )


async def test_a_cancelled_sending_leaves_nothing_running_and_the_next_goes_on(
    server: IngestionServer, make: Callable[..., AppInsightsSink]
) -> None:
    sink = make()
    server.fail(Fault(hangs=True))
    before = asyncio.all_tasks()
    sending = asyncio.create_task(sink.send(items(2)))
    while not server.seen:
        await asyncio.sleep(0.005)

    sending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sending

    own = {task for task in asyncio.all_tasks() - before if "web_protocol" not in repr(task)}
    assert own == set()
    assert await sink.send(items(2)) == []
    assert numbers(server) == [0, 1]


async def test_a_sending_cancelled_in_a_pause_leaves_the_pause_to_the_next(
    server: IngestionServer, sink: AppInsightsSink, clock: FastClock
) -> None:
    server.fail(Fault(429, headers={"Retry-After": "60"}))

    def cancel(number: int) -> None:
        if number == 1:
            sending.cancel()

    clock.during = cancel
    sending = asyncio.create_task(sink.send(items(2)))
    with pytest.raises(asyncio.CancelledError):
        await sending
    clock.time = NOW + timedelta(seconds=20)

    assert await sink.send(items(2)) == []
    assert 40 <= clock.slept[-1] <= 41


@pytest.mark.parametrize("fault", [Fault(503), Fault(400), Fault(drops=True), Fault(200, body="<html>"), None])
async def test_telling_is_tried_once_and_never_raises(
    server: IngestionServer, sink: AppInsightsSink, clock: FastClock, fault: Fault | None
) -> None:
    if fault is not None:
        server.fail(fault)

    await sink.tell([point(metric="Seconds Behind")])

    assert len(server.seen) == 1
    assert clock.slept == []
    assert [item.record for item in server.accepted] == ([None] if fault is None else [])


async def test_telling_leaves_a_service_in_trouble_alone(
    server: IngestionServer, sink: AppInsightsSink, clock: FastClock
) -> None:
    server.fail(Fault(429, headers={"Retry-After": "60"}))
    await sink.tell([point()])

    await sink.tell([point()])
    assert len(server.seen) == 1
    assert "429" in (sink.trouble or "")

    clock.time += timedelta(seconds=70)
    await sink.tell([point()])
    assert len(server.seen) == 2
    assert sink.trouble is None


async def test_a_clock_that_is_set_back_does_not_lengthen_a_pause(
    server: IngestionServer, sink: AppInsightsSink, clock: FastClock
) -> None:
    server.fail(Fault(503))
    await sink.tell([point()])
    clock.time -= timedelta(minutes=50)

    assert await sink.send(items(1)) == []

    assert len(clock.slept) == 1
    assert clock.slept[0] <= 2


async def test_an_answer_is_read_up_to_a_bound(server: IngestionServer) -> None:
    server.fail(Fault(200, body="x" * 8_000_000))
    client = HttpClient(Route(server.url, "/v2.1/track"), Terms(), {"Content-Type": "application/json"}, None)

    answer = await client.post(b"[]")
    await client.close()

    assert isinstance(answer, HttpResponse)
    assert len(answer.body) < 2_000_000
