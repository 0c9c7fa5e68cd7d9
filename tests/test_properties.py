"""Whatever an event holds: no exception, at least one result, all accounted for, and nothing of a body shown."""

from __future__ import annotations

import base64
import gzip
import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from tiny_tokenizer import build
from wire import event, sse

from logcount.aggregate import Summary
from logcount.counting import Counter
from logcount.envelopes import decode
from logcount.pipeline import Pipeline
from logcount.replay.replay import Replay
from logcount.reports.documents import line_of
from logcount.tokenizers import load_tokenizer

if TYPE_CHECKING:
    from logcount.model.counts import Outcome
    from logcount.model.events import LogEvent
    from logcount.ports import Tokenizer

CANARY = "CANARYcanary7319"
"""Stands in bodies only: wherever else it turns up, a body got out."""

thorough = settings(
    max_examples=150,
    derandomize=True,  # the same examples in every run: a suite that fails must fail again
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture, HealthCheck.data_too_large],
)

ENVELOPE_KEYS = (
    *("v", "requestId", "time", "status", "usage", "model", "url", "part", "parts", "dimensions", "responseEncoding"),
    *("requestBody", "responseBody", "RequestBody", "ResponseBody", "records", "category", "properties", "kind"),
    *("EventTime", "ServiceName", "event_type", "message-id", "response_body", "promptTokens", "totalTokens"),
    *("correlationId", "modelName", "requestMessages", "responseMessages", "payload", "chunkIndex", "Type"),
)
BODY_KEYS = (
    *("model", "messages", "role", "content", "tools", "tool_calls", "function", "name", "arguments", "stop", "echo"),
    *("choices", "message", "delta", "text", "finish_reason", "stop_reason", "index", "usage", "prompt_tokens"),
    *("completion_tokens", "total_tokens", "input_tokens", "output_tokens", "usageMetadata", "candidates", "parts"),
    *("type", "object", "output", "input", "prompt", "inputs", "done", "eval_count", "generated_text", "details"),
    *("token", "results", "outputText", "generation", "meta", "tokens", "billed_units", "embedding", "data", "error"),
    *("reasoning_content", "thinking", "functionCall", "contents", "contentBlockIndex", "toolUse", "start", "system"),
    *("chat_template_kwargs", "event_type", "response", "stopReason", "metrics", "x_groq", "partial_json", "audio"),
    *("cache_read_input_tokens", "prompt_tokens_details", "prefill", "image_url", "refusal", "instructions"),
)
WORDS = (
    *("response", "request", "GatewayLogs", "GatewayLlmLogs", "skip", "base64", "gzip+base64", "null", "user"),
    *("assistant", "system", "tool", "message", "message_start", "content_block_delta", "response.completed", "stop"),
    *("function", "text", "thinking", "tool_use", "chat.completion", "error", "length", "2026-11-22T10:03:17Z", "9"),
)

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 3000),
    st.sampled_from([10**30, 10**400, 1e308]),
    st.floats(),
    st.sampled_from(WORDS),
    st.text(max_size=8),
)


def _trees(keys: tuple[str, ...], leaves: int) -> st.SearchStrategy[Any]:
    return st.recursive(
        scalars,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(keys), inner, max_size=6),
        max_leaves=leaves,
    )


bodies = _trees(BODY_KEYS, 25)
sent = bodies | bodies.map(json.dumps) | st.lists(bodies, max_size=3).map(lambda chunks: sse(*chunks)) | st.text()
records = st.one_of(
    st.fixed_dictionaries({"requestBody": sent, "responseBody": sent}),
    st.fixed_dictionaries({"RequestBody": sent, "ResponseBody": sent}),
    st.fixed_dictionaries({"EventTime": scalars, "ServiceName": scalars, "response": sent}),
    st.fixed_dictionaries(
        {
            "category": st.sampled_from(["GatewayLogs", "GatewayLlmLogs"]),
            "correlationId": scalars,
            "properties": _trees(("requestBody", "responseBody", "modelName", "requestMessages", "totalTokens"), 8),
        }
    ),
    _trees(ENVELOPE_KEYS, 25),
)


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Tokenizer:
    return load_tokenizer(build(tmp_path_factory.mktemp("tiny")), name="tiny")


