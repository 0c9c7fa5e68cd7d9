"""A proxy in front of a real service of HTTP that does harm on demand: one fault for each request, then none.

- `unsent`: the request is dropped, and the connection closed;
- `half sent`: half of the request reaches the service, which sees its connection close; so does the client;
- `unanswered`: the request is carried out, and the connection closed without the answer;
- `half answered`: the connection is closed within the answer;
- `silent`: the request is dropped, and the connection stays open without a word;
- `late`: the connection is closed, and the request carried out when `land()` is called;
- bytes: the answer, instead of the service's.
"""

from __future__ import annotations

import asyncio
import re
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

Fault = Literal["unsent", "half sent", "unanswered", "half answered", "silent", "late"] | bytes | None


class FaultyProxy:
    """Passes requests on, each over a connection of its own."""

    def __init__(self, upstream: int) -> None:
        self.port = 0
        self.requests: list[str] = []
        """The method and target of every request."""
        self.faults: list[Fault] = []
        """What befalls the next requests."""
        self.fault: Callable[[], Fault] = lambda: None
        """What befalls the requests after those."""
        self._upstream = upstream
        self._late: list[bytes] = []

    async def land(self) -> list[bytes]:
        """Carry out the requests that are late, and give the service's answers."""
        late, self._late = self._late, []
        return [await self._forward(request) for request in late]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            request = await _read_request(reader)
            self.requests.append(_line(request))
            writer.write(await self._answer(request, self.faults.pop(0) if self.faults else self.fault(), reader))
            await writer.drain()
        writer.close()

    async def _answer(self, request: bytes, fault: Fault, reader: asyncio.StreamReader) -> bytes:
        if isinstance(fault, bytes):
            return fault
        if fault == "late":
            self._late.append(request)
        if fault == "silent":
            await reader.read()  # until the client has had enough
        if fault == "half sent":
            await self._forward(request[: len(request) // 2], whole=False)
        if fault in {"unsent", "half sent", "silent", "late"}:
            return b""
        answer = await self._forward(request)
        if fault == "unanswered":
            return b""
        return answer[: len(answer) // 2] if fault == "half answered" else answer

    async def _forward(self, request: bytes, *, whole: bool = True) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._upstream)
        try:
            writer.write(request)
            await writer.drain()
            return await reader.read() if whole else b""
        finally:
            writer.close()


@asynccontextmanager
async def faulty_proxy(upstream: int) -> AsyncIterator[FaultyProxy]:
    """Run a proxy in front of a port of this machine for the time of a test."""
    proxy = FaultyProxy(upstream)
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0, limit=2**20)
    proxy.port = server.sockets[0].getsockname()[1]
    async with server:
        yield proxy


async def _read_request(reader: asyncio.StreamReader) -> bytes:
    """Read one request, and ask for the connection to be closed after its answer: then the answer ends with it."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = re.search(rb"\r\ncontent-length: (\d+)", head, re.IGNORECASE)
    body = await reader.readexactly(int(length[1])) if length else b""
    head = re.sub(rb"\r\nconnection: [^\r]*", b"", head, flags=re.IGNORECASE)
    return head.replace(b"\r\n", b"\r\nConnection: close\r\n", 1) + body


def _line(request: bytes) -> str:
    return b" ".join(request.split(b" ", 2)[:2]).decode()
