"""The health server: three answers over HTTP, each made when it is asked for.

Law: whoever can reach the port can hold few connections, and none for long.
"""

from __future__ import annotations

import asyncio
import errno
import json
import logging
from http import HTTPStatus
from typing import TYPE_CHECKING, Self

from logcount.errors import Misconfigured

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType

    State = Callable[[], tuple[bool, bool, Mapping[str, object]]]
    """Returns whether the process is ready, whether it is live, and a document with details, without secrets."""

_LOGGER = logging.getLogger(__name__)

CONNECTION_SECONDS = 10.0
"""How long a connection may take, from its beginning to the end of its answer."""

MOST_CONNECTIONS = 32
"""How many there may be at a time: probes need one or two. Further ones are closed at once."""

_LONGEST_HEAD = 8 * 1024
"""Bytes of a request's line and headers."""


class HealthServer:
    """Answers probes and operators while it is entered.

    - `GET /health/live`: 200, or 503 if a part of the process hangs: then a restart helps. Any answer shows that the
      event loop runs.
    - `GET /health/ready`: 200 or 503.
    - `GET /health`: the whole document, always 200.

    All are JSON. A 503 carries the whole document, which says why. There is no sign-in: let the port be reached by
    probes only. A state that raises is answered by 500. A connection serves one request (HTTP/1.1, RFC 9112).
    """

    def __init__(self, state: State, *, host: str, port: int) -> None:
        """Serve the state at this address; with port 0 the system chooses one."""
        self._state = state
        self._host = host
        self._port = port
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()

    @property
    def port(self) -> int:
        """The port on which it listens, once entered."""
        return self._port

    async def __aenter__(self) -> Self:
        """Start listening.

        Raises:
            Misconfigured: the port is in use, or the address is not this machine's.

        """
        try:
            self._server = await asyncio.start_server(self._accept, self._host, self._port, limit=_LONGEST_HEAD)
        except OSError as error:
            raise Misconfigured(self._complaint(error)) from error
        self._port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        if self._server is not None:
            self._server.close()
        for connection in self._connections:
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._connections) >= MOST_CONNECTIONS:
            writer.transport.abort()
            return
        connection = asyncio.create_task(self._serve(reader, writer))
        self._connections.add(connection)
        connection.add_done_callback(lambda ended: self._close(ended, writer))

    def _close(self, ended: asyncio.Task[None], writer: asyncio.StreamWriter) -> None:
        self._connections.discard(ended)
        if writer.transport.get_write_buffer_size():  # it does not read: closing would wait for it
            writer.transport.abort()
        writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(CONNECTION_SECONDS):
                writer.write(self._answer(await reader.readuntil(b"\r\n\r\n")))
                await writer.drain()
        except (TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, OSError):
            pass  # who asks has gone, is too slow, or speaks another protocol

    def _answer(self, head: bytes) -> bytes:
        status: HTTPStatus
        document: Mapping[str, object]
        method, path, *_ = (*head.split(b"\r\n", 1)[0].decode("latin-1").split(" "), "", "")
        if path.partition("?")[0] not in _PATHS:
            status, document = HTTPStatus.NOT_FOUND, {"paths": list(_PATHS)}
        elif method not in {"GET", "HEAD"}:
            status, document = HTTPStatus.METHOD_NOT_ALLOWED, {"methods": ["GET", "HEAD"]}
        else:
            status, document = self._told(path.partition("?")[0])
        text = (json.dumps(document, indent=2, ensure_ascii=False, default=str) + "\n").encode("utf-8", "replace")
        headers = (
            f"HTTP/1.1 {status.value} {status.phrase}",
            "Content-Type: application/json; charset=utf-8",
            f"Content-Length: {len(text)}",
            "Cache-Control: no-store",
            "Connection: close",
        )
        return "\r\n".join((*headers, "", "")).encode() + (b"" if method == "HEAD" else text)

    def _told(self, path: str) -> tuple[HTTPStatus, Mapping[str, object]]:
        try:
            ready, live, document = self._state()
        except Exception as error:
            _LOGGER.error("the health of this process cannot be told: %s", type(error).__name__)
            return HTTPStatus.INTERNAL_SERVER_ERROR, {"status": "unknown"}
        claim = {"/health/live": ("live", live), "/health/ready": ("ready", ready)}.get(path)
        if claim is None:
            return HTTPStatus.OK, document
        return (HTTPStatus.OK, {claim[0]: True}) if claim[1] else (HTTPStatus.SERVICE_UNAVAILABLE, document)

    def _complaint(self, error: OSError) -> str:
        why = {
            errno.EADDRINUSE: "the port is in use by another program: choose another",
            errno.EACCES: "this user may not listen on this port: choose one above 1023",
        }.get(error.errno or 0, "this machine has no such address")
        return f"health server on {self._host} port {self._port}: {why}"


_PATHS = ("/health", "/health/live", "/health/ready")
