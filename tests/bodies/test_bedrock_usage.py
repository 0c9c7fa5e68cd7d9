"""Usage in Bedrock's words, and in those of the models behind it."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from wire import as_characters, assert_reports, frame, invoke_frame

from logcount.bodies import read_response
from logcount.model.content import Usage
from logcount.model.exchanges import Body

START = {"type": "message_start", "message": {"type": "message", "usage": {"input_tokens": 25, "output_tokens": 1}}}
DELTA = {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 15}}
CONVERSE_USAGE = {"inputTokens": 25, "outputTokens": 15, "totalTokens": 40}
CONVERSE_ANSWER = {"output": {"message": {"role": "assistant", "content": [{"text": "Hi"}]}}, "stopReason": "end_turn"}
CONVERSE_STREAM = b"".join(
    frame({"p": "abcdefghijklmnopqrstuv", **document}, kind)
    for kind, document in (
        ("messageStart", {"role": "assistant"}),
        ("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": "Hi"}}),
        ("contentBlockStop", {"contentBlockIndex": 0}),
        ("messageStop", {"stopReason": "end_turn"}),
        ("metadata", {"metrics": {"latencyMs": 551}, "usage": CONVERSE_USAGE}),
    )
)
INVOKE_METRICS = {"inputTokenCount": 25, "outputTokenCount": 15, "invocationLatency": 551, "firstByteLatency": 210}
READ_CONVERSE = Usage(25, 15, 40)


def _invoked(*documents: dict[str, Any]) -> bytes:
    return b"".join(map(invoke_frame, documents))


LLAMA_STREAM = _invoked(
    {"generation": "Hi", "prompt_token_count": 25, "generation_token_count": 1, "stop_reason": None},
    {
        "generation": "",
        "prompt_token_count": None,
        "generation_token_count": 15,
        "stop_reason": "stop",
        "amazon-bedrock-invocationMetrics": INVOKE_METRICS,
    },
)
CLAUDE_ON_BEDROCK = _invoked(
    START,
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hi"}},
    DELTA,
    {"type": "message_stop", "amazon-bedrock-invocationMetrics": INVOKE_METRICS},
)
NOVA_STREAM = _invoked(
    {"messageStart": {"role": "assistant"}},
    {"contentBlockDelta": {"delta": {"text": "Hi"}, "contentBlockIndex": 0}},
    {"messageStop": {"stopReason": "end_turn"}},
    {
        "metadata": {"usage": {"inputTokens": 25, "outputTokens": 15}, "metrics": {}},
        "amazon-bedrock-invocationMetrics": INVOKE_METRICS,
    },
)
TITAN_STREAM = _invoked(
    {
        "outputText": "Hi",
        "index": 0,
        "inputTextTokenCount": 25,
        "totalOutputTextTokenCount": None,
        "completionReason": None,
    },
    {
        "outputText": "",
        "index": 0,
        "inputTextTokenCount": 25,
        "totalOutputTextTokenCount": 15,
        "completionReason": "FINISH",
        "amazon-bedrock-invocationMetrics": INVOKE_METRICS,
    },
)

BEDROCK: list[Any] = [
    pytest.param("converse", CONVERSE_ANSWER | {"usage": CONVERSE_USAGE}, READ_CONVERSE, id="converse"),
    pytest.param(
        "converse",
        CONVERSE_ANSWER
        | {
            "usage": {
                "inputTokens": 25,
                "outputTokens": 15,
                "totalTokens": 1840,
                "cacheReadInputTokens": 1800,
                "cacheWriteInputTokens": 0,
            }
        },
        Usage(1825, 15, 1840, cached=1800),
        id="converse with a cache beside the input",
    ),
    pytest.param(
        "converse",
        CONVERSE_ANSWER
        | {"usage": {"inputTokens": 1825, "outputTokens": 15, "totalTokens": 1840, "cacheReadInputTokens": 1800}},
        Usage(1825, 15, 1840, cached=1800),
        id="converse with a cache inside the input",
    ),
    pytest.param("converse", CONVERSE_STREAM, READ_CONVERSE, id="converse stream"),
    pytest.param("converse", as_characters(CONVERSE_STREAM), READ_CONVERSE, id="converse stream as characters"),
    pytest.param("invoke", LLAMA_STREAM, READ_CONVERSE, id="llama stream"),
    pytest.param("invoke", as_characters(LLAMA_STREAM), READ_CONVERSE, id="llama stream as characters"),
    pytest.param("anthropic", CLAUDE_ON_BEDROCK, READ_CONVERSE, id="claude on bedrock"),
    pytest.param("anthropic", as_characters(CLAUDE_ON_BEDROCK), READ_CONVERSE, id="claude on bedrock as characters"),
    pytest.param("converse", NOVA_STREAM, READ_CONVERSE, id="nova stream"),
    pytest.param("invoke", TITAN_STREAM, READ_CONVERSE, id="titan stream"),
    pytest.param(
        "invoke",
        {"generation": "Hi", "prompt_token_count": 25, "generation_token_count": 15, "stop_reason": "stop"},
        READ_CONVERSE,
        id="llama",
    ),
    pytest.param(
        "invoke",
        {
            "inputTextTokenCount": 25,
            "results": [
                {"tokenCount": 10.0, "outputText": "a", "completionReason": "FINISH"},
                {"tokenCount": 5, "outputText": "b", "completionReason": "FINISH"},
            ],
        },
        READ_CONVERSE,
        id="titan",
    ),
]


EVENTS = ("messageStart", "contentBlockStart", "contentBlockDelta", "contentBlockStop", "messageStop", "metadata")


@pytest.mark.parametrize(("first", "second"), list(itertools.combinations(EVENTS, 2)))
def test_of_two_events_in_one_document_the_first_of_the_stream_is_read(first: str, second: str) -> None:
    document = {second: {"usage": {"inputTokens": 2}}, first: {"usage": {"inputTokens": 1}}}
    response, _ = read_response(Body(document))
    assert response.usage == Usage(prompt=1)


@pytest.mark.parametrize(("api", "body", "usage"), BEDROCK)
def test_reported_usage_is_read_as_it_is(api: str, body: Any, usage: Usage) -> None:
    assert_reports(api, body, usage)
