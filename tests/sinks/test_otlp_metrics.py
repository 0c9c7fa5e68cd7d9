"""OTLP: what a point becomes, by our names and by the convention for generative AI, and what answers mean."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from fast_clock import FastClock
from ingestion import Fault, IngestionServer, ItemRule
from sample_points import RECORD, SENDER, items, point

from logcount.errors import Misconfigured
from logcount.model.points import (
    COMPLETION,
    EVENTS_BEHIND,
    FOLDED,
    PROMPT,
    REASONING,
    REJECTED,
    SECONDS_BEHIND,
    TOTAL,
    UNCOUNTED,
    Item,
)
from logcount.sinks import OtlpSink, Terms

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

START = "1795341780000000000"
"""2026-11-22T10:03:00Z in nanoseconds."""
DIMENSIONS = (("API ID", "openai"), ("Model", "llama3"))
GEN_AI = "gen_ai.client.token.usage"


@pytest.fixture
def clock() -> FastClock:
    return FastClock()


@pytest.fixture
async def server() -> AsyncIterator[IngestionServer]:
    async with IngestionServer() as running:
        yield running


@pytest.fixture
async def sink(server: IngestionServer, clock: FastClock) -> AsyncIterator[OtlpSink]:
    made = OtlpSink(server.url, sender=SENDER, terms=Terms(rate=10_000), clock=clock.clock)
    yield made
    await made.close()


async def test_a_point_is_a_histograms_data_point_of_its_minute(server: IngestionServer, sink: OtlpSink) -> None:
    assert await sink.send([Item(RECORD, 3, point(dimensions=DIMENSIONS))]) == []

    (taken,) = server.accepted
    assert (taken.metric, taken.namespace, taken.time) == (TOTAL, "API Management", START)
    assert (taken.sum, taken.count, taken.min, taken.max) == (4210, 37, 12, 901)
    assert (taken.record, taken.number) == (RECORD, 3)
    assert taken.dimensions == dict(DIMENSIONS)
    assert taken.tags == {
        "service.name": "logcount",
        "service.instance.id": "logcount--abc-0",
        "service.version": "0.1.0",
        "unit": "{token}",
    }


@pytest.mark.parametrize(("metric", "kind"), [(PROMPT, "input"), (COMPLETION, "output")])
async def test_prompt_and_completion_tokens_are_also_told_by_the_convention(
    server: IngestionServer, sink: OtlpSink, metric: str, kind: str
) -> None:
    assert await sink.send([Item(RECORD, 0, point(metric=metric, dimensions=DIMENSIONS))]) == []

    ours, conventional = server.accepted
    assert (ours.metric, conventional.metric) == (metric, GEN_AI)
    assert conventional.dimensions == {
        **dict(DIMENSIONS),
        "gen_ai.token.type": kind,
        "gen_ai.response.model": "llama3",
    }
    assert conventional.tags["unit"] == "{token}"
    assert (ours.sum, ours.count, ours.record) == (conventional.sum, conventional.count, conventional.record)


async def test_only_the_first_metric_set_is_told_by_the_convention(server: IngestionServer, sink: OtlpSink) -> None:
    given = [point(metric=PROMPT), point(metric=PROMPT, set=1), point(metric=TOTAL), point(metric=REASONING)]

    await sink.send([Item(RECORD, number, each) for number, each in enumerate(given)])

    assert [item.number for item in server.accepted if item.metric == GEN_AI] == [0]


async def test_a_model_that_is_unknown_is_no_attribute(server: IngestionServer, sink: OtlpSink) -> None:
    await sink.send([Item(RECORD, 0, point(metric=PROMPT, dimensions=()))])

    assert server.accepted[1].dimensions == {"gen_ai.token.type": "input"}


UNITS = [
    *((metric, "{token}") for metric in (TOTAL, PROMPT, COMPLETION, REASONING)),
    *((UNCOUNTED, "{exchange}"), (FOLDED, "{exchange}"), (REJECTED, "{event}")),
    *((EVENTS_BEHIND, "{event}"), (SECONDS_BEHIND, "s")),
]


@pytest.mark.parametrize(("metric", "unit"), UNITS)
async def test_every_metric_has_its_unit(server: IngestionServer, sink: OtlpSink, metric: str, unit: str) -> None:
    await sink.tell([point(metric=metric)])

    assert server.accepted[0].tags["unit"] == unit
    assert server.accepted[0].record is None


async def test_odd_text_is_written_so_that_it_is_taken(server: IngestionServer, sink: OtlpSink) -> None:
    odd = point(dimensions=(("Team", "half \ud83d of a pair 😀\0"),), metric="half \ud83d")

    assert await sink.send([Item(RECORD, 0, odd)]) == []

    assert server.accepted[0].dimensions == {"Team": "half ? of a pair 😀\0"}


async def test_many_points_are_sent_in_bounded_requests(server: IngestionServer, sink: OtlpSink) -> None:
    wide = tuple((f"{'é' * 140}{number}", "ü" * 256) for number in range(10))

    assert await sink.send([*items(1_100), *items(300, record="f" * 64, dimensions=wide)]) == []

    sizes = [seen.items or 0 for seen in server.seen]
    assert sizes[:2] == [500, 500]
    assert sum(sizes) == 1_400
    assert len(sizes) >= 5


async def test_points_of_several_namespaces_keep_their_own(server: IngestionServer, sink: OtlpSink) -> None:
    given = [point(namespace="a"), point(namespace="b"), point(namespace="a", metric=REASONING)]

    await sink.send([Item(RECORD, number, each) for number, each in enumerate(given)])

    assert {(item.number, item.namespace) for item in server.accepted} == {(0, "a"), (1, "b"), (2, "a")}


@pytest.mark.parametrize("status", [401, 403, 404, 408, 429, 500, 502, 503, 504])
async def test_what_may_pass_or_be_mended_is_sent_again(
    server: IngestionServer, sink: OtlpSink, clock: FastClock, status: int
) -> None:
    server.fail(Fault(status, headers={"Retry-After": "30"}), times=2)

    assert await sink.send(items(4)) == []

    assert [item.number for item in server.accepted] == [0, 1, 2, 3]
    assert len(clock.slept) == 2
    assert min(clock.slept) >= 30
    assert sink.trouble is None


async def test_a_bad_request_is_halved_until_what_is_bad_stands_alone(
    server: IngestionServer, sink: OtlpSink, clock: FastClock
) -> None:
    server.fail(Fault(400), times=3)

    marks = await sink.send(items(4))

    assert [(mark.item.number, mark.answer) for mark in marks] == [(0, "400: not valid")]
    assert sorted(item.number or 0 for item in server.accepted) == [1, 2, 3]
    assert clock.slept == []


async def test_where_some_are_rejected_and_which_is_not_said_all_are_marked(
    server: IngestionServer, sink: OtlpSink
) -> None:
    server.refuse(ItemRule(400, number=1))

    marks = await sink.send(items(3))

    assert {mark.item.number for mark in marks} == {0, 1, 2}
    assert {mark.why for mark in marks} == {"refused"}
    assert marks[0].answer == "200: 1 data points of 3 points were rejected, and which is not said"
    assert len(server.seen) == 1


ANSWERS = [
    # content type, body, whether it accepts
    ("application/x-protobuf", "", True),
    ("application/json", "{}", True),
    ("application/json; charset=utf-8", '{"partialSuccess":{"rejectedDataPoints":"0"}}', True),
    ("text/html", "<html>a portal</html>", False),
    ("application/json", "[]", False),
    ("application/json", "{", False),
    ("application/json", '{"partialSuccess":{"rejectedDataPoints":"x"}}', False),
]


@pytest.mark.parametrize(("content_type", "body", "accepts"), ANSWERS)
async def test_a_200_counts_only_where_it_is_the_protocols(
    server: IngestionServer, sink: OtlpSink, clock: FastClock, content_type: str, body: str, accepts: bool
) -> None:
    server.fail(Fault(200, headers={"Content-Type": content_type}, body=body))

    assert await sink.send(items(1)) == []

    assert len(server.seen) == (1 if accepts else 2)
    assert len(clock.slept) == (0 if accepts else 1)


async def test_a_vendors_key_and_a_token_are_sent_and_nothing_of_the_protocol_can_be_overruled(
    server: IngestionServer, clock: FastClock
) -> None:
    async def token() -> str:
        return "t"

    headers = {"api-key": "k", "content-encoding": "identity", "Content-Type": "text/plain"}
    sink = OtlpSink(f"{server.url}/v1/metrics", sender=SENDER, headers=headers, token=token, clock=clock.clock)

    assert await sink.send(items(1)) == []
    await sink.close()

    assert server.authorizations() == {"127.0.0.1": ["Bearer t"]}
    assert len(server.accepted) == 1


@pytest.mark.parametrize("endpoint", ["", "collector:4318", "ftp://x", "https://u:p@x", "https://x?key=SECRET"])
def test_a_wrong_endpoint_is_named_without_showing_it(endpoint: str) -> None:
    with pytest.raises(Misconfigured, match="the OTLP endpoint") as raised:
        OtlpSink(endpoint, sender=SENDER)

    assert not endpoint or endpoint not in str(raised.value)


def test_without_the_extra_it_says_what_to_install() -> None:
    probe = """
import sys
sys.modules["opentelemetry"] = None
from logcount.errors import Misconfigured
from logcount.sinks import OtlpSink, Sender
try:
    OtlpSink("https://collector:4318", sender=Sender("a", "b", "c"))
except Misconfigured as error:
    print(error)
"""
    ran = subprocess.run([sys.executable, "-W", "error", "-c", probe], capture_output=True, text=True, check=True)
    assert ran.stdout.strip().endswith("pip install logcount[otlp]")


def test_importing_the_sinks_does_not_import_the_messages() -> None:
    probe: Any = "import sys, logcount.sinks; print('google' in sys.modules or 'opentelemetry' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "False"
