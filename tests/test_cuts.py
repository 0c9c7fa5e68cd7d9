"""Wherever an event or a body breaks off, what is left is read, and no cut number is ever believed."""

from __future__ import annotations

import base64
import gzip
import json
from typing import TYPE_CHECKING, Any

import pytest
from wire import event, frame, invoke_frame, ndjson, sse

from logcount import count_exchange
from logcount.counting import Counter
from logcount.envelopes import decode
from logcount.model.exchanges import Exchange

if TYPE_CHECKING:
    from logcount.model.counts import Outcome

ASKED = {"model": "m", "messages": [{"role": "user", "content": 'Grüße, "Welt" \U0001f600'}]}
USAGE = {
    "prompt_tokens": 1825,
    "completion_tokens": 127,
    "total_tokens": 1952,
    "prompt_tokens_details": {"cached_tokens": 1024},
    "completion_tokens_details": {"reasoning_tokens": 64},
}
CHAT = {
    "id": "c1",
    "model": "m",
    "choices": [
        {"index": 0, "message": {"role": "assistant", "content": "Ja \\ \U0001f600 ok"}, "finish_reason": "stop"}
    ],
    "usage": USAGE,
}
CHUNK = {"id": "c1", "model": "m", "choices": [{"index": 0, "delta": {"content": "Ja"}, "finish_reason": None}]}
LAST = {"id": "c1", "model": "m", "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
CLAUDE = {
    "type": "message",
    "role": "assistant",
    "content": [{"type": "text", "text": "Ja"}],
    "stop_reason": "end_turn",
}
CLAUDE_USAGE = {
    "input_tokens": 25,
    "output_tokens": 127,
    "cache_creation_input_tokens": 100,
    "cache_read_input_tokens": 1700,
}
GEMINI = {
    "candidates": [{"content": {"parts": [{"text": "Ja"}]}, "finishReason": "STOP"}],
    "usageMetadata": {
        "promptTokenCount": 1825,
        "candidatesTokenCount": 27,
        "totalTokenCount": 1952,
        "thoughtsTokenCount": 100,
    },
}
CONVERSE = {
    "output": {"message": {"content": [{"text": "Ja"}]}},
    "stopReason": "end_turn",
    "usage": {"inputTokens": 25, "outputTokens": 127, "totalTokens": 1952, "cacheReadInputTokens": 1800},
}
COHERE = {
    "id": "c1",
    "message": {"content": [{"type": "text", "text": "Ja"}]},
    "usage": {
        "billed_units": {"input_tokens": 5, "output_tokens": 7},
        "tokens": {"input_tokens": 1825, "output_tokens": 127},
    },
}
TITAN = {
    "inputTextTokenCount": 1825,
    "results": [{"tokenCount": 100, "outputText": "Ja"}, {"tokenCount": 27, "outputText": "Ja"}],
}
TGI = {"generated_text": "Ja", "details": {"generated_tokens": 127, "prefill": [{"id": 1}] * 25}}
OLLAMA = {"model": "m", "message": {"content": "Ja"}, "done": True, "prompt_eval_count": 1825, "eval_count": 127}
EMBEDDED = {"data": [{"embedding": [0.25, -1.5]}], "usage": {"prompt_tokens": 1825, "total_tokens": 1825}}
METRICS = {"amazon-bedrock-invocationMetrics": {"inputTokenCount": 1825, "outputTokenCount": 127}}

BODIES: list[Any] = [
    pytest.param(json.dumps(CHAT), id="chat"),
    pytest.param(json.dumps(CHAT, ensure_ascii=False, indent=1), id="chat, pretty"),
    pytest.param(sse(CHUNK, LAST, {"id": "c1", "choices": [], "usage": USAGE}), id="stream"),
    pytest.param(sse(CHUNK, LAST, {"id": "c1", "choices": [], "usage": USAGE}, end="\r\n"), id="stream with crlf"),
    pytest.param(sse(CHUNK, LAST | {"x_groq": {"usage": USAGE}}), id="groq"),
    pytest.param(json.dumps(CLAUDE | {"usage": CLAUDE_USAGE}), id="anthropic"),
    pytest.param(
        json.dumps(
            {
                "object": "response",
                "status": "completed",
                "output": [],
                "usage": {"input_tokens": 1825, "output_tokens": 127, "total_tokens": 1952},
            }
        ),
        id="responses",
    ),
    pytest.param(json.dumps(GEMINI), id="gemini"),
    pytest.param(json.dumps([GEMINI]), id="gemini stream"),
    pytest.param(json.dumps(CONVERSE), id="converse"),
    pytest.param(json.dumps(COHERE), id="cohere"),
    pytest.param(json.dumps(TITAN), id="titan"),
    pytest.param(json.dumps(TGI), id="tgi"),
    pytest.param(json.dumps(OLLAMA), id="ollama"),
    pytest.param(ndjson({"message": {"content": "Ja"}, "done": False}, OLLAMA), id="ollama stream"),
    pytest.param(json.dumps(EMBEDDED), id="embeddings"),
    pytest.param(json.dumps(json.dumps(CHAT)), id="a string once more than was needed"),
    pytest.param(b"".join(map(invoke_frame, [{"generation": "Ja"}, {"generation": ""} | METRICS])), id="invoke stream"),
    pytest.param(frame({"contentBlockIndex": 0, "delta": {"text": "Ja"}}) + frame(CONVERSE), id="converse stream"),
    pytest.param(gzip.compress(json.dumps(CHAT).encode(), mtime=0), id="gzip"),
]


def _numbers(outcome: Outcome) -> tuple[int | None, ...]:
    assert outcome.count is not None
    return outcome.count.prompt, outcome.count.completion, outcome.count.total


@pytest.mark.parametrize("body", BODIES)
def test_a_body_that_breaks_off_reports_its_usage_whole_or_not_at_all(body: Any) -> None:
    whole = count_exchange(ASKED, body)
    assert whole.count is not None
    assert whole.count.counted_by == "usage"
    for end in range(len(body)):
        left = count_exchange(ASKED, body[:end])
        if left.count is not None and left.count.counted_by == "usage":
            assert _numbers(left) == _numbers(whole), end


def _native(**more: Any) -> dict[str, Any]:
    return {
        "v": 1,
        "requestId": "request-1",
        "time": "2026-11-22T10:03:17Z",
        "clientIp": "203.0.113.7",
        "status": 200,
    } | more


GATEWAY = {"category": "GatewayLogs", "correlationId": "request-1", "time": "2026-11-22T10:03:17Z"}
EVENTS: list[Any] = [
    pytest.param(_native(responseBody=json.dumps(CHAT), requestBody=json.dumps(ASKED)), id="native"),
    pytest.param(_native(usage=USAGE, responseBody=None, requestBody=json.dumps(ASKED)), id="native with usage"),
    pytest.param(_native(responseBody=CHAT, requestBody=ASKED), id="native with embedded bodies"),
    pytest.param(_native(requestBody=ASKED, responseBody=CHAT), id="native with the request first"),
    pytest.param(_native(responseBody=CLAUDE | {"usage": CLAUDE_USAGE}), id="native with an embedded anthropic body"),
    pytest.param(
        _native(responseEncoding="base64", responseBody=base64.b64encode(json.dumps(CHAT).encode()).decode()),
        id="native in base64",
    ),
    pytest.param(
        _native(
            responseEncoding="gzip+base64",
            responseBody=base64.b64encode(gzip.compress(json.dumps(CHAT).encode(), mtime=0)).decode(),
        ),
        id="native in gzip",
    ),
    pytest.param({"RequestBody": json.dumps(ASKED), "ResponseBody": sse(CHUNK, LAST | {"usage": USAGE})}, id="seed"),
    pytest.param(
        {
            "records": [
                {
                    "EventTime": "1/2/2026 3:04:05 AM",
                    "ServiceName": "s",
                    "RequestId": "request-1",
                    "RequestIp": "203.0.113.7",
                    "response": json.dumps(CHAT),
                }
            ]
            * 2
        },
        id="how-to",
    ),
    pytest.param(
        {"records": [GATEWAY | {"properties": {"requestBody": json.dumps(ASKED), "responseBody": json.dumps(CHAT)}}]},
        id="gateway log",
    ),
    pytest.param(
        {
            "category": "GatewayLlmLogs",
            "correlationId": "request-1",
            "properties": {"modelName": "m", "promptTokens": 1825, "completionTokens": 127, "totalTokens": 1952},
        },
        id="llm log",
    ),
    pytest.param(
        {"id": "request-1", "model": "m", "promptTokens": "1825", "responseTokens": 127, "totalTokens": 1952},
        id="counts alone",
    ),
]


def _outcomes(data: bytes) -> list[Outcome]:
    counter = Counter(lambda _: None)
    return [counter.count(found) for found in decode(event(data)) if isinstance(found, Exchange)]


@pytest.mark.parametrize("escaped", [True, False])
@pytest.mark.parametrize("document", EVENTS)
def test_an_event_that_breaks_off_reports_its_usage_whole_or_not_at_all(document: Any, escaped: bool) -> None:
    data = json.dumps(document, ensure_ascii=escaped).encode()
    first = _outcomes(data)[0]
    assert _numbers(first) == (1825, 127, 1952)
    for end in range(len(data)):
        for left in _outcomes(data[:end]):
            if left.count is not None and left.count.counted_by == "usage":
                assert _numbers(left) == (1825, 127, 1952), end


@pytest.mark.parametrize("document", EVENTS)
def test_a_name_that_is_cut_is_no_name(document: Any) -> None:
    data = json.dumps(document).encode()
    names = {"request-1", "203.0.113.7", "m", "usage", "partial"}
    for end in range(len(data)):
        for left in _outcomes(data[:end]):
            assert {left.id, *left.dimensions.values(), left.model} - {None} <= names, end


def test_every_prefix_of_an_event_is_something() -> None:
    data = json.dumps(_native(responseBody=json.dumps(CHAT), requestBody=json.dumps(ASKED))).encode()
    assert all(len(decode(event(data[:end]))) == 1 for end in range(len(data)))


def test_only_the_record_in_which_an_event_broke_off_is_cut() -> None:
    data = json.dumps([_native(responseBody=json.dumps(CHAT), requestBody=json.dumps(ASKED))] * 2).encode()[:-30]
    whole, broken = _outcomes(data)
    assert "cut" not in whole.flags
    assert "cut" in broken.flags


@pytest.mark.parametrize("embedded", [True, False])
def test_a_cut_text_is_not_taken_for_a_whole_one(embedded: bool) -> None:
    asked = {"messages": [{"role": "user", "content": "x" * 100}]}
    reply = {"choices": [{"message": {"content": "y" * 100}, "finish_reason": "stop"}]}
    bodies = (asked, reply) if embedded else (json.dumps(asked), json.dumps(reply))
    data = json.dumps({"v": 1, "requestBody": bodies[0], "responseBody": bodies[1]}).encode()[:-80]
    (found,) = decode(event(data))
    assert isinstance(found, Exchange)
    assert found.response is not None
    assert found.response.cut
    assert found.request is not None
    assert not found.request.cut
