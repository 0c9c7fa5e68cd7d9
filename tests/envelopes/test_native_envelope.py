"""The native envelope, the seed's, and an operator's own."""

from __future__ import annotations

import base64
import gzip
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from wire import exchange, result

from logcount.bodies.framing import unframe
from logcount.envelopes.mapped import Mapped
from logcount.envelopes.native import JOIN_PARTS
from logcount.model.content import Usage
from logcount.model.exchanges import UNDECODABLE, Body, Exchange, Rejected

ANSWER = {"id": "chatcmpl-1", "choices": [{"index": 0, "message": {"content": "Hello"}, "finish_reason": "stop"}]}
ASKED = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Hi"}]}
NATIVE: dict[str, Any] = {
    "v": 1,
    "requestId": "6f0f9a51-0d9d-4a1a-9a0a-7a5b0f6d3f52",
    "time": "2026-11-22T10:03:17.1234567Z",
    "apiId": "openai",
    "operationId": "chat",
    "productId": "gold",
    "userId": "1",
    "subscriptionId": "search",
    "location": "East US",
    "gatewayId": "managed",
    "backendId": "aoai-1",
    "clientIp": "203.0.113.7",
    "method": "POST",
    "url": "https://apim.example/openai/deployments/chat/chat/completions?api-version=2024-10-21",
    "status": 200,
    "contentType": "application/json",
    "model": "gpt-4o",
    "dimensions": {"Team": "search", "Cost Centre": 7, "Unknown": None, "Placeholder": "NA"},
    "usage": {"prompt_tokens": 9, "completion_tokens": 12, "total_tokens": 21},
    "responseEncoding": "utf8",
    "responseBody": json.dumps(ANSWER),
    "requestEncoding": "utf8",
    "requestBody": json.dumps(ASKED),
}


def test_every_field_of_a_native_event_is_read() -> None:
    assert exchange(NATIVE) == Exchange(
        envelope="native",
        id="6f0f9a51-0d9d-4a1a-9a0a-7a5b0f6d3f52",
        time=datetime(2026, 11, 22, 10, 3, 17, 123456, UTC),
        model="gpt-4o",
        url="https://apim.example/openai/deployments/chat/chat/completions?api-version=2024-10-21",
        status=200,
        request=Body(json.dumps(ASKED)),
        response=Body(json.dumps(ANSWER)),
        usage=Usage(9, 12, 21),
        dimensions={
            "API ID": "openai",
            "Operation ID": "chat",
            "Product ID": "gold",
            "User ID": "1",
            "Subscription ID": "search",
            "Location": "East US",
            "Gateway ID": "managed",
            "Backend ID": "aoai-1",
            "Client IP": "203.0.113.7",
            "Team": "search",
            "Cost Centre": "7",
        },
    )


@pytest.mark.parametrize("field", [field for field in NATIVE if field != "requestBody"])
@pytest.mark.parametrize("value", [None, "", [], {}, True, -1, 10**400, "\x00", {"a": []}])
def test_any_field_may_hold_anything(field: str, value: Any) -> None:
    read = exchange(NATIVE | {field: value})
    assert read.envelope == "native"
    assert exchange({key: item for key, item in NATIVE.items() if key != field}).envelope == "native"


@pytest.mark.parametrize(
    "event",
    [
        pytest.param({"responseBody": "{}"}, id="a response alone"),
        pytest.param({"requestBody": None, "responseBody": None}, id="no bodies"),
        pytest.param({"v": 1, "requestId": "a"}, id="what a cut left"),
        pytest.param({"v": 1, "usage": {"total_tokens": 21}}, id="usage alone"),
    ],
)
def test_a_native_event_is_told_by_its_shape(event: dict[str, Any]) -> None:
    assert exchange(event).envelope == "native"


