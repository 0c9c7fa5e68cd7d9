"""The health server, asked over its socket by a plain client."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from typing import TYPE_CHECKING

import pytest

from logcount.errors import Misconfigured
from logcount.health import HealthServer
from logcount.health.server import MOST_CONNECTIONS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

HOST = "127.0.0.1"


class Watch:
    """A state that the tests set."""

    def __init__(self) -> None:
        self.ready = True
        self.live = True
        self.document: dict[str, object] = {"partitions": {"0": {"n": 17}}, "why": "größer als erlaubt"}

    def __call__(self) -> tuple[bool, bool, Mapping[str, object]]:
        return self.ready, self.live, self.document


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
async def server(watch: Watch) -> AsyncIterator[HealthServer]:
    async with HealthServer(watch, host=HOST, port=0) as entered:
        yield entered


async def ask(server: HealthServer, path: str, method: str = "GET") -> tuple[int, dict[str, str], str]:
    reader, writer = await asyncio.open_connection(HOST, server.port)
    writer.write(f"{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    head, _, body = (await reader.read()).decode().partition("\r\n\r\n")
    writer.close()
    await writer.wait_closed()
    status, *headers = head.split("\r\n")
    return int(status.split()[1]), dict(line.lower().split(": ", 1) for line in headers), body


async def test_the_whole_document_is_told_to_people(server: HealthServer, watch: Watch) -> None:
    watch.ready = watch.live = False

    status, headers, body = await ask(server, "/health")

    assert (status, headers["content-type"]) == (200, "application/json; charset=utf-8")
    assert headers["cache-control"] == "no-store"
    assert json.loads(body) == watch.document
    assert body == json.dumps(watch.document, indent=2, ensure_ascii=False) + "\n"


@pytest.mark.parametrize("claim", ["live", "ready"])
async def test_a_probe_is_answered_by_its_status_and_a_bad_one_by_the_reason(
    server: HealthServer, watch: Watch, claim: str
) -> None:
    good = await ask(server, f"/health/{claim}")
    setattr(watch, claim, False)
    bad = await ask(server, f"/health/{claim}")

    assert (good[0], json.loads(good[2])) == (200, {claim: True})
    assert (bad[0], json.loads(bad[2])) == (503, watch.document)


async def test_a_count_that_is_not_ready_is_not_restarted_for_that(server: HealthServer, watch: Watch) -> None:
    watch.ready = False

    assert (await ask(server, "/health/live"))[0] == 200


async def test_each_answer_is_made_when_it_is_asked_for(server: HealthServer, watch: Watch) -> None:
    await ask(server, "/health")
    watch.document = {"partitions": {}}

    assert json.loads((await ask(server, "/health"))[2]) == {"partitions": {}}


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/", 404), ("POST", "/health", 405), ("HEAD", "/health", 200)]
)
async def test_nothing_else_is_answered(server: HealthServer, method: str, path: str, status: int) -> None:
    assert (await ask(server, path, method))[0] == status


async def test_a_state_that_raises_is_an_error_of_the_server_and_tells_nothing() -> None:
    def broken() -> tuple[bool, bool, Mapping[str, object]]:
        raise RuntimeError("a secret")

    async with HealthServer(broken, host=HOST, port=0) as server:
        status, _, body = await ask(server, "/health")

    assert status == 500
    assert "secret" not in body


async def test_a_port_in_use_is_named() -> None:
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        taken.listen()
        port = taken.getsockname()[1]

        with pytest.raises(Misconfigured, match=f"health server on {HOST} port {port}: the port is in use"):
            async with HealthServer(Watch(), host=HOST, port=port):
                pass


async def test_an_address_of_another_machine_is_named() -> None:
    with pytest.raises(Misconfigured, match=r"health server on 192\.0\.2\.1 port 0: this machine has no such address"):
        async with HealthServer(Watch(), host="192.0.2.1", port=0):
            pass


async def test_idle_and_slow_connections_are_closed(server: HealthServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("logcount.health.server.CONNECTION_SECONDS", 0.2)
    idle, half = [await asyncio.open_connection(HOST, server.port) for _ in range(2)]
    half[1].write(b"GET /health/live HTTP/1.1\r\nHost: ")
    async with asyncio.timeout(30):
        for reader, writer in (idle, half):
            with contextlib.suppress(ConnectionError):
                assert await reader.read() == b""
            writer.close()


async def test_only_so_many_connections_are_held_at_a_time(server: HealthServer) -> None:
    held = [await asyncio.open_connection(HOST, server.port) for _ in range(MOST_CONNECTIONS)]
    async with asyncio.timeout(30):
        reader, writer = await asyncio.open_connection(HOST, server.port)
        with contextlib.suppress(ConnectionError):
            assert await reader.read() == b""
        writer.close()
        held.pop()[1].close()
        while (await _status(server)) != 200:
            await asyncio.sleep(0.01)
    for _, one in held:
        one.close()


async def _status(server: HealthServer) -> int | None:
    with contextlib.suppress(ConnectionError, IndexError):
        return (await ask(server, "/health/live"))[0]
    return None


@pytest.mark.parametrize("head", [b"\r\n\r\n", b"\x16\x03\x01\r\n\r\n", b"GET\r\n\r\n", b"GET  /health \r\n\r\n"])
async def test_another_protocol_is_answered_and_harms_nothing(server: HealthServer, head: bytes) -> None:
    reader, writer = await asyncio.open_connection(HOST, server.port)
    writer.write(head)
    assert (await reader.read()).startswith(b"HTTP/1.1 404 ")
    writer.close()
    assert (await ask(server, "/health/live"))[0] == 200


async def test_leaving_does_not_wait_for_those_who_stay_connected(watch: Watch) -> None:
    async with asyncio.timeout(30), HealthServer(watch, host=HOST, port=0) as server:  # left to itself it waits 60 s
        idle, kept = [await asyncio.open_connection(HOST, server.port) for _ in range(2)]
        kept[1].write(b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n")
        await kept[0].readuntil(b"}")
        half = await asyncio.open_connection(HOST, server.port)
        half[1].write(b"GET /health/live HT")
        await half[1].drain()

    for reader, writer in (idle, kept, half):
        with contextlib.suppress(ConnectionError):  # what was sent and not read resets the connection
            assert await reader.read() in {b"", b"\n"}
        writer.close()