async def _replayed(tokenizer: Tokenizer, *batch: LogEvent) -> tuple[Summary, list[Outcome]]:
    """Replay events twice over, the second time as duplicates, and check that all is accounted for."""
    summary, outcomes = Summary(("Model", "Counted By")), []
    pipeline = Pipeline(Counter(lambda _: tokenizer))
    replay = Replay(pipeline, summary, lambda _, outcome: outcomes.append(outcome))
    await replay.handle(batch)
    read = sum(len(decode(item)) for item in batch)
    assert read >= len(batch)
    assert summary.read == read
    assert summary.duplicates == sum(len(decode(item)) for item in batch if item.duplicate)
    assert len(outcomes) == read - summary.duplicates - summary.rejected.total()
    return summary, outcomes


@thorough
@given(data=st.binary(max_size=300))
@example(data=b"\x1f\x8b\x08\x00")
@example(data=b"\xff\xfe{\x00")
async def test_any_bytes_are_accounted_for(tokenizer: Tokenizer, data: bytes) -> None:
    await _replayed(tokenizer, event(data), event(data, 2, duplicate=True))


@thorough
@given(record=records)
@example(record={"requestBody": {"messages": [{"role": [], "content": 5, "tool_calls": 5}]}, "responseBody": {}})
@example(
    record={"requestBody": "", "responseBody": {"type": {}, "content": [], "choices": [{"delta": {"content": 7}}]}}
)
async def test_any_json_is_accounted_for(tokenizer: Tokenizer, record: Any) -> None:
    _, outcomes = await _replayed(tokenizer, event(record), event([record, record], 2))
    for outcome in outcomes:
        counted = outcome.count
        numbers = (counted.prompt, counted.completion, counted.total) if counted else ()
        assert all(number is None or number >= 0 for number in numbers)
        assert counted is None or counted.counted_by == "tokenizer" or any(numbers)
        assert outcome.reason or (counted is not None and counted.counted_by != "partial")


@thorough
@given(record=records, keep=st.floats(0, 1))
async def test_any_cut_of_an_event_is_accounted_for(tokenizer: Tokenizer, record: Any, keep: float) -> None:
    data = json.dumps(record, ensure_ascii=False).encode("utf-8", "surrogatepass")
    await _replayed(tokenizer, event(data[: int(len(data) * keep)]))


def _with_canary(value: Any) -> Any:
    """Return the same tree with a canary in every string, but for the names of things."""
    if isinstance(value, dict):
        return {key: item if key in {"type", "object", "role"} else _with_canary(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_with_canary(item) for item in value]
    return value + CANARY if isinstance(value, str) else value


def _wrapped(asked: Any, said: Any) -> list[Any]:
    """Return the bodies in every envelope that takes bodies."""
    texts = (json.dumps(asked), json.dumps(said))
    packed = base64.b64encode(gzip.compress(texts[1].encode())).decode()
    return [
        {"v": 1, "requestBody": asked, "responseBody": said},
        {"v": 1, "requestBody": texts[0], "responseBody": packed, "responseEncoding": "gzip+base64"},
        {"RequestBody": texts[0], "ResponseBody": sse(said, said)},
        {"EventTime": "", "ServiceName": "", "request": texts[0], "response": texts[1]},
        {"category": "GatewayLogs", "properties": {"requestBody": texts[0], "responseBody": texts[1]}},
        {"category": "GatewayLlmLogs", "properties": {"requestMessages": asked, "responseMessages": said}},
        {"event_type": "response", "message-id": "a", "request_body": texts[0], "response_body": texts[1]},
        {"kind": "response-body", "payload": texts[1]},
        {CANARY: texts},
        [CANARY],
    ]


messages = st.fixed_dictionaries({"messages": st.lists(bodies, min_size=1, max_size=3)})


@thorough
@given(asked=bodies | messages, said=bodies, keep=st.sampled_from([1.0, 0.9, 0.5]))
async def test_nothing_of_a_body_gets_out(tokenizer: Tokenizer, asked: Any, said: Any, keep: float) -> None:
    batch = []
    for record in _wrapped(_with_canary(asked), _with_canary(said)):
        data = json.dumps(record).encode()
        batch.append(event(data[: int(len(data) * keep)]))
    summary, outcomes = await _replayed(tokenizer, *batch)
    reasons = (summary.uncounted, summary.skipped, summary.rejected, summary.flags)
    assert CANARY not in repr([list(counter) for counter in reasons])
    for item, outcome in zip(batch, outcomes, strict=False):
        shown = json.loads(line_of(item, outcome, tuple(outcome.dimensions)))
        del shown["model"]  # the one thing that bodies name
        shown["dimensions"].pop("Model", None)
        assert CANARY not in repr(shown)
