"""The health server: three answers over HTTP, each made when it is asked for."""

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
    """Gives whether all is ready, whether it is live, and the document that says the rest; holds no secret."""

_HEADERS = {"Cache-Control": "no-store", "Server": "logcount"}  # the server's own would tell its versions
_SHUTDOWN_SECONDS = 0.5
"""Every answer is made in an instant, so that who is still connected then is idle."""


class HealthServer:
    """Answers probes and people for as long as it is entered.

    - `GET /health/live`: 200, and 503 where the state says that a part is hung: then a restart helps. That the loop
      turns is told by there being an answer.
    - `GET /health/ready`: 200 or 503.
    - `GET /health`: the whole document, always 200.

    All are JSON. A 503 carries the whole document, which says why. There is no sign-in: let the port be reached by
    probes only. A state that raises is answered by 500.
    """

    def __init__(self, state: State, *, host: str, port: int) -> None:
        """Tell the state at this address; with port 0 the system chooses one."""
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
        """The port that it listens on, once entered."""
        return self._port

    async def __aenter__(self) -> Self:
        """Begin to listen.

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