TEXT = json.dumps(ANSWER)
PACKED = base64.b64encode(TEXT.encode()).decode()
ZIPPED = base64.b64encode(gzip.compress(TEXT.encode())).decode()


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        pytest.param("utf8", TEXT, id="utf8"),
        pytest.param("UTF-8", TEXT, id="UTF-8"),
        pytest.param(None, TEXT, id="null"),
        pytest.param("", TEXT, id="empty"),
        pytest.param("utf8", ANSWER, id="embedded object"),
        pytest.param("base64", ANSWER, id="embedded object with another encoding"),
        pytest.param("base64", PACKED, id="base64"),
        pytest.param("Base64", PACKED, id="Base64"),
        pytest.param("base64", PACKED.rstrip("="), id="base64 without padding"),
        pytest.param("base64", PACKED.replace("+", "-").replace("/", "_"), id="url-safe base64"),
        pytest.param("base64", "\r\n".join(PACKED[i : i + 76] for i in range(0, len(PACKED), 76)), id="wrapped"),
        pytest.param("gzip+base64", ZIPPED, id="gzip+base64"),
        pytest.param("base64", ZIPPED, id="gzip that nobody named"),
    ],
)
def test_a_body_is_taken_out_of_its_encoding(encoding: Any, body: Any) -> None:
    read = exchange(NATIVE | {"responseEncoding": encoding, "responseBody": body})
    assert read.response is not None
    assert unframe(read.response).documents == (ANSWER,)
    assert not read.flags


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        pytest.param("base64", "not base64!", id="no base64"),
        pytest.param("base64", "abcde", id="a quantum too short"),
        pytest.param("gzip+base64", PACKED, id="no gzip"),
        pytest.param("brotli", PACKED, id="unknown"),
        pytest.param("base64", "Häß", id="not even ascii"),
    ],
)
def test_a_body_that_is_not_in_its_encoding_is_flagged(encoding: str, body: str) -> None:
    read = exchange(NATIVE | {"responseEncoding": encoding, "responseBody": body})
    assert read.response is None
    assert UNDECODABLE in read.flags


@pytest.mark.parametrize("parts", [{"part": 0, "parts": 3}, {"part": 2, "parts": 3}, {"part": "1", "parts": "2"}])
def test_a_part_awaits_its_joiner(parts: dict[str, Any]) -> None:
    assert result(NATIVE | parts) == Rejected(JOIN_PARTS)


@pytest.mark.parametrize("parts", [{"part": 0, "parts": 1}, {"part": None, "parts": None}, {"part": 0}])
def test_an_event_in_one_part_is_whole(parts: dict[str, Any]) -> None:
    assert isinstance(result(NATIVE | parts), Exchange)


@pytest.mark.parametrize(
    ("event", "identity"),
    [
        pytest.param({"RequestBody": json.dumps(ASKED), "ResponseBody": TEXT}, None, id="bare"),
        pytest.param({"RequestBody": json.dumps(ASKED), "ResponseBody": TEXT, "RequestId": "a"}, "a", id="with an id"),
        pytest.param({"RequestBody": ASKED, "ResponseBody": ANSWER, "RequestId": 7}, "7", id="embedded"),
        pytest.param({"ResponseBody": TEXT}, None, id="response alone"),
    ],
)
def test_the_seeds_envelope_is_read(event: dict[str, Any], identity: str | None) -> None:
    read = exchange(event)
    assert (read.envelope, read.id) == ("seed", identity)
    assert read.response is not None
    assert unframe(read.response).documents == (ANSWER,)


OWN = Mapped(
    "ours",
    "http.response.content",
    {
        "requestId": "trace.0.id",
        "time": "at",
        "requestBody": "http.request.content",
        "responseBody": "http.response.content",
        "dimensions": "tags",
        "usage": "counts",
    },
    {"responseEncoding": "base64"},
)
OURS = {
    "trace": [{"id": "a"}],
    "at": 1795341797,
    "http": {"request": {"content": json.dumps(ASKED)}, "response": {"content": PACKED}},
    "tags": {"Team": "search"},
    "counts": {"prompt_tokens": 9, "completion_tokens": 12},
}


def test_an_operators_own_envelope_is_read_through_its_mapping() -> None:
    read = exchange(OURS, [OWN])
    assert (read.envelope, read.id, read.dimensions) == ("ours", "a", {"Team": "search"})
    assert read.time == datetime(2026, 11, 22, 10, 3, 17, tzinfo=UTC)
    assert (read.request, read.response) == (Body(json.dumps(ASKED)), Body(json.dumps(ANSWER).encode()))
    assert read.usage == Usage(9, 12, 21)


@pytest.mark.parametrize("other", [NATIVE, {"RequestBody": "{}"}, OURS | {"http": {"response": {"content": None}}}])
def test_what_a_mapping_does_not_match_is_told_by_shape(other: dict[str, Any]) -> None:
    found = result(other, [OWN])
    assert found == result(other)


def test_a_mapping_goes_before_the_known_envelopes() -> None:
    own = Mapped("ours", "RequestBody", {"responseBody": "RequestBody"}, {})
    assert exchange({"RequestBody": "{}", "ResponseBody": "{}"}, [own]).envelope == "ours"
