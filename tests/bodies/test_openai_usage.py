"""Usage in OpenAI's words, which most servers speak: chat, completions, Responses."""

from __future__ import annotations

from typing import Any

import pytest
from wire import assert_reports, sse

from logcount.bodies import read_response
from logcount.model.content import Usage
from logcount.model.exchanges import Body

FULL = {
    "prompt_tokens": 9,
    "completion_tokens": 12,
    "total_tokens": 21,
    "prompt_tokens_details": {"cached_tokens": 4, "audio_tokens": 0},
    "completion_tokens_details": {"reasoning_tokens": 5, "accepted_prediction_tokens": 0},
}
PLAIN = {"prompt_tokens": 9, "completion_tokens": 12, "total_tokens": 21}
READ_FULL = Usage(9, 12, 21, cached=4, reasoning=5)
READ_PLAIN = Usage(9, 12, 21)


def _choice(**choice: Any) -> dict[str, Any]:
    return {"index": 0, "finish_reason": "stop", **choice}


def _chunk(content: str | None = None, finish: str | None = None, **more: Any) -> dict[str, Any]:
    delta = {} if content is None else {"content": content}
    choices = [{"index": 0, "delta": delta, "finish_reason": finish}]
    return {"id": "chatcmpl-1", "object": "chat.completion.chunk", "model": "gpt-4o", "choices": choices, **more}


ANSWER = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "model": "gpt-4o",
    "choices": [_choice(message={"role": "assistant", "content": "Hi"})],
}
CLOSING = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "model": "gpt-4o", "choices": []}
AZURE_OPENING = {
    "choices": [],
    "created": 0,
    "id": "",
    "model": "",
    "object": "",
    "prompt_filter_results": [{"prompt_index": 0, "content_filter_results": {"hate": {"filtered": False}}}],
}

