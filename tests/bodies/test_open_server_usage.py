"""Usage in the words of Cohere, Ollama, llama.cpp and TGI, and of everybody's embeddings."""

from __future__ import annotations

from typing import Any

import pytest
from wire import assert_reports, ndjson, sse

from logcount.bodies import read_response
from logcount.model.content import Usage
from logcount.model.exchanges import Body

RUNNING = {"content": "H", "stop": False, "tokens_predicted": 1, "tokens_evaluated": 9}
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
SERVERS: list[Any] = [
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
        Usage(9, 12, 21),
        id="llama.cpp completion",
    ),
    pytest.param(
        "llama.cpp",
        sse(
            {"content": "Hi", "stop": False, "tokens_predicted": 1, "tokens_evaluated": 9},
            {"content": "", "stop": True, "tokens_predicted": 12, "tokens_evaluated": 9, "timings": {}},
            done=False,
        ),
        Usage(9, 12, 21),
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


@pytest.mark.parametrize(("api", "body", "usage"), [*COHERE, *SERVERS])
def test_reported_usage_is_read_as_it_is(api: str, body: Any, usage: Usage) -> None:
    assert_reports(api, body, usage)


@pytest.mark.parametrize("body", EMBEDDINGS)
def test_embeddings_have_a_prompt_and_no_completion(body: Any) -> None:
    response, _ = read_response(Body(body))
    assert not response.generates
    assert response.usage == Usage(8, 0, 8)


def test_search_units_are_no_tokens() -> None:
    body = {"results": [{"index": 0, "relevance_score": 0.9}], "meta": {"billed_units": {"search_units": 1}}}
    response, _ = read_response(Body(body))
    assert response.usage is None


def test_the_running_count_of_a_stream_that_broke_off_is_not_final() -> None:
    response, _ = read_response(Body(sse(RUNNING, RUNNING, done=False)))
    assert response.usage is not None
    assert response.usage.interim
