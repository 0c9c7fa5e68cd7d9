"""Where a sink lets itself be led, and to whom it shows its token."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from ingestion import Fault, IngestionServer
from sample_points import KEY, SENDER, items
from sink_watch import numbers, watch

from logcount.errors import Misconfigured
from logcount.sinks import AppInsightsSink

if TYPE_CHECKING:
    from collections.abc import Callable

    from fast_clock import FastClock

pytest_plugins = ["loopback_sink"]

TOKEN = "TOKENtoken"


async def test_a_token_is_asked_for_each_attempt(clock: FastClock, make: Callable[..., AppInsightsSink]) -> None:
    given = ["", "weak", "old", TOKEN]

    async def token() -> str:
        if not given[0]:
            given.pop(0)
            raise PermissionError(f"no {TOKEN} for you")
        return given.pop(0) if len(given) > 1 else given[0]

    async with IngestionServer(tokens={TOKEN}, roleless={"weak"}, now=clock.now) as server:
        sink = make(server.connection_string, token=token)
        said = watch(clock, sink)

        assert await sink.send(items(2)) == []

        assert server.authorizations() == {"127.0.0.1": ["Bearer weak", "Bearer old", f"Bearer {TOKEN}"]}
        assert numbers(server) == [0, 1]
    assert ["no token could be obtained (PermissionError)" in said[0], "403" in said[1], "401" in said[2]] == [True] * 3
    assert all("configuration" in each and TOKEN not in each for each in said)


async def test_a_token_that_cannot_stand_in_a_header_is_told_without_it(
    clock: FastClock, make: Callable[..., AppInsightsSink], server: IngestionServer
) -> None:
    given = [f"{TOKEN}\r\nX: y", TOKEN]

    async def token() -> str:
        return given.pop(0)

    sink = make(token=token)
    said = watch(clock, sink)

    assert await sink.send(items(1)) == []

    assert "configuration: the request cannot be written" in said[0]
    assert TOKEN not in said[0]


def test_a_token_is_not_sent_in_clear() -> None:
    async def token() -> str:
        return TOKEN

    where = f"InstrumentationKey={KEY};IngestionEndpoint=http://proxy.example"
    with pytest.raises(Misconfigured, match="over https only"):
        AppInsightsSink(where, sender=SENDER, token=token)


async def token_of_the_test() -> str:
    return TOKEN


@pytest.mark.parametrize("status", [307, 308])
async def test_an_allowed_redirect_is_followed_and_remembered(
    server: IngestionServer, clock: FastClock, make: Callable[..., AppInsightsSink], status: int
) -> None:
    sink = make(token=token_of_the_test)
    async with IngestionServer(now=clock.now) as stamp:
        server.fail(Fault(status, headers={"Location": f"{stamp.url}/v2.1/track"}), times=None)

        assert await sink.send(items(2)) == []
        assert await sink.send(items(3)) == []

        assert len(numbers(stamp)) == 5
        assert len(server.seen) == 1
        assert stamp.authorizations() == {"127.0.0.1": [f"Bearer {TOKEN}"] * 2}
        assert clock.slept == []


async def test_a_redirect_to_a_forbidden_host_is_not_followed(
    server: IngestionServer, clock: FastClock, make: Callable[..., AppInsightsSink]
) -> None:
    sink = make(token=token_of_the_test)
    said = watch(clock, sink)
    async with IngestionServer(now=clock.now, address="127.0.0.2") as foreign:
        for host in ("127.0.0.2", "localhost"):
            server.fail(Fault(308, headers={"Location": f"http://{host}:{foreign.port}/v2.1/track"}))

        assert await sink.send(items(2)) == []

        assert foreign.seen == []
    assert server.authorizations() == {"127.0.0.1": [f"Bearer {TOKEN}"] * 3}
    assert numbers(server) == [0, 1]
    assert "configuration: redirected to where requests may not go" in said[0]


async def test_redirects_in_a_circle_come_to_an_end(
    server: IngestionServer, sink: AppInsightsSink, clock: FastClock
) -> None:
    server.fail(Fault(307, headers={"Location": f"{server.url}/v2.1/track"}), times=11)

    assert await sink.send(items(2)) == []

    assert len(server.seen) == 12
    assert len(clock.slept) == 1
    assert numbers(server) == [0, 1]


async def test_a_host_that_was_redirected_to_and_fails_is_left_for_the_configured_one(
    server: IngestionServer, sink: AppInsightsSink, clock: FastClock
) -> None:
    async with IngestionServer(now=clock.now) as stamp:
        server.fail(Fault(307, headers={"Location": stamp.url}))
        stamp.fail(Fault(503), times=None)

        assert await sink.send(items(2)) == []

        assert [len(server.seen), len(stamp.seen)] == [2, 1]
        assert numbers(server) == [0, 1]