OPENAI: list[Any] = [
    pytest.param("chat", ANSWER | {"usage": FULL}, READ_FULL, id="openai chat"),
    pytest.param(
        "chat",
        ANSWER | {"usage": PLAIN, "prompt_filter_results": [], "system_fingerprint": None},
        READ_PLAIN,
        id="azure openai",
    ),
    pytest.param(
        "chat",
        sse(_chunk("Hi", usage=None), _chunk(finish="stop", usage=None), CLOSING | {"usage": FULL}),
        READ_FULL,
        id="stream",
    ),
    pytest.param(
        "chat",
        sse(AZURE_OPENING, _chunk("Hi"), _chunk(finish="stop"), CLOSING | {"usage": PLAIN}),
        READ_PLAIN,
        id="azure stream",
    ),
    pytest.param(
        "chat",
        sse(
            _chunk("H", usage={"prompt_tokens": 9, "completion_tokens": 1, "total_tokens": 10}),
            _chunk("i", finish="stop", usage={"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11}),
            CLOSING | {"usage": PLAIN},
        ),
        READ_PLAIN,
        id="vllm continuous usage",
    ),
    pytest.param("chat", sse(_chunk("Hi"), _chunk(finish="stop", usage=PLAIN)), READ_PLAIN, id="usage beside finish"),
    pytest.param(
        "chat", sse(CLOSING | {"usage": PLAIN}, _chunk("Hi"), _chunk(finish="stop")), READ_PLAIN, id="usage first"
    ),
    pytest.param(
        "chat",
        sse(_chunk("Hi"), _chunk(finish="stop", x_groq={"id": "req_1", "usage": PLAIN | {"queue_time": 0.01}})),
        READ_PLAIN,
        id="groq stream",
    ),
    pytest.param(
        "chat",
        ANSWER | {"usage": PLAIN | {"prompt_cache_hit_tokens": 8, "prompt_cache_miss_tokens": 1}},
        Usage(9, 12, 21, cached=8),
        id="deepseek",
    ),
    pytest.param(
        "chat",
        ANSWER | {"usage": PLAIN | {"cache_creation_input_tokens": 0, "cache_read_input_tokens": 0}},
        READ_PLAIN,
        id="a proxy that adds Anthropic's words",
    ),
    pytest.param(
        "chat",
        ANSWER | {"usage": PLAIN | {"input_tokens": 0, "output_tokens": 0, "input_tokens_details": None}},
        READ_PLAIN,
        id="a proxy that adds the words of Responses",
    ),
    pytest.param(
        "chat",
        ANSWER | {"usage": {"prompt_tokens": 0, "completion_tokens": 0, "input_tokens": 9, "output_tokens": 12}},
        READ_PLAIN,
        id="a proxy that fills the other words",
    ),
    pytest.param("chat", ANSWER | {"usage": PLAIN, "timings": {"prompt_n": 9}}, READ_PLAIN, id="llama.cpp chat"),
    pytest.param("chat", ANSWER | {"usage": PLAIN, "stats": {}, "provider": "x"}, READ_PLAIN, id="lm studio"),
    pytest.param(
        "chat",
        {"choices": [{"message": {"content": "Hi"}, "stop_reason": "stop"}], "usage": PLAIN},
        READ_PLAIN,
        id="mistral on bedrock",
    ),
    pytest.param(
        "completions",
        {"object": "text_completion", "choices": [_choice(text="Hi")], "usage": PLAIN},
        READ_PLAIN,
        id="completions",
    ),
    pytest.param(
        "completions",
        sse({"object": "text_completion", "choices": [_choice(text="Hi")]}, {"choices": [], "usage": PLAIN}),
        READ_PLAIN,
        id="completions stream",
    ),
    pytest.param(
        "other",
        {"text": "Hi", "usage": {"type": "tokens", "input_tokens": 9, "output_tokens": 12}},
        READ_PLAIN,
        id="transcription",
    ),
    pytest.param(
        "other",
        {"data": [{"b64_json": "aa"}], "usage": {"input_tokens": 9, "output_tokens": 12, "total_tokens": 21}},
        READ_PLAIN,
        id="images",
    ),
    pytest.param(
        "other",
        {"output": {"text": "Hi"}, "usage": {"input_tokens": 9, "output_tokens": 12}},
        READ_PLAIN,
        id="an api that nobody knows yet",
    ),
]

RESPONSE = {"id": "resp_1", "object": "response", "model": "gpt-5", "status": "completed", "output": []}
RESPONSE_USAGE = {
    "input_tokens": 36,
    "input_tokens_details": {"cached_tokens": 8},
    "output_tokens": 87,
    "output_tokens_details": {"reasoning_tokens": 64},
    "total_tokens": 123,
}
READ_RESPONSE = Usage(36, 87, 123, cached=8, reasoning=64)

RESPONSES: list[Any] = [
    pytest.param("responses", RESPONSE | {"usage": RESPONSE_USAGE, "error": None}, READ_RESPONSE, id="responses"),
    *(
        pytest.param(
            "responses",
            sse(
                "event: response.created\n"
                'data: {"type":"response.created","response":{"object":"response","usage":null,"output":[]}}',
                {"type": "response.output_text.delta", "delta": "Hi"},
                {"type": closing, "response": RESPONSE | {"usage": RESPONSE_USAGE}},
                done=False,
            ),
            READ_RESPONSE,
            id=closing,
        )
        for closing in ("response.completed", "response.incomplete", "response.failed")
    ),
]


@pytest.mark.parametrize(("api", "body", "usage"), [*OPENAI, *RESPONSES])
def test_reported_usage_is_read_as_it_is(api: str, body: Any, usage: Usage) -> None:
    assert_reports(api, body, usage)


def test_the_running_count_of_a_stream_that_broke_off_is_not_final() -> None:
    response, _ = read_response(
        Body(
            sse(
                _chunk("H", usage={"prompt_tokens": 9, "completion_tokens": 1, "total_tokens": 10}),
                _chunk("H", usage={"prompt_tokens": 9, "completion_tokens": 1, "total_tokens": 10}),
                done=False,
            )
        )
    )
    assert response.usage is not None
    assert response.usage.interim


def test_seconds_of_audio_are_no_tokens() -> None:
    response, _ = read_response(Body({"text": "Hi", "usage": {"type": "duration", "seconds": 5}}))
    assert response.usage is None


@pytest.mark.parametrize(
    ("usage", "read"),
    [
        pytest.param(None, None, id="null"),
        pytest.param({}, None, id="empty"),
        pytest.param([PLAIN], None, id="a list"),
        pytest.param("9", None, id="a string"),
        pytest.param({"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}, None, id="zeros"),
        pytest.param({"prompt_tokens": None, "completion_tokens": None, "total_tokens": None}, None, id="nulls"),
        pytest.param({"prompt_tokens": True, "completion_tokens": False}, None, id="bools"),
        pytest.param({"prompt_tokens": -9, "completion_tokens": -12, "total_tokens": -21}, None, id="negative"),
        pytest.param({"prompt_tokens": "9", "completion_tokens": "12"}, READ_PLAIN, id="strings"),
        pytest.param({"prompt_tokens": 9.0, "completion_tokens": 12.0, "total_tokens": 21.0}, READ_PLAIN, id="floats"),
        pytest.param({"prompt_tokens": 9.5, "completion_tokens": 12}, Usage(None, 12, None), id="halves"),
        pytest.param({"prompt_tokens": 10**400, "completion_tokens": 12}, Usage(None, 12, None), id="beyond counting"),
        pytest.param({"prompt_tokens": float("inf"), "completion_tokens": 12}, Usage(None, 12, None), id="infinity"),
        pytest.param({"prompt_tokens": float("nan"), "completion_tokens": 12}, Usage(None, 12, None), id="nan"),
        pytest.param({"prompt_tokens": 9, "total_tokens": 21}, READ_PLAIN, id="a part that is left over"),
        pytest.param({"completion_tokens": 12, "total_tokens": 21}, READ_PLAIN, id="a prompt that is left over"),
        pytest.param({"total_tokens": 21}, Usage(None, None, 21), id="a total alone"),
        pytest.param(PLAIN | {"total_tokens": 0}, READ_PLAIN, id="a total of zero"),
        pytest.param(PLAIN | {"total_tokens": 99}, Usage(9, 12, 99, mismatch=True), id="another total"),
        pytest.param({"prompt_tokens": 9, "completion_tokens": 0, "total_tokens": 9}, Usage(9, 0, 9), id="no answer"),
        pytest.param(PLAIN | {"prompt_tokens_details": [], "completion_tokens_details": "x"}, READ_PLAIN, id="details"),
    ],
)
def test_only_a_count_is_a_count(usage: Any, read: Usage | None) -> None:
    response, _ = read_response(Body(ANSWER | {"usage": usage}))
    assert response.usage == read


@pytest.mark.parametrize(
    ("body", "model"),
    [
        pytest.param(ANSWER, "gpt-4o", id="answer"),
        pytest.param(sse(AZURE_OPENING, _chunk("Hi")), "gpt-4o", id="azure's empty opening"),
        pytest.param(sse({"type": "response.created", "response": RESPONSE}), "gpt-5", id="responses stream"),
        pytest.param(ANSWER | {"model": 5}, None, id="no name"),
    ],
)
def test_the_model_is_the_one_that_answered(body: Any, model: str | None) -> None:
    response, _ = read_response(Body(body))
    assert response.model == model
