"""The envelopes that others' policies write with `log-to-eventhub`."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from wire import event, exchange, result, results

from logcount.envelopes import decode
from logcount.envelopes.moesif import JOIN_PAIRS
from logcount.model.content import Usage
from logcount.model.events import LogEvent
from logcount.model.exchanges import Body, Exchange, Rejected, Skipped

ANSWER = '{"id":"chatcmpl-1","usage":{"prompt_tokens":9,"completion_tokens":12,"total_tokens":21},"choices":[]}'
HOW_TO = {
    "EventTime": "11/22/2026 10:03:17 AM",
    "ServiceName": "contoso-apim",
    "RequestId": "6f0f9a51",
    "RequestIp": "203.0.113.7",
    "OperationName": "ChatCompletions_Create",
}
AT = datetime(2026, 11, 22, 10, 3, 17, tzinfo=UTC)


def test_the_how_tos_event_has_no_bodies() -> None:
    assert exchange(HOW_TO) == Exchange(
        envelope="how-to",
        id="6f0f9a51",
        time=AT,
        dimensions={"Client IP": "203.0.113.7", "Operation Name": "ChatCompletions_Create"},
    )


@pytest.mark.parametrize("key", ["response", "Response", "responseBody", "ResponseBody"])
@pytest.mark.parametrize("wrap", [lambda record: record, lambda record: {"records": [record]}, lambda record: [record]])
@pytest.mark.parametrize("body", [ANSWER, json.loads(ANSWER)], ids=["text", "embedded"])
def test_a_body_added_to_the_how_to_is_read(key: str, wrap: Any, body: Any) -> None:
    read = exchange(wrap(HOW_TO | {key: body}))
    assert (read.envelope, read.response, read.request) == ("how-to", Body(body), None)


def test_every_record_of_an_event_is_read() -> None:
    read = results(
        {
            "records": [
                HOW_TO,
                HOW_TO | {"response": ANSWER},
                {"category": "GatewayMCPLogs", "properties": {}},
                7,
                None,
                {},
            ]
        }
    )
    assert [type(item) for item in read] == [Exchange, Exchange, Skipped, Rejected, Skipped, Rejected]


@pytest.mark.parametrize(
    "half",
    [
        "request:6f0f9a51-0d9d-4a1a-9a0a-7a5b0f6d3f52\nPOST /openai/deployments/gpt-4o/chat/completions HTTP/1.1\r\n"
        'Content-Type: application/json\r\nContent-Length: 87\r\n\r\n{"messages":[{"role":"user","content":"Hi"}]}',
        f"response:6f0f9a51-0d9d-4a1a-9a0a-7a5b0f6d3f52\nHTTP/1.1 200 OK\r\n\r\n{ANSWER}",
        "\ufeffresponse:6f0f9a51-0d9d-4a1a-9a0a-7a5b0f6d3f52\r\nHTTP/1.1 429 Too Many Requests\r\n\r\n",
    ],
)
def test_half_of_an_http_pair_is_recognised(half: str) -> None:
    assert result(half) == Rejected("half of an application/http pair: pairs are not joined yet")


MOESIF = {
    "event_type": "response",
    "message-id": "6f0f9a51",
    "status_code": "200",
    "response_headers": "Date: now\r\nContent-Type: application/json; charset=utf-8\r\n",
    "response_body": base64.b64encode(ANSWER.encode()).decode(),
    "uri": "https://apim.example/chat",
    "ip_address": "203.0.113.7",
    "user_id": "u1",
}


def test_the_response_half_of_moesifs_envelope_is_an_exchange() -> None:
    read = exchange(MOESIF)
    assert (read.id, read.status) == ("6f0f9a51", 200)
    assert (read.url, read.response) == ("https://apim.example/chat", Body(ANSWER.encode()))
    assert read.dimensions == {"Client IP": "203.0.113.7", "User ID": "u1"}


@pytest.mark.parametrize("body", [ANSWER, "data: " + ANSWER + "\n\n"])
def test_a_moesif_body_may_be_left_as_it_is(body: str) -> None:
    assert exchange(MOESIF | {"response_body": body}).response == Body(body)


@pytest.mark.parametrize(
    ("kind", "reason"),
    [("request", JOIN_PAIRS), ("other", "an event of unknown type"), ([], "an event of unknown type")],
)
def test_other_events_of_moesif_are_rejected(kind: Any, reason: str) -> None:
    assert result(MOESIF | {"event_type": kind}) == Rejected(reason)


HUB = {
    "id": "ai-2b0c",
    "timestamp": "11/22/2026 10:03:17 AM",
    "appId": "NA",
    "subscriptionId": "sub-retail",
    "productName": "AI-Retail",
    "targetService": "chat.completion",
    "model": "gpt-4o",
    "gatewayName": "apim",
    "gatewayRegion": "East US",
    "aiGatewayId": "managed",
    "RequestIp": "203.0.113.7",
    "operationName": "Creates a completion for the chat message",
    "sessionId": "NA",
    "endUserId": "NA",
    "backendId": "openai-backend-0",
    "deploymentName": "chat",
    "promptTokens": 25,
    "responseTokens": 43,
    "totalTokens": 68,
}
LANDING = {
    "Type": "Message",
    "EventTime": "11/22/2026 10:03:17 AM",
    "ServiceName": "apim",
    "GatewayId": "managed",
    "RequestId": "r1",
    "RequestIp": "203.0.113.7",
    "OperationName": "chat",
    "SubscriptionId": "sub",
    "TotalTokens": "68",
}
ENTERPRISE = {
    "timestamp": "11/22/2026 10:03:17 AM",
    "appId": "app",
    "appSubscriptionKey": "a-secret",
    "promptTokens": "25",
    "responseTokens": "43",
    "totalTokens": "68",
}


def test_the_hub_accelerators_event_is_read() -> None:
    assert exchange(HUB) == Exchange(
        envelope="usage-only",
        id="ai-2b0c",
        time=AT,
        model="gpt-4o",
        usage=Usage(25, 43, 68),
        dimensions={
            "Subscription ID": "sub-retail",
            "Product Name": "AI-Retail",
            "Location": "East US",
            "Gateway ID": "managed",
            "Client IP": "203.0.113.7",
            "Operation Name": "Creates a completion for the chat message",
            "Backend ID": "openai-backend-0",
        },
    )


@pytest.mark.parametrize(
    ("counts", "usage"),
    [
        pytest.param({"promptTokens": "25", "responseTokens": "43", "totalTokens": "68"}, Usage(25, 43, 68), id="text"),
        pytest.param(
            {"promptTokens": 25.0, "responseTokens": 43.0, "totalTokens": 68.0}, Usage(25, 43, 68), id="floats"
        ),
        pytest.param({"promptTokens": 1, "responseTokens": None, "totalTokens": 1}, None, id="placeholders"),
        pytest.param({"promptTokens": "null", "responseTokens": "null", "totalTokens": "1"}, None, id="total 1"),
        pytest.param(
            {"promptTokens": "null", "responseTokens": "null", "totalTokens": "null"}, None, id="null in words"
        ),
        pytest.param({"promptTokens": 0, "responseTokens": 0, "totalTokens": 0}, None, id="zeros"),
        pytest.param({"promptTokens": -1, "responseTokens": True, "totalTokens": "x"}, None, id="no counts"),
        pytest.param({"promptTokens": "null", "responseTokens": "null"}, Usage(None, None, 68), id="a total alone"),
        pytest.param({"totalTokens": None}, Usage(25, 43, 68), id="no total"),
        pytest.param({"totalTokens": 99}, Usage(25, 43, 99, mismatch=True), id="another total"),
    ],
)
def test_counts_of_accelerators_are_numbers_or_text_or_placeholders(counts: Any, usage: Usage | None) -> None:
    assert exchange(HUB | counts).usage == usage


def test_the_landing_zones_event_has_a_total_alone() -> None:
    read = exchange(LANDING)
    assert (read.envelope, read.id, read.usage) == ("usage-only", "r1", Usage(None, None, 68))


def test_a_subscription_key_in_an_event_is_never_read() -> None:
    read = exchange(ENTERPRISE)
    assert read.usage == Usage(25, 43, 68)
    assert "a-secret" not in repr(read)


def test_bodies_beside_counts_are_read() -> None:
    read = exchange(HUB | {"requestBody": "{}", "responseBody": ANSWER})
    assert (read.request, read.response) == (Body("{}"), Body(ANSWER))


@pytest.mark.parametrize("kind", ["summary", "request-body", "response-body"])
def test_a_chunk_awaits_its_joiner(kind: str) -> None:
    chunk = {"kind": kind, "correlationId": "6f0f9a51", "chunkIndex": 0, "chunkTotal": 3, "payload": "data: {"}
    assert result(chunk) == Rejected("a chunk of an exchange: chunks are not joined yet")


def test_a_marker_is_skipped() -> None:
    assert result({"kind": "skip"}) == Skipped("a marker without an exchange")


@pytest.mark.parametrize(
    ("data", "found"),
    [
        pytest.param(b"", Rejected("an empty event"), id="empty"),
        pytest.param(b" \r\n\x00", Rejected("an empty event"), id="blank"),
        pytest.param(b"\xef\xbb\xbf", Rejected("an empty event"), id="byte order mark alone"),
        pytest.param(b"hello", Rejected("not JSON"), id="text"),
        pytest.param(b"\xff\xfe\xfd", Rejected("not JSON"), id="bytes"),
        pytest.param(b"7", Rejected("JSON, but no log record"), id="number"),
        pytest.param(b'"x"', Rejected("JSON, but no log record"), id="string"),
        pytest.param(b"[[]]", Rejected("JSON, but no log record"), id="list in a list"),
        pytest.param(b"{}", Rejected("no known envelope"), id="nothing"),
        pytest.param(b'{"a":1}', Rejected("no known envelope"), id="something else"),
        pytest.param(b"[]", Skipped("an event without records"), id="no events"),
        pytest.param(b'{"records":[]}', Skipped("an event without records"), id="no records"),
        pytest.param(b"null", Skipped("an event without records"), id="null"),
        pytest.param(b'{"records":7}', Rejected("no known envelope"), id="records of another kind"),
        pytest.param(b"[" * 10_000 + b"]" * 10_000, Rejected("nested too deeply"), id="nested"),
        pytest.param(b'{"a":' * 10_000 + b"1" + b"}" * 10_000, Rejected("nested too deeply"), id="nested objects"),
        pytest.param(b'{"a":' * 10_000, Rejected("nested too deeply"), id="nested and cut"),
    ],
)
def test_an_event_without_an_exchange_says_why(data: bytes, found: Any) -> None:
    assert result(data) == found


def test_an_event_that_its_source_could_not_read_keeps_the_reason() -> None:
    assert decode(LogEvent(b"", "-", 1, problem="a line of more than 64 MiB")) == [
        Rejected("a line of more than 64 MiB")
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_an_event_may_have_a_byte_order_mark(encoding: str) -> None:
    data = json.dumps({"ResponseBody": "Grüße"}, ensure_ascii=False).encode(encoding)
    (read,) = decode(event(data))
    assert isinstance(read, Exchange)
    assert (read.response, read.flags) == (Body("Grüße"), frozenset())


@pytest.mark.parametrize(
    ("data", "flag"),
    [
        (b'{"ResponseBody":"\xff"}', "invalid-utf8"),
        (b'{"ResponseBody":"\\ud800"}', "lone-surrogates"),
        (b'{"ResponseBody":"x","status":NaN}', "not-a-number"),
        (b'{"ResponseBody":"x","status":-Infinity}', "not-a-number"),
    ],
)
def test_what_had_to_be_done_to_read_an_event_is_flagged(data: bytes, flag: str) -> None:
    (read,) = decode(event(data))
    assert isinstance(read, Exchange)
    assert read.flags == {flag}


def test_the_last_of_duplicate_keys_wins() -> None:
    assert exchange('{"ResponseBody":"a","ResponseBody":"b"}').response == Body("b")


def test_a_category_of_the_operators_own_is_no_diagnostic_record() -> None:
    assert exchange({"category": "llm", "requestId": "r", "responseBody": ANSWER}).envelope == "native"
