"""A sink of Application Insights, and the loopback server that it speaks to, on a clock that takes no time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from fast_clock import FastClock
from ingestion import IngestionServer
from sample_points import KEY, SENDER

from logcount.sinks import AppInsightsSink, Terms

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable


@pytest.fixture
def clock() -> FastClock:
    return FastClock()


@pytest.fixture
async def server(clock: FastClock) -> AsyncIterator[IngestionServer]:
    async with IngestionServer(keys={KEY}, now=clock.now) as running:
        yield running


@pytest.fixture
async def make(server: IngestionServer, clock: FastClock) -> AsyncIterator[Callable[..., AppInsightsSink]]:
    made: list[AppInsightsSink] = []

    def build(connection_string: str = server.connection_string, **given: Any) -> AppInsightsSink:
        given = {"sender": SENDER, "terms": Terms(rate=10_000), "clock": clock.clock, **given}
        made.append(AppInsightsSink(connection_string, **given))
        return made[-1]

    yield build
    for sink in made:
        await sink.close()


@pytest.fixture
def sink(make: Callable[..., AppInsightsSink]) -> AppInsightsSink:
    return make()
