"""Usage in the words of Anthropic's Messages and of Gemini."""

from __future__ import annotations

from typing import Any

import pytest
from wire import assert_reports, sse

from logcount.bodies import read_response
from logcount.model.content import Usage
from logcount.model.exchanges import Body

CLAUDE = {"id": "msg_1", "type": "message", "role": "assistant", "model": "claude-sonnet-4-5"}
START = {
    "type": "message_start",
    "message": CLAUDE
    | {
        "content": [],
        "usage": {
            "input_tokens": 25,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 1800,
            "output_tokens": 1,
        },
    },
}
DELTA = {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 15}}
READ_CLAUDE = Usage(1825, 15, 1840, cached=1800)

ANTHROPIC: list[Any] = [
    pytest.param(
        "anthropic",
        CLAUDE | {"content": [{"type": "text", "text": "Hi"}], "usage": {"input_tokens": 25, "output_tokens": 15}},
        Usage(25, 15, 40),
        id="messages",
    ),
    pytest.param(
        "anthropic",
        CLAUDE
        | {
            "content": [],
            "usage": {
                "input_tokens": 25,
                "cache_creation_input_tokens": 100,
                "cache_read_input_tokens": 1800,
                "cache_creation": {"ephemeral_5m_input_tokens": 100, "ephemeral_1h_input_tokens": 0},
                "output_tokens": 15,
                "output_tokens_details": {"thinking_tokens": 7},
                "server_tool_use": None,
                "service_tier": "standard",
            },
        },
        Usage(1925, 15, 1940, cached=1800, reasoning=7),
        id="cached",
    ),
    pytest.param("anthropic", sse(START, {"type": "ping"}, DELTA, {"type": "message_stop"}), READ_CLAUDE, id="stream"),
    pytest.param(
        "anthropic",
        sse(START, DELTA | {"usage": {"input_tokens": 0, "cache_read_input_tokens": None, "output_tokens": 15}}),
        READ_CLAUDE,
        id="a stream that closes with zeros",
    ),
    pytest.param(
        "anthropic",
        sse(
            {"type": "message_start", "message": CLAUDE | {"usage": {"input_tokens": 0, "output_tokens": 0}}},
            DELTA | {"usage": {"input_tokens": 25, "output_tokens": 15}},
        ),
        Usage(25, 15, 40),
        id="a stream that opens with zeros",
    ),
]

GEMINI_OPEN = {
    "candidates": [{"content": {"parts": [{"text": "Hi"}], "role": "model"}}],
    "usageMetadata": {"promptTokenCount": 5, "totalTokenCount": 5},
}
GEMINI_CLOSE = {
    "candidates": [{"finishReason": "STOP"}],
    "usageMetadata": {
        "promptTokenCount": 5,
        "candidatesTokenCount": 7,
        "thoughtsTokenCount": 30,
        "totalTokenCount": 42,
        "cachedContentTokenCount": 3,
    },
    "modelVersion": "gemini-2.5-pro",
}
READ_GEMINI = Usage(5, 37, 42, cached=3, reasoning=30)

GEMINI: list[Any] = [
    pytest.param("gemini", GEMINI_CLOSE, READ_GEMINI, id="generateContent"),
    pytest.param("gemini", [GEMINI_OPEN, GEMINI_CLOSE], READ_GEMINI, id="array of chunks"),
    pytest.param("gemini", sse(GEMINI_OPEN, GEMINI_CLOSE, done=False, end="\r\n"), READ_GEMINI, id="sse"),
    pytest.param(
        "gemini",
        {
            "candidates": [],
            "usageMetadata": {
                "promptTokenCount": 5,
                "candidatesTokenCount": 37,
                "thoughtsTokenCount": 30,
                "totalTokenCount": 42,
            },
        },
        Usage(5, 37, 42, reasoning=30),
        id="thoughts inside candidates",
    ),
    pytest.param(
        "gemini",
        {
            "candidates": [],
            "usageMetadata": {
                "promptTokenCount": 5,
                "toolUsePromptTokenCount": 10,
                "candidatesTokenCount": 7,
                "totalTokenCount": 22,
            },
        },
        Usage(15, 7, 22),
        id="tool use",
    ),
]


@pytest.mark.parametrize(("api", "body", "usage"), [*ANTHROPIC, *GEMINI])
def test_reported_usage_is_read_as_it_is(api: str, body: Any, usage: Usage) -> None:
    assert_reports(api, body, usage)


def test_an_anthropic_stream_that_broke_off_reports_its_prompt_alone() -> None:
    response, _ = read_response(Body(sse(START, done=False)))
    assert response.usage == Usage(1825, None, None, cached=1800)


def test_the_running_count_of_a_stream_that_broke_off_is_not_final() -> None:
    response, _ = read_response(Body(sse(GEMINI_OPEN, GEMINI_OPEN, done=False)))
    assert response.usage is not None
    assert response.usage.interim


@pytest.mark.parametrize(
    ("body", "model"),
    [
        pytest.param(sse(START), "claude-sonnet-4-5", id="anthropic stream"),
        pytest.param([GEMINI_OPEN, GEMINI_CLOSE], "gemini-2.5-pro", id="gemini"),
    ],
)
def test_the_model_is_the_one_that_answered(body: Any, model: str | None) -> None:
    response, _ = read_response(Body(body))
    assert response.model == model
