"""The server: requests come in, are checked, taken or refused, and answered, unless a fault is planned."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self

from aiohttp import web

from ingestion import otlp
from ingestion.faults import Fault, ItemRule, Plan
from ingestion.taken import Taken, TakenItems
from ingestion.validation import BadItem, BadRequest, read_item, read_request

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

KEY = "00000000-0000-0000-0000-000000000001"
_CLIENT_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Seen:
    """A request that came in, whatever became of it."""

    host: str
    path: str
    authorization: str | None
    items: int | None
    """How many it held; None where it was not read."""


class IngestionServer:
    """Listens on this machine, at `/v2.1/track` and at `/v1/metrics`.

    `keys` are the instrumentation keys that it knows (None: any); `tokens` those that it accepts (None: it asks for
    none), `roleless` those that it knows and turns away. `now` is its clock for the window of time.
    """

    def __init__(
        self,
        *,
        keys: Collection[str] | None = None,
        tokens: Collection[str] | None = None,
        roleless: Collection[str] = (),
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        address: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        self.keys = frozenset(keys) if keys is not None else None
        self.tokens = frozenset(tokens) if tokens is not None else None
        self.roleless = frozenset(roleless)
        self.plan = Plan()
        self.taken = TakenItems()
        self.seen: list[Seen] = []
        self._now = now
        self._address, self._port = address, port
        self._runner: web.AppRunner | None = None
        self._closing = asyncio.Event()

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=_CLIENT_BYTES)
        app.router.add_post("/v2.1/track", self._track)
        app.router.add_post("/v1/metrics", self._metrics)
        # The body is unpacked here, to see that it was packed.
        self._runner = web.AppRunner(app, auto_decompress=False, shutdown_timeout=1.0)
        await self._runner.setup()
        await web.TCPSite(self._runner, self._address, self._port).start()
        self._port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._closing.set()
        if self._runner is not None:
            await self._runner.cleanup()

    @property
    def port(self) -> int:
        """Where it listens."""
        return self._port

    @property
    def url(self) -> str:
        """Its address, for OTLP too."""
        return f"http://{self._address}:{self._port}"

    @property
    def connection_string(self) -> str:
        """What leads a client here."""
        return f"InstrumentationKey={KEY};IngestionEndpoint={self.url}/"

    @property
    def accepted(self) -> list[Taken]:
        """What it took in, in order, repeats included."""
        return self.taken.items

    def authorizations(self) -> dict[str, list[str | None]]:
        """Return by host name what its requests showed as authorization."""
        shown: dict[str, list[str | None]] = {}
        for seen in self.seen:
            shown.setdefault(seen.host, []).append(seen.authorization)
        return shown

    def fail(self, fault: Fault, times: int | None = 1) -> None:
        """Plan a fault for the next requests, or (times: None) for all after the planned ones."""
        self.plan.add(fault, times)

    def refuse(self, rule: ItemRule) -> None:
        """Refuse single items."""
        self.plan.rules.append(rule)

    async def _track(self, request: web.Request) -> web.StreamResponse:
        return await self._serve(request, read_request, self._take)

    async def _metrics(self, request: web.Request) -> web.StreamResponse:
        return await self._serve(request, otlp.read_metrics, self._take_points)

    async def _serve(
        self,
        request: web.Request,
        read: Callable[[bytes, str, str], list[Any]],
        take: Callable[[list[Any]], web.Response],
    ) -> web.Response:
        body = await request.read()
        fault = self.plan.take()
        try:
            items = read(body, request.content_type, request.headers.get("Content-Encoding", ""))
        except BadRequest as error:
            self._note(request, None)
            return web.Response(status=error.status, text=str(error))
        self._note(request, len(items))
        if fault is None or fault.is_slowness_alone:
            await asyncio.sleep(fault.wait if fault else 0)
            return self._refusal(request) or take(items)
        if fault.accepts:
            take(items)
        return await self._misbehave(request, fault)

    def _note(self, request: web.Request, items: int | None) -> None:
        host = request.host.partition(":")[0]
        self.seen.append(Seen(host, request.path, request.headers.get("Authorization"), items))

    def _refusal(self, request: web.Request) -> web.Response | None:
        """Return what a request without a good token is answered."""
        if self.tokens is None:
            return None
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if token in self.tokens:
            return None
        return web.Response(status=403 if token in self.roleless else 401)

    def _take(self, envelopes: list[Any]) -> web.Response:
        taken: list[Taken] = []
        errors: list[dict[str, Any]] = []
        for index, envelope in enumerate(envelopes):
            try:
                item = read_item(envelope, self.keys, self._now())
            except BadItem as error:
                errors.append({"index": index, "statusCode": error.status, "message": str(error)})
                continue
            refusal = self.plan.refusal(item)
            if refusal is None:
                taken.append(item)
            else:
                errors.append({"index": index, **refusal})
        self.taken.put(taken)
        status: int = 200 if not errors else 206 if taken else errors[0]["statusCode"]
        document = {"itemsReceived": len(envelopes), "itemsAccepted": len(taken), "errors": errors, "appId": "loopback"}
        return web.Response(status=status, text=json.dumps(document), content_type="application/json")

    def _take_points(self, points: list[Taken]) -> web.Response:
        taken = [point for point in points if self.plan.refusal(point) is None]
        self.taken.put(taken)
        return web.Response(body=otlp.response(len(points) - len(taken)), content_type=otlp.CONTENT_TYPE)

    async def _misbehave(self, request: web.Request, fault: Fault) -> web.Response:
        await asyncio.sleep(fault.wait)
        if fault.hangs:
            await self._closing.wait()
        if (fault.hangs or fault.drops) and request.transport is not None:
            request.transport.abort()
        return web.Response(status=fault.status or 500, headers=fault.headers, text=fault.body)
