"""An answer that is nothing but an error is one, in whichever server's words."""

from __future__ import annotations

from typing import Any

import pytest
from wire import sse

from logcount import count_exchange
from logcount.bodies import read_response
from logcount.model.exchanges import Body

ERRORS: list[Any] = [
    pytest.param({"error": {"message": "no", "type": "invalid_request_error", "code": None}}, id="openai"),
    pytest.param({"error": {"code": "429", "message": "Rate limit"}}, id="azure openai"),
    pytest.param({"error": {"code": "content_filter", "innererror": {"code": "x"}, "status": 400}}, id="azure filter"),
    pytest.param(
        {"object": "error", "message": "no", "type": "BadRequestError", "param": None, "code": 400}, id="vllm"
    ),
    pytest.param({"error": "Input validation error", "error_type": "validation"}, id="tgi"),
    pytest.param({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}, id="anthropic"),
    pytest.param('event: error\ndata: {"type":"error","error":{"type":"overloaded_error"}}\n\n', id="anthropic stream"),
    pytest.param({"error": {"code": 400, "message": "no", "status": "INVALID_ARGUMENT"}}, id="gemini"),
    pytest.param([{"error": {"code": 400, "message": "no", "status": "INVALID_ARGUMENT"}}], id="gemini stream"),
    pytest.param({"error": "model 'x' not found"}, id="ollama"),
    pytest.param({"error": {"code": 500, "message": "no", "type": "server_error"}}, id="llama.cpp"),
    pytest.param({"error": {"message": "no", "code": 402}, "user_id": "u"}, id="openrouter"),
    pytest.param(sse({"error": {"message": "no"}}), id="a stream that opens with it"),
]
COMPLAINTS: list[Any] = [
    pytest.param({"detail": "Not Found"}, id="fastapi"),
    pytest.param({"detail": [{"loc": ["body", "messages"], "msg": "field required"}]}, id="fastapi validation"),
    pytest.param({"message": "The provided model identifier is invalid."}, id="bedrock"),
    pytest.param({"__type": "com.amazon.coral#AccessDenied", "Message": None}, id="aws"),
    pytest.param({"message": "invalid api token"}, id="cohere"),
    pytest.param({"id": "e1", "message": "invalid request"}, id="cohere v2"),
    pytest.param({"statusCode": 401, "message": "Access denied due to missing subscription key."}, id="azure gateway"),
    pytest.param({"error_code": "BAD_REQUEST", "message": "no"}, id="databricks"),
    pytest.param({"message": "Unauthorized", "request_id": "r"}, id="mistral"),
]
REQUEST = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}


@pytest.mark.parametrize("body", [*ERRORS, *COMPLAINTS])
def test_an_error_of_unknown_status_is_skipped(body: Any) -> None:
    outcome = count_exchange(REQUEST, body)
    assert (outcome.count, outcome.left_out, outcome.reason) == (None, "skipped", "an error answer")


@pytest.mark.parametrize("body", ERRORS)
def test_an_error_of_status_200_is_skipped(body: Any) -> None:
    assert count_exchange(REQUEST, body, status=200).left_out


@pytest.mark.parametrize("body", COMPLAINTS)
def test_a_message_of_status_200_is_no_error(body: Any) -> None:
    assert not count_exchange(REQUEST, body, status=200).left_out


@pytest.mark.parametrize("status", [400, 401, 408, 429, 500, 503])
@pytest.mark.parametrize("body", [None, "", "<html>Bad Gateway</html>", {"choices": []}])
def test_a_refused_call_is_skipped_by_its_status(status: int, body: Any) -> None:
    outcome = count_exchange(REQUEST, body, status=status)
    assert (outcome.left_out, outcome.reason) == ("skipped", f"status {status}")


@pytest.mark.parametrize("status", [None, 200, 400, 500])
def test_a_call_that_reports_usage_is_counted_whatever_its_status(status: int | None) -> None:
    usage = {"prompt_tokens": 9, "completion_tokens": 12, "total_tokens": 21}
    outcome = count_exchange(REQUEST, {"error": {"message": "late"}, "choices": [], "usage": usage}, status=status)
    assert outcome.count is not None
    assert (outcome.count.total, outcome.count.counted_by) == (21, "usage")


@pytest.mark.parametrize(
    "error",
    [
        {"error": {"message": "The server had an error"}},
        {"object": "error", "message": "no"},
        'event: error\ndata: {"error":"no"}',
    ],
)
def test_an_error_in_the_middle_of_a_stream_cuts_it(error: Any) -> None:
    response, _ = read_response(Body(sse({"choices": [{"index": 0, "delta": {"content": "Hi"}}]}, error)))
    assert (response.error, response.cut, response.replies[0].text) == (False, True, "Hi")


@pytest.mark.parametrize("error", [None, "", {}, []])
def test_a_null_error_is_none(error: Any) -> None:
    body = {"object": "response", "status": "completed", "error": error, "output": []}
    assert not read_response(Body(body))[0].error
