"""The health server: three answers over HTTP, each made on request."""

from __future__ import annotations

import errno
import json
from typing import TYPE_CHECKING, Self

from aiohttp import web

from logcount.errors import Misconfigured

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType

    State = Callable[[], tuple[bool, bool, Mapping[str, object]]]
    """Returns whether the process is ready, whether it is live, and a document with details, without secrets."""

_HEADERS = {"Cache-Control": "no-store", "Server": "logcount"}  # the default would disclose versions
_SHUTDOWN_SECONDS = 0.5
"""Every answer takes an instant, so a client that is still connected then is idle."""


class HealthServer:
    """Answers probes and operators while it is entered.

    - `GET /health/live`: 200, or 503 if a part of the process hangs: then a restart helps. Any answer shows that the
      event loop runs.
    - `GET /health/ready`: 200 or 503.
    - `GET /health`: the whole document, always 200.

    All are JSON. A 503 contains the whole document, which says why. There is no sign-in: allow only probes to reach the
    port. If the state raises, the answer is 500.
    """

    def __init__(self, state: State, *, host: str, port: int) -> None:
        """Serve the state at this address; with port 0 the system chooses one."""
        self._state = state
        self._host = host
        self._port = port
        app = web.Application()
        app.router.add_get("/health", self._whole)
        app.router.add_get("/health/live", self._live)
        app.router.add_get("/health/ready", self._ready)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=_SHUTDOWN_SECONDS)

    @property
    def port(self) -> int:
        """The port on which it listens, once entered."""
        return self._port

    async def __aenter__(self) -> Self:
        """Start listening.

        Raises:
            Misconfigured: the port is in use, or the address is not this machine's.

        """
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, self._host, self._port).start()
        except OSError as error:
            await self._runner.cleanup()
            raise Misconfigured(self._complaint(error)) from error
        self._port = self._runner.addresses[0][1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._runner.cleanup()

    async def _whole(self, request: web.Request) -> web.Response:
        _, _, document = self._state()
        return _answer(200, document)

    async def _live(self, request: web.Request) -> web.Response:
        _, live, document = self._state()
        return _answer(200, {"live": True}) if live else _answer(503, document)

    async def _ready(self, request: web.Request) -> web.Response:
        ready, _, document = self._state()
        return _answer(200, {"ready": True}) if ready else _answer(503, document)

    def _complaint(self, error: OSError) -> str:
        why = {
            errno.EADDRINUSE: "the port is in use by another program: choose another",
            errno.EACCES: "this user may not listen on this port: choose one above 1023",
        }.get(error.errno or 0, "this machine has no such address")
        return f"health server on {self._host} port {self._port}: {why}"


def _answer(status: int, document: Mapping[str, object]) -> web.Response:
    text = json.dumps(document, indent=2, ensure_ascii=False, default=str) + "\n"
    return web.Response(status=status, text=text, content_type="application/json", headers=_HEADERS)
