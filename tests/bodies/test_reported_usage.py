"""What every API reports is read as it is, streamed or not."""

from __future__ import annotations

from typing import Any

import pytest
from wire import as_characters, frame, invoke_frame, ndjson, sse

from logcount.bodies import read_response
from logcount.content import Usage
from logcount.exchanges import Body

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
    {"type": "message_start", "message": CLAUDE | {"usage": {"input_tokens": 25, "output_tokens": 1}}},
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

COHERE_USAGE = {
    "billed_units": {"input_tokens": 5.0, "output_tokens": 7.0},
    "tokens": {"input_tokens": 71.0, "output_tokens": 7.0},
}
COHERE_V2 = {"id": "c1", "finish_reason": "COMPLETE", "message": {"content": [{"type": "text", "text": "Hi"}]}}
READ_COHERE = Usage(71, 7, 78)

COHERE: list[Any] = [
    pytest.param("cohere", COHERE_V2 | {"usage": COHERE_USAGE}, READ_COHERE, id="v2"),
    pytest.param(
        "cohere", COHERE_V2 | {"usage": {"billed_units": COHERE_USAGE["billed_units"]}}, Usage(5, 7, 12), id="billed"
    ),
    pytest.param(
        "cohere", COHERE_V2 | {"usage": COHERE_USAGE | {"cached_tokens": 64}}, Usage(71, 7, 78, cached=64), id="cached"
    ),
    pytest.param("cohere", {"text": "Hi", "generation_id": "g", "meta": COHERE_USAGE}, READ_COHERE, id="v1"),
    pytest.param(
        "cohere",
        sse(
            {"type": "message-start", "delta": {"message": {"role": "assistant", "content": []}}},
            {"type": "content-delta", "index": 0, "delta": {"message": {"content": {"text": "Hi"}}}},
            {"type": "message-end", "delta": {"finish_reason": "COMPLETE", "usage": COHERE_USAGE}},
        ),
        READ_COHERE,
        id="v2 stream",
    ),
    pytest.param(
        "cohere",
        ndjson(
            {"is_finished": False, "event_type": "stream-start", "generation_id": "g"},
            {"is_finished": False, "event_type": "text-generation", "text": "Hi"},
            {"is_finished": True, "event_type": "stream-end", "response": {"text": "Hi", "meta": COHERE_USAGE}},
        ),
        READ_COHERE,
        id="v1 stream",
    ),
]

OLLAMA_END = {"model": "llama3.2", "done": True, "done_reason": "stop", "prompt_eval_count": 26, "eval_count": 298}
OLLAMA: list[Any] = [
    pytest.param("ollama", OLLAMA_END | {"message": {"content": "Hi"}}, Usage(26, 298, 324), id="chat"),
    pytest.param("ollama", OLLAMA_END | {"response": "Hi", "context": [1]}, Usage(26, 298, 324), id="generate"),
    pytest.param(
        "ollama",
        ndjson(
            {"model": "llama3.2", "message": {"content": "Hi\u2028\x85there"}, "done": False},
            OLLAMA_END | {"message": {"content": ""}},
        ),
        Usage(26, 298, 324),
        id="stream",
    ),
    pytest.param(
        "ollama",
        {"model": "llama3.2", "message": {"content": "Hi"}, "done": True, "eval_count": 298},
        Usage(None, 298, None),
        id="a prompt that was cached whole",
    ),
    pytest.param(
        "llama.cpp",
        {"content": "Hi", "stop": True, "stop_type": "eos", "tokens_predicted": 12, "tokens_evaluated": 9},
        READ_PLAIN,
        id="llama.cpp completion",
    ),
    pytest.param(
        "llama.cpp",
        sse(
            {"content": "Hi", "stop": False, "tokens_predicted": 1, "tokens_evaluated": 9},
            {"content": "", "stop": True, "tokens_predicted": 12, "tokens_evaluated": 9, "timings": {}},
            done=False,
        ),
        READ_PLAIN,
        id="llama.cpp stream",
    ),
    pytest.param(
        "tgi",
        {"generated_text": "Hi", "details": {"generated_tokens": 20, "prefill": [{"id": 1, "text": "a"}]}},
        Usage(1, 20, 21),
        id="tgi",
    ),
    pytest.param(
        "tgi",
        [{"generated_text": "Hi", "details": {"generated_tokens": 20, "prefill": []}}],
        Usage(None, 20, None),
        id="tgi in an array",
    ),
    pytest.param(
        "tgi",
        sse(
            {"index": 1, "token": {"id": 5, "text": "Hi", "special": False}, "generated_text": None, "details": None},
            {
                "token": {"id": 2, "text": "</s>", "special": True},
                "generated_text": "Hi",
                "details": {"finish_reason": "eos_token", "generated_tokens": 2, "input_length": 7},
            },
            done=False,
        ),
        Usage(7, 2, 9),
        id="tgi stream",
    ),
]

