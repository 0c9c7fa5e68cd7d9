"""Azure Monitor's records: GatewayLogs and GatewayLlmLogs, in every form that Azure gives them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from wire import exchange, result, results

from logcount import count_exchange
from logcount.counting import Counter
from logcount.envelopes.diagnostic import JOIN_ROWS
from logcount.model.content import Usage
from logcount.model.exchanges import LONGEST_NAME, Body, Exchange, Rejected, Skipped

ANSWER = '{"id":"chatcmpl-1","usage":{"prompt_tokens":9,"completion_tokens":12,"total_tokens":21},"choices":[]}'
PROPERTIES: dict[str, Any] = {
    "method": "POST",
    "url": "https://apim.example/openai/deployments/gpt-4o/chat/completions",
    "backendResponseCode": 200,
    "responseCode": 200,
    "responseSize": 41583,
    "cache": "none",
    "apiId": "openai",
    "operationId": "chat",
    "productId": "gold",
    "userId": "1",
    "apimSubscriptionId": "search",
    "backendId": "aoai-1",
    "clientProtocol": "HTTP/1.1",
    "requestBody": '{"messages":[{"role":"user","content":"Hi"}]}',
    "responseBody": ANSWER,
}
GATEWAY: dict[str, Any] = {
    "Level": 4,
    "isRequestSuccess": True,
    "time": "2026-11-22T10:03:17.1234567Z",
    "operationName": "Microsoft.ApiManagement/GatewayLogs",
    "category": "GatewayLogs",
    "durationMs": 152,
    "callerIpAddress": "203.0.113.7",
    "correlationId": "6f0f9a51",
    "location": "East US",
    "properties": PROPERTIES,
    "resourceId": "/SUBSCRIPTIONS/S/RESOURCEGROUPS/G/PROVIDERS/MICROSOFT.APIMANAGEMENT/SERVICE/APIM",
}
AT = datetime(2026, 11, 22, 10, 3, 17, 123456, UTC)
READ = Exchange(
    envelope="GatewayLogs",
    id="6f0f9a51",
    time=AT,
    url="https://apim.example/openai/deployments/gpt-4o/chat/completions",
    status=200,
    request=Body('{"messages":[{"role":"user","content":"Hi"}]}'),
    response=Body(ANSWER),
    dimensions={
        "API ID": "openai",
        "Operation ID": "chat",
        "Product ID": "gold",
        "User ID": "1",
        "Subscription ID": "search",
        "Location": "East US",
        "Backend ID": "aoai-1",
        "Client IP": "203.0.113.7",
    },
    any_api=True,
    correlation="6f0f9a51",
)
_TO_PASCAL = {key: key[0].upper() + key[1:] for key in PROPERTIES}
EXPORTED = {
    "TimeGenerated": "2026-11-22T10:03:17.1234567Z",
    "Type": "ApiManagementGatewayLogs",
    "CorrelationId": "6f0f9a51",
    "CallerIpAddress": "203.0.113.7",
    "Region": "East US",
    "TenantId": "t",
    **{_TO_PASCAL[key]: value for key, value in PROPERTIES.items()},
}


@pytest.mark.parametrize(
    "record",
    [
        pytest.param(GATEWAY, id="object"),
        pytest.param({"records": [GATEWAY]}, id="in records"),
        pytest.param([GATEWAY], id="in an array"),
        pytest.param(GATEWAY | {"properties": json.dumps(PROPERTIES)}, id="properties as a string"),
        pytest.param(
            GATEWAY | {"properties": {key.upper(): value for key, value in PROPERTIES.items()}}, id="in capitals"
        ),
        pytest.param(
            GATEWAY | {"properties": json.dumps({_TO_PASCAL[key]: value for key, value in PROPERTIES.items()})},
            id="of before 2019",
        ),
        pytest.param(
            GATEWAY | {"properties": PROPERTIES | {"correlationId": None, "location": None}}, id="with null properties"
        ),
        pytest.param(EXPORTED, id="exported from log analytics"),
        pytest.param(
            {key: value for key, value in GATEWAY.items() if key != "correlationId"}
            | {"properties": PROPERTIES | {"correlationId": "6f0f9a51"}},
            id="correlation id among the properties",
        ),
    ],
)
def test_a_gateway_log_with_bodies_is_an_exchange(record: Any) -> None:
    assert exchange(record) == READ


@pytest.mark.parametrize(("length", "is_kept"), [(LONGEST_NAME, True), (LONGEST_NAME + 1, False)])
def test_an_id_of_any_length_is_shown_and_a_long_one_is_not_remembered(length: int, is_kept: bool) -> None:
    identity = "6" * length
    read = exchange(GATEWAY | {"correlationId": identity})
    assert (read.id, read.correlation) == (identity, identity if is_kept else None)


def test_the_backends_bodies_stand_in_for_the_callers() -> None:
    properties = {key: value for key, value in PROPERTIES.items() if not key.endswith("Body")}
    read = exchange(GATEWAY | {"properties": properties | {"backendResponseBody": ANSWER, "responseBody": ""}})
    assert (read.request, read.response) == (None, Body(ANSWER))


def test_a_gateway_log_without_bodies_is_skipped() -> None:
    bare = {key: value for key, value in PROPERTIES.items() if not key.endswith("Body")}
    found = result(GATEWAY | {"properties": bare})
    assert isinstance(found, Skipped)
    assert (found.reason, found.id, found.time) == ("a gateway log without bodies", "6f0f9a51", AT)


@pytest.mark.parametrize("body", ["{}", '{"speakers":[]}', "<html/>", "data"])
def test_a_gateway_log_of_another_api_is_no_model_call(body: str) -> None:
    read = exchange(GATEWAY | {"properties": PROPERTIES | {"requestBody": body, "responseBody": body}})
    outcome = Counter(lambda _: None).count(read)
    assert (outcome.left_out, outcome.reason) == ("skipped", "no model call")


@pytest.mark.parametrize("category", ["GatewayMCPLogs", "WebSocketConnectionLogs", "DeveloperPortalAuditLogs", ""])
def test_another_category_is_skipped(category: str) -> None:
    assert result(GATEWAY | {"category": category}) == Skipped("a record of another log category")


@pytest.mark.parametrize("properties", [None, "", "[]", "7", [], 7, True])
def test_properties_of_another_kind_hold_nothing(properties: Any) -> None:
    assert isinstance(result(GATEWAY | {"properties": properties}), Skipped)


def test_properties_that_are_no_json_are_rejected_for_they_may_have_held_bodies() -> None:
    assert result(GATEWAY | {"properties": '{"requestBody'}) == Rejected("properties that are no JSON")


ROW = {
    "sequenceNumber": 0,
    "requestId": "chatcmpl-1",
    "modelName": "gpt-4o-2024-11-20",
    "deploymentName": "gpt-4o",
    "operationName": "ChatCompletions_Create",
    "isStreamCompletion": True,
    "promptTokens": 9,
    "completionTokens": 12,
    "totalTokens": 21,
}
LLM = {
    "time": "2026-11-22T10:03:17.1234567Z",
    "operationName": "Microsoft.ApiManagement/GatewayLlmLogs",
    "category": "GatewayLlmLogs",
    "correlationId": "6f0f9a51",
    "location": "East US",
    "properties": ROW,
}
ASKED = '[{"role":"user","content":"Hi"}]'
SAID = '[{"role":"assistant","content":"Hello"}]'


@pytest.mark.parametrize(
    "record",
    [
        pytest.param(LLM, id="object"),
        pytest.param(LLM | {"properties": json.dumps(ROW)}, id="string"),
        pytest.param(
            {"Type": "ApiManagementGatewayLlmLog", "TimeGenerated": LLM["time"], "CorrelationId": "6f0f9a51",
             "Region": "East US", "ModelName": "gpt-4o-2024-11-20", "PromptTokens": 9, "CompletionTokens": 12,
             "TotalTokens": 21},
            id="exported from log analytics",
        ),
    ],
)  # fmt: skip
def test_a_row_with_tokens_is_an_exchange(record: Any) -> None:
    assert exchange(record) == Exchange(
        envelope="GatewayLlmLogs",
        id="6f0f9a51",
        time=AT,
        model="gpt-4o-2024-11-20",
        usage=Usage(9, 12, 21),
        dimensions={"Location": "East US"},
        correlation="6f0f9a51",
    )


def test_the_deployment_stands_in_for_the_model() -> None:
    assert exchange(LLM | {"properties": ROW | {"modelName": ""}}).model == "gpt-4o"


def test_cached_tokens_of_a_row_are_read() -> None:
    read = exchange(LLM | {"properties": ROW | {"promptCachedTokens": 8}})
    assert read.usage == Usage(9, 12, 21, cached=8)


@pytest.mark.parametrize(
    ("counts", "usage"),
    [
        ({"totalTokens": None}, Usage(9, 12, 21)),
        ({"totalTokens": 0}, Usage(9, 12, 21)),
        ({"promptTokens": "9", "completionTokens": "12", "totalTokens": "21"}, Usage(9, 12, 21)),
        ({"totalTokens": 99}, Usage(9, 12, 99, mismatch=True)),
    ],
)
def test_counts_of_a_row_are_read(counts: dict[str, Any], usage: Usage) -> None:
    assert exchange(LLM | {"properties": ROW | counts}).usage == usage


@pytest.mark.parametrize(
    "row",
    [
        pytest.param({"sequenceNumber": 1, "requestId": "r", "requestMessages": ASKED}, id="request"),
        pytest.param({"sequenceNumber": 2, "requestId": "r", "responseMessages": SAID}, id="response"),
        pytest.param({"sequenceNumber": 1, "requestMessages": ASKED[:12]}, id="a piece of a request"),
        pytest.param({"modelName": "gpt-4o", "promptTokens": 0, "totalTokens": 0}, id="a model without tokens"),
    ],
)
def test_a_row_that_needs_others_awaits_its_joiner(row: dict[str, Any]) -> None:
    assert result(LLM | {"properties": row}) == Rejected(JOIN_ROWS)


@pytest.mark.parametrize("row", [{}, {"promptTokens": 0, "completionTokens": 0, "modelName": "", "requestId": ""}])
def test_a_blank_row_is_skipped(row: dict[str, Any]) -> None:
    found = result(LLM | {"properties": row})
    assert isinstance(found, Skipped)
    assert found.reason == "a log record of no model call"


@pytest.mark.parametrize("form", [json.dumps, lambda messages: messages])
def test_a_whole_conversation_in_one_row_is_an_exchange(form: Any) -> None:
    row = {"modelName": "m", "requestMessages": form(json.loads(ASKED)), "responseMessages": form(json.loads(SAID))}
    read = exchange(LLM | {"properties": row})
    assert read.request == Body({"messages": json.loads(ASKED)})
    assert read.response == Body({"choices": [{"message": message} for message in json.loads(SAID)]})


def test_an_event_may_hold_several_categories() -> None:
    found = results({"records": [GATEWAY, LLM, GATEWAY | {"category": "GatewayMCPLogs"}]})
    assert [type(item) for item in found] == [Exchange, Exchange, Skipped]


def test_a_row_counts_by_what_it_reports() -> None:
    outcome = Counter(lambda _: None).count(exchange(LLM))
    assert outcome.count is not None
    assert (outcome.count.total, outcome.count.counted_by, outcome.model) == (21, "usage", "gpt-4o-2024-11-20")


def test_counting_needs_no_tokenizer_where_usage_is_reported() -> None:
    assert count_exchange(None, ANSWER).count is not None
