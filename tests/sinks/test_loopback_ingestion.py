"""The loopback server itself: what it takes, what it refuses and how, and that it can be a process of its own."""

from __future__ import annotations

import asyncio
import gzip
import json
import urllib.error
import urllib.request
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fast_clock import NOW
from ingestion import Control, Fault, IngestionServer, ItemRule, running_ingestion
from sample_points import KEY, RECORD, SENDER, items

from logcount.sinks import AppInsightsSink, Clock, OtlpSink


def envelope(**changes: Any) -> dict[str, Any]:
    metric = {"name": "Total Tokens", "ns": "n", "value": 5, "count": 1, "min": 5, "max": 5}
    base = {"ver": 2, "metrics": [metric], "properties": {"_MS.AggregationIntervalMs": "60000"}}
    given = {
        "name": "Microsoft.ApplicationInsights.Metric",
        "time": "2026-11-22T10:03:00Z",
        "iKey": KEY,
        "tags": {"ai.operation.id": RECORD, "ai.operation.parentId": "0"},
        "data": {"baseType": "MetricData", "baseData": base},
    }
    return {**given, **changes}


def properties(**changed: Any) -> dict[str, Any]:
    changed_envelope = envelope()
    changed_envelope["data"]["baseData"]["properties"].update(changed)
    return changed_envelope


def at(**offset: int) -> str:
    return f"{NOW + timedelta(**offset):%Y-%m-%dT%H:%M:%S.0000000Z}"


def post(url: str, body: bytes, **headers: str) -> tuple[int, Any]:
    named = {"Content-Type": "application/json", **{name.replace("_", "-"): value for name, value in headers.items()}}
    request = urllib.request.Request(f"{url}/v2.1/track", data=body, headers=named)
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        with error:
            text = error.read().decode()
            return error.code, json.loads(text) if text.startswith("{") else text


async def ask(server: IngestionServer, *envelopes: Any) -> tuple[int, Any]:
    return await asyncio.to_thread(post, server.url, json.dumps(envelopes).encode())


REFUSED = [
    (envelope(time=at(hours=-49)), "103: "),
    (envelope(time=at(hours=3)), "104: "),
    (envelope(time="yesterday"), "102: "),
    (envelope(time=None), "102: "),
    (envelope(iKey="other"), "Invalid instrumentation key"),
    (envelope(name=""), "109: "),
    (envelope(data={}), "109: "),
    (envelope(data={"baseType": "MetricData", "baseData": {"ver": 2, "metrics": []}}), "109: "),
    (properties(**{"k" * 151: "v"}), "105: "),
    (properties(k="v" * 8193), "105: "),
    (properties(k=5), "105: "),
    (envelope(extra="x" * 70_000), "108: "),
    ("no object", "109: "),
]


@pytest.mark.parametrize(("wrong", "message"), REFUSED)
async def test_each_wrong_item_is_refused_by_itself(wrong: Any, message: str) -> None:
    async with IngestionServer(keys={KEY}, now=lambda: NOW) as server:
        status, answer = await ask(server, envelope(), wrong)
        alone, _ = await ask(server, wrong, envelope(), wrong)
        nothing, none = await ask(server, wrong)

    assert (status, alone, nothing) == (206, 206, 400)
    assert (answer["itemsReceived"], answer["itemsAccepted"], none["itemsAccepted"]) == (2, 1, 0)
    (error,) = answer["errors"]
    assert (error["index"], error["statusCode"]) == (1, 400)
    assert error["message"].startswith(message)


@pytest.mark.parametrize("time", [at(hours=-48), at(hours=2), at()])
async def test_the_window_of_time_reaches_two_days_back_and_two_hours_on(time: str) -> None:
    async with IngestionServer(now=lambda: NOW) as server:
        assert (await ask(server, envelope(time=time)))[0] == 200


BODIES = [
    (b"{", {}, 400),
    (b"[]", {"Content_Encoding": "gzip"}, 400),
    (b"[]", {"Content_Encoding": "br"}, 415),
    (b"[]", {"Content_Type": "text/plain"}, 415),
    (gzip.compress(b"[]", mtime=0), {"Content_Encoding": "gzip"}, 200),
    (b"[" + b"0," * 64_000 + b"0]", {}, 413),
    (json.dumps(envelope()).encode(), {"Content_Type": "application/x-json-stream"}, 200),
]


@pytest.mark.parametrize(("body", "headers", "status"), BODIES)
async def test_requests_are_read_as_the_service_reads_them(body: bytes, headers: dict[str, str], status: int) -> None:
    async with IngestionServer(now=lambda: NOW) as server:
        assert (await asyncio.to_thread(post, server.url, body, **headers))[0] == status


def test_a_process_of_its_own_is_steered_and_asked_from_outside() -> None:
    with running_ingestion() as control:
        control.fail(Fault(429, headers={"Retry-After": "0"}), times=2)
        control.refuse(ItemRule(500, metric="Total Tokens", number=1, times=1))
        asyncio.run(_send(control))

        assert control.totals()["Total Tokens"] == {"sum": 3 * 4210, "count": 3 * 37, "items": 3, "repeats": 0}
        assert control.totals()["Prompt Tokens"]["items"] == 1
        assert [item["number"] for item in control.accepted()][:3] == [0, 2, 1]
        assert [seen["items"] for seen in control.requests()] == [3, 3, 3, 1, 2]
        control.fail(Fault(503), times=None)
        assert _status(control) == 503
        control.recover()
        assert _status(control) == 200
        control.forget()
        assert (control.totals(), control.accepted(), control.requests()) == ({}, [], [])


async def _send(control: Control) -> None:
    minute = datetime.now(UTC).replace(second=0, microsecond=0)
    clock = Clock(sleep=lambda seconds: asyncio.sleep(0))
    sink = AppInsightsSink(control.connection_string, sender=SENDER, clock=clock)
    assert await sink.send(items(3, minute=minute)) == []
    await sink.close()
    otlp = OtlpSink(control.url, sender=SENDER, clock=clock)
    assert await otlp.send(items(1, metric="Prompt Tokens")) == []
    await otlp.close()


def _status(control: Control) -> int:
    return post(control.url, b"[]")[0]