EMBEDDINGS: list[Any] = [
    pytest.param(
        {"object": "list", "data": [{"embedding": [0.1]}], "usage": {"prompt_tokens": 8, "total_tokens": 8}},
        id="openai",
    ),
    pytest.param({"data": [{"embedding": "AAA="}], "usage": {"total_tokens": 8}}, id="voyage"),
    pytest.param(
        {"data": [{"embedding": []}], "usage": {"prompt_tokens": 8, "completion_tokens": 0, "total_tokens": 8}},
        id="mistral",
    ),
    pytest.param({"embeddings": [[0.1]], "meta": {"billed_units": {"input_tokens": 8.0}}}, id="cohere"),
    pytest.param({"embedding": [0.1], "inputTextTokenCount": 8}, id="titan"),
    pytest.param({"model": "nomic", "embeddings": [[0.1]], "prompt_eval_count": 8}, id="ollama"),
    pytest.param({"results": [{"index": 0, "relevance_score": 0.9}], "usage": {"total_tokens": 8}}, id="jina rerank"),
]


@pytest.mark.parametrize(
    ("api", "body", "usage"), [*OPENAI, *RESPONSES, *ANTHROPIC, *GEMINI, *BEDROCK, *COHERE, *OLLAMA]
)
def test_reported_usage_is_read_as_it_is(api: str, body: Any, usage: Usage) -> None:
    response, flags = read_response(Body(body))
    assert (response.api, response.usage) == (api, usage)
    assert not flags
    assert not response.error
    assert not response.cut


@pytest.mark.parametrize("body", EMBEDDINGS)
def test_embeddings_have_a_prompt_and_no_completion(body: Any) -> None:
    response, _ = read_response(Body(body))
    assert not response.generates
    assert response.usage == Usage(8, 0, 8)


def test_search_units_are_no_tokens() -> None:
    body = {"results": [{"index": 0, "relevance_score": 0.9}], "meta": {"billed_units": {"search_units": 1}}}
    response, _ = read_response(Body(body))
    assert response.usage is None


def test_seconds_of_audio_are_no_tokens() -> None:
    response, _ = read_response(Body({"text": "Hi", "usage": {"type": "duration", "seconds": 5}}))
    assert response.usage is None


@pytest.mark.parametrize(
    "chunks",
    [
        pytest.param(
            [_chunk("H", usage={"prompt_tokens": 9, "completion_tokens": 1, "total_tokens": 10})] * 2, id="vllm"
        ),
        pytest.param([GEMINI_OPEN, GEMINI_OPEN], id="gemini"),
        pytest.param(
            [{"content": "H", "stop": False, "tokens_predicted": 1, "tokens_evaluated": 9}] * 2, id="llama.cpp"
        ),
    ],
)
def test_the_running_count_of_a_stream_that_broke_off_is_not_final(chunks: list[Any]) -> None:
    response, _ = read_response(Body(sse(*chunks, done=False)))
    assert response.usage is not None
    assert response.usage.interim


def test_an_anthropic_stream_that_broke_off_reports_its_prompt_alone() -> None:
    response, _ = read_response(Body(sse(START, done=False)))
    assert response.usage == Usage(1825, None, None, cached=1800)


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
        pytest.param(sse(START), "claude-sonnet-4-5", id="anthropic stream"),
        pytest.param(sse({"type": "response.created", "response": RESPONSE}), "gpt-5", id="responses stream"),
        pytest.param([GEMINI_OPEN, GEMINI_CLOSE], "gemini-2.5-pro", id="gemini"),
        pytest.param(ANSWER | {"model": 5}, None, id="no name"),
    ],
)
def test_the_model_is_the_one_that_answered(body: Any, model: str | None) -> None:
    response, _ = read_response(Body(body))
    assert response.model == model
