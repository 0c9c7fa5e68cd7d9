"""What is posted to Application Insights, to the letter, and what importing the sink does not do."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import web
from fast_clock import FastClock
from sample_points import KEY, RECORD, SENDER, point

from logcount.errors import Misconfigured
from logcount.model.points import Item
from logcount.sinks import AppInsightsSink, Terms

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

PYTHON = f"py{sys.version_info.major}.{sys.version_info.minor}"


@pytest.fixture
async def posted() -> AsyncIterator[tuple[AppInsightsSink, list[tuple[web.Request, bytes]]]]:
    """A sink and the requests that it made, as they came over the wire."""
    requests: list[tuple[web.Request, bytes]] = []

    async def take(request: web.Request) -> web.Response:
        requests.append((request, await request.read()))
        return web.json_response({"itemsReceived": 1, "itemsAccepted": 1, "errors": []})

    app = web.Application()
    app.router.add_post("/{path:.*}", take)
    runner = web.AppRunner(app, auto_decompress=False)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    where = f"InstrumentationKey={KEY};IngestionEndpoint=http://127.0.0.1:{runner.addresses[0][1]}/;"
    sink = AppInsightsSink(where, sender=SENDER, clock=FastClock().clock)
    yield sink, requests
    await sink.close()
    await runner.cleanup()


async def test_a_point_is_one_envelope_with_one_metric(
    posted: tuple[AppInsightsSink, list[tuple[web.Request, bytes]]],
) -> None:
    sink, requests = posted

    await sink.send([Item(RECORD, 3, point(dimensions=(("API ID", "openai"), ("Model", "llama3"))))])

    ((request, body),) = requests
    assert request.path == "/v2.1/track"
    assert request.headers["Content-Encoding"] == "gzip"
    assert request.headers["Content-Type"] == "application/json"
    assert "Authorization" not in request.headers
    assert json.loads(gzip.decompress(body)) == [
        {
            "name": "Microsoft.ApplicationInsights.Metric",
            "time": "2026-11-22T10:03:00Z",
            "iKey": KEY,
            "tags": {
                "ai.cloud.role": "logcount",
                "ai.cloud.roleInstance": "logcount--abc-0",
                "ai.internal.sdkVersion": f"{PYTHON}:logcount0.1.0",
                "ai.operation.id": RECORD,
                "ai.operation.parentId": "3",
            },
            "data": {
                "baseType": "MetricData",
                "baseData": {
                    "ver": 2,
                    "metrics": [
                        {
                            "ns": "API Management",
                            "name": "Total Tokens",
                            "kind": "Aggregation",
                            "value": 4210,
                            "count": 37,
                            "min": 12,
                            "max": 901,
                        }
                    ],
                    "properties": {"API ID": "openai", "Model": "llama3", "_MS.AggregationIntervalMs": "60000"},
                },
            },
        }
    ]


async def test_what_is_told_has_no_place_in_the_ledger(
    posted: tuple[AppInsightsSink, list[tuple[web.Request, bytes]]],
) -> None:
    sink, requests = posted

    await sink.tell([point()])

    (envelope,) = json.loads(gzip.decompress(requests[0][1]))
    assert set(envelope["tags"]) == {"ai.cloud.role", "ai.cloud.roleInstance", "ai.internal.sdkVersion"}


ODD: list[tuple[dict[str, Any], str, Any]] = [
    ({"minute": datetime(2026, 11, 22, 11, 3, tzinfo=timezone(timedelta(hours=1)))}, "time", "2026-11-22T10:03:00Z"),
    ({"dimensions": (("Team", "half \ud83d of a pair"),)}, "Team", "half ? of a pair"),
    ({"dimensions": (("Team", 'größer "als" 😀\n\0'),)}, "Team", 'größer "als" 😀\n\0'),
    ({"sum": 2**70, "max": 2**70}, "value", 2**70),
]


@pytest.mark.parametrize(("changes", "key", "expected"), ODD)
async def test_odd_points_are_written_so_that_they_are_taken(
    posted: tuple[AppInsightsSink, list[tuple[web.Request, bytes]]], changes: dict[str, Any], key: str, expected: Any
) -> None:
    sink, requests = posted

    await sink.send([Item(RECORD, 0, point(**changes))])

    (envelope,) = json.loads(gzip.decompress(requests[0][1]).decode())
    base = envelope["data"]["baseData"]
    assert {**envelope, **base["properties"], **base["metrics"][0]}[key] == expected


WRONG = [
    {"rate": 0},
    {"answer_seconds": 0.0},
    {"connect_seconds": -1.0},
    {"oldest": timedelta(0)},
]


@pytest.mark.parametrize("given", WRONG)
def test_terms_that_cannot_serve_are_named(given: dict[str, Any]) -> None:
    with pytest.raises(Misconfigured):
        Terms(**given)


def test_importing_and_building_a_sink_makes_no_connection_no_thread_and_no_warning() -> None:
    probe = f"""
import sys, threading
sys.addaudithook(lambda event, args: sys.exit(event) if event.startswith(("socket.connect", "socket.getaddr")) else 0)
from logcount.sinks import AppInsightsSink, Sender
AppInsightsSink("InstrumentationKey={KEY}", sender=Sender("a", "b", "c"))
print(threading.active_count(), *(name for name in sys.modules if name.partition(".")[0] in
      {{"azure", "requests", "psutil", "google", "opentelemetry"}} or name.startswith("opencensus.stats")))
"""
    ran = subprocess.run([sys.executable, "-W", "error", "-c", probe], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["1"]
    assert ran.stderr == ""
