"""What every sink keeps to, whatever it speaks: each item is accepted or marked, and trouble is told while it lasts."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Literal, Protocol

import pytest
from fast_clock import NOW, FastClock
from ingestion import Fault, IngestionServer, ItemRule
from memory_sink import MemorySink
from sample_points import CANARY, KEY, RECORD, SENDER, items, point

from logcount.model.points import Item
from logcount.sinks import AppInsightsSink, OtlpSink, Terms

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from logcount.ports import Sink

OLDEST = timedelta(hours=47)


class Bench(Protocol):
    """A sink and its service, of which a test can ask what it holds, and which it can disturb."""

    clock: FastClock
    sink: Sink

    def held(self) -> list[tuple[str | None, int | None]]: ...
    def told(self) -> int: ...
    def be_away(self, times: int) -> None: ...
    def lose_an_answer(self) -> None: ...
    def refuse(self, team: str) -> None: ...


@dataclass
class ServerBench:
    """A sink that speaks to the loopback server."""

    clock: FastClock
    sink: Sink
    server: IngestionServer

    def held(self) -> list[tuple[str | None, int | None]]:
        return [(item.record, item.number) for item in self.server.accepted if item.record is not None]

    def told(self) -> int:
        return sum(item.record is None for item in self.server.accepted)

    def be_away(self, times: int) -> None:
        self.server.fail(Fault(503), times)

    def lose_an_answer(self) -> None:
        self.server.fail(Fault(drops=True, accepts=True))

    def refuse(self, team: str) -> None:
        self.server.refuse(ItemRule(400, f"105: {team} is too long", dimension=team))


@dataclass
class MemoryBench:
    """The sink in memory."""

    clock: FastClock
    faults: list[Literal["away", "lost"]] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)
    memory: MemorySink = field(init=False)
    sink: Sink = field(init=False)

    def __post_init__(self) -> None:
        self.sink = self.memory = MemorySink(
            lambda: self.faults.pop() if self.faults else None,
            lambda item: "refused" if self.refused & {value for _, value in item.point.dimensions} else None,
            OLDEST,
            self.clock.clock,
        )

    def held(self) -> list[tuple[str | None, int | None]]:
        return [(item.record, item.number) for item in self.memory.held]

    def told(self) -> int:
        return len(self.memory.told)

    def be_away(self, times: int) -> None:
        self.faults.extend(["away"] * times)

    def lose_an_answer(self) -> None:
        self.faults.append("lost")

    def refuse(self, team: str) -> None:
        self.refused.add(team)


@pytest.fixture(params=["appinsights", "otlp", "memory"])
async def bench(request: pytest.FixtureRequest) -> AsyncIterator[Bench]:
    clock = FastClock()
    if request.param == "memory":
        yield MemoryBench(clock)
        return
    async with IngestionServer(keys={KEY}, now=clock.now) as server:
        sink: Sink
        terms = Terms(rate=10_000, oldest=OLDEST)
        if request.param == "appinsights":
            sink = AppInsightsSink(server.connection_string, sender=SENDER, terms=terms, clock=clock.clock)
        else:
            sink = OtlpSink(server.url, sender=SENDER, terms=terms, clock=clock.clock)
        yield ServerBench(clock, sink, server)
        await sink.close()


def team(name: str, number: int = 0) -> Item:
    return Item(RECORD, number, point(dimensions=(("Team", name),)))


async def test_its_name_can_stand_in_the_name_of_a_cursor(bench: Bench) -> None:
    assert bench.sink.name.isalnum()
    assert bench.sink.name == bench.sink.name.lower()


async def test_nothing_to_send_is_sent_at_once(bench: Bench) -> None:
    assert await bench.sink.send([]) == []
    assert bench.held() == []


async def test_every_item_is_held_under_its_record_and_number(bench: Bench) -> None:
    sent = [*items(700), *items(3, record="other")]

    assert await bench.sink.send(sent) == []

    assert bench.held() == [(item.record, item.number) for item in sent]
    assert bench.sink.trouble is None


async def test_an_item_that_is_sent_twice_can_be_told_to_be_a_repeat(bench: Bench) -> None:
    await bench.sink.send(items(2))
    await bench.sink.send(items(2))

    assert bench.held() == [(RECORD, 0), (RECORD, 1)] * 2


async def test_while_the_service_is_away_the_sink_says_so_and_goes_on(bench: Bench) -> None:
    bench.be_away(3)
    said: list[str | None] = []
    bench.clock.during = lambda number: said.append(bench.sink.trouble)

    assert await bench.sink.send(items(4)) == []

    assert bench.held() == [(RECORD, number) for number in range(4)]
    assert len(said) == 3
    assert all(each and CANARY not in each and KEY not in each for each in said)
    assert bench.sink.trouble is None


async def test_an_answer_that_is_lost_makes_repeats_and_no_loss(bench: Bench) -> None:
    bench.lose_an_answer()

    assert await bench.sink.send(items(3)) == []

    assert set(bench.held()) == {(RECORD, number) for number in range(3)}


async def test_what_is_refused_is_marked_without_showing_it(bench: Bench) -> None:
    bench.refuse(CANARY)

    (mark,) = await bench.sink.send([team(CANARY)])

    assert (mark.item, mark.why) == (team(CANARY), "refused")
    assert CANARY not in mark.answer
    assert bench.held() == []
    assert await bench.sink.send([team("well", 1)]) == []
    assert bench.held() == [(RECORD, 1)]


async def test_what_is_too_old_is_marked_and_the_rest_is_held(bench: Bench) -> None:
    old = Item(RECORD, 9, point(minute=NOW - OLDEST - timedelta(minutes=1)))

    marks = await bench.sink.send([old, *items(2)])

    assert [(mark.item, mark.why) for mark in marks] == [(old, "late")]
    assert bench.held() == [(RECORD, 0), (RECORD, 1)]


async def test_many_may_send_at_once(bench: Bench) -> None:
    bench.be_away(2)

    sent = await asyncio.gather(*(bench.sink.send(items(5, record=str(number))) for number in range(10)))

    assert sent == [[]] * 10
    assert Counter(bench.held()) == Counter((str(record), number) for record in range(10) for number in range(5))
    assert bench.sink.trouble is None


async def test_a_sending_that_is_cancelled_can_be_made_again(bench: Bench) -> None:
    bench.be_away(1)

    def cancel(number: int) -> None:
        sending.cancel()

    bench.clock.during = cancel
    sending = asyncio.create_task(bench.sink.send(items(2)))

    with pytest.raises(asyncio.CancelledError):
        await sending

    assert await bench.sink.send(items(2)) == []
    assert bench.held() == [(RECORD, 0), (RECORD, 1)]


async def test_what_is_told_stands_in_no_record(bench: Bench) -> None:
    await bench.sink.tell([point(metric="Seconds Behind"), point(metric="Events Behind")])
    await bench.sink.tell([])

    assert bench.told() == 2
    assert bench.held() == []


async def test_telling_a_service_that_is_away_raises_nothing_and_waits_for_nothing(bench: Bench) -> None:
    bench.be_away(1)

    await bench.sink.tell([point()])

    assert bench.told() == 0
    assert bench.clock.slept == []


async def test_closing_twice_is_closing_once(bench: Bench) -> None:
    await bench.sink.send(items(1))
    await bench.sink.close()
    await bench.sink.close()
