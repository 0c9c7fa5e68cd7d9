"""Steering a server that is a process of its own: what it offers over a second port, and the client for that."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.request import Request, urlopen

from aiohttp import web

from ingestion.faults import Fault, ItemRule
from ingestion.server import KEY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ingestion.server import IngestionServer

_SECONDS = 180.0


class Control:
    """Asks and tells a server, from any process, without a loop."""

    def __init__(self, port: int, control_port: int) -> None:
        self.port = port
        self._control = f"http://127.0.0.1:{control_port}"

    @property
    def url(self) -> str:
        """The server's address, for OTLP too."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def connection_string(self) -> str:
        """What leads a client to the server."""
        return f"InstrumentationKey={KEY};IngestionEndpoint={self.url}/"

    def fail(self, fault: Fault, times: int | None = 1) -> None:
        """Plan a fault for the next requests, or (times: None) for all after the planned ones."""
        self._ask("/faults", {"fault": asdict(fault), "times": times})

    def refuse(self, rule: ItemRule) -> None:
        """Refuse single items."""
        self._ask("/rules", asdict(rule))

    def recover(self) -> None:
        """Let it be well again: no fault, no rule."""
        self._ask("/recover", {})

    def forget(self) -> None:
        """Let it forget what it took and saw."""
        self._ask("/forget", {})

    def totals(self) -> dict[str, dict[str, float]]:
        """Return by metric: sum, count, items and repeats; a repeat is in none of the others."""
        totals: dict[str, dict[str, float]] = json.loads(self._ask("/totals"))
        return totals

    def accepted(self) -> list[dict[str, Any]]:
        """Return all that was taken in, in order, repeats included."""
        return [json.loads(line) for line in self._ask("/accepted").splitlines()]

    def requests(self) -> list[dict[str, Any]]:
        """Return the requests that came in: host, path, authorization, items."""
        return [json.loads(line) for line in self._ask("/requests").splitlines()]

    def _ask(self, path: str, document: Any = None) -> bytes:
        data = None if document is None else json.dumps(document).encode()
        with urlopen(Request(self._control + path, data=data), timeout=_SECONDS) as answer:
            body: bytes = answer.read()
        return body


@contextmanager
def running_ingestion(*, port: int = 0, control_port: int = 0) -> Iterator[Control]:
    """Run a server as a process for as long as the context lasts; port 0 is any that is free."""
    command = [sys.executable, "-m", "ingestion", "--port", str(port), "--control", str(control_port)]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        try:
            assert process.stdout is not None
            ready = process.stdout.readline().split()
            if len(ready) != 3:
                raise RuntimeError(f"the ingestion server did not start: {process.poll()}")
            yield Control(int(ready[1]), int(ready[2]))
        finally:
            process.kill()


def control_application(server: IngestionServer) -> web.Application:
    """Return what the second port offers."""

    async def fail(request: web.Request) -> web.Response:
        asked = await request.json()
        server.fail(Fault(**asked["fault"]), asked["times"])
        return web.Response()

    async def refuse(request: web.Request) -> web.Response:
        server.refuse(ItemRule(**await request.json()))
        return web.Response()

    async def recover(_: web.Request) -> web.Response:
        server.plan.clear()
        return web.Response()

    async def forget(_: web.Request) -> web.Response:
        server.taken.clear()
        server.seen.clear()
        return web.Response()

    async def totals(_: web.Request) -> web.Response:
        return web.json_response(server.taken.totals())

    async def accepted(_: web.Request) -> web.Response:
        return _lines([item.to_json() for item in server.accepted])

    async def requests(_: web.Request) -> web.Response:
        return _lines([asdict(seen) for seen in server.seen])

    app = web.Application()
    app.add_routes([web.post(f"/{each.__name__}", each) for each in (recover, forget)])
    app.add_routes([web.post("/faults", fail), web.post("/rules", refuse)])
    app.add_routes([web.get(f"/{each.__name__}", each) for each in (totals, accepted, requests)])
    return app


def _lines(documents: list[dict[str, Any]]) -> web.Response:
    return web.Response(text="".join(json.dumps(document) + "\n" for document in documents))
