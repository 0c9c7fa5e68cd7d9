"""Whole events: what is read in one pass, with the bodies left as they lie there, equals what the document gives."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from wire import event, sse

from logcount.counting import Counter
from logcount.envelopes import decode, read_document
from logcount.envelopes.mapped import Mapped
from logcount.envelopes.whole import read_whole
from logcount.jsontext import INVALID_UTF8, LONE_SURROGATES, Escaped
from logcount.model.exchanges import Decoded, Exchange

if TYPE_CHECKING:
    from logcount.model.counts import Outcome

thorough = settings(
    max_examples=400,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)

USAGE = {"prompt_tokens": 9, "completion_tokens": 12, "total_tokens": 21, "prompt_tokens_details": {"cached_tokens": 4}}
ASKED = {"model": "m", "messages": [{"role": "user", "content": 'Grüße,\n"Welt" \\ \U0001f600'}]}
ANSWER = {
    "id": "c1",
    "object": "chat.completion",
    "model": "m",
    "choices": [{"index": 0, "message": {"content": 'Ja, "ja"\u2028'}, "finish_reason": "stop"}],
    "usage": USAGE,
}
CHUNK = {
    "id": "c1",
    "object": "chat.completion.chunk",
    "model": "m",
    "choices": [{"index": 0, "delta": {"content": "Ja"}, "finish_reason": None}],
}
STREAM = sse(CHUNK, CHUNK, CHUNK | {"choices": [], "usage": USAGE})
NATIVE: dict[str, Any] = {
    "v": 1,
    "requestId": "r1",
    "time": "2026-11-22T10:03:17.1234567Z",
    "apiId": "openai",
    "productId": "NA",
    "userId": "7",
    "subscriptionId": "search",
    "location": "East US",
    "clientIp": "203.0.113.7",
    "url": "https://apim.example/openai/deployments/gpt-4o/chat/completions",
    "status": 200,
    "model": None,
    "dimensions": {"Team": "search", "Floor": 3},
    "usage": USAGE,
    "responseEncoding": "utf8",
    "responseBody": json.dumps(ANSWER),
    "requestBody": json.dumps(ASKED, ensure_ascii=False),
}
SEED = {"RequestId": 7, "RequestBody": json.dumps(ASKED), "ResponseBody": STREAM}
GATEWAY: dict[str, Any] = {
    "Level": 4,
    "isRequestSuccess": True,
    "time": "2026-11-22T10:03:17.1234567Z",
    "category": "GatewayLogs",
    "callerIpAddress": "203.0.113.7",
    "correlationId": "r1",
    "location": "East US",
    "properties": {
        "url": "https://apim.example/openai/deployments/gpt-4o/chat/completions",
        "responseCode": 200,
        "apiId": "openai",
        "apimSubscriptionId": "search",
        "userId": None,
        "requestBody": json.dumps(ASKED),
        "responseBody": STREAM,
    },
    "resourceId": "/SUBSCRIPTIONS/S",
}
WHOLE: list[Any] = [
    pytest.param(NATIVE, id="native"),
    pytest.param(NATIVE | {"responseBody": STREAM, "usage": None}, id="native with a stream"),
    pytest.param(NATIVE | {"responseBody": ANSWER, "requestBody": ASKED}, id="native with embedded bodies"),
    pytest.param(NATIVE | {"responseBody": "", "requestBody": None}, id="native without bodies"),
    pytest.param(NATIVE | {"responseBody": [], "requestBody": {}}, id="native with empty bodies"),
    pytest.param(NATIVE | {"responseBody": 7, "requestBody": True}, id="native with bodies of other kinds"),
    pytest.param(NATIVE | {"responseBody": "eyJ9", "responseEncoding": "base64"}, id="native in base64"),
    pytest.param(NATIVE | {"part": 1, "parts": 2}, id="a part"),
    pytest.param(SEED, id="seed"),
    pytest.param(GATEWAY, id="gateway log"),
    pytest.param({"records": [GATEWAY, GATEWAY | {"correlationId": "r2"}]}, id="gateway logs"),
    pytest.param(GATEWAY | {"properties": {"responseBody": "", "backendResponseBody": STREAM}}, id="a backend's body"),
    pytest.param(GATEWAY | {"properties": {}}, id="gateway log without bodies"),
]


def _outcomes(found: list[Decoded]) -> list[Outcome]:
    counter = Counter(lambda _: None)
    return [counter.count(result) for result in found if isinstance(result, Exchange)]


def _assert_equal(data: bytes) -> None:
    found, reference = decode(event(data)), read_document(data)
    assert found == reference
    assert _outcomes(found) == _outcomes(reference)


@pytest.mark.parametrize("ascii_only", [True, False])
@pytest.mark.parametrize("document", WHOLE)
def test_a_whole_event_is_read_in_one_pass(document: dict[str, Any], ascii_only: bool) -> None:
    data = json.dumps(document, ensure_ascii=ascii_only).encode()
    assert read_whole(data) == read_document(data)
    _assert_equal(data)


def test_bodies_stay_as_they_lie_in_the_event() -> None:
    data = json.dumps(NATIVE).encode()
    (found,) = decode(event(data))
    assert isinstance(found, Exchange)
    assert found.request is not None
    assert isinstance(found.request.data, Escaped)
    assert bytes(found.request.data.data) in data
    assert found.request.data.text() == NATIVE["requestBody"]


DOUBTFUL: list[Any] = [
    pytest.param(NATIVE | {"mine": 1}, id="a field that is not known"),
    pytest.param(NATIVE | {"apiId": 7}, id="an id that is a number"),
    pytest.param({"v": 1, "requestId": "r1", "APIID": "openai", "responseBody": "{}"}, id="a field in other letters"),
    pytest.param({"time": None} | NATIVE, id="another field first"),
    pytest.param(NATIVE | {"kind": "skip"}, id="a marker"),
    pytest.param(NATIVE | {"totalTokens": 7}, id="counts at the top"),
    pytest.param({"v": 1, "usage": USAGE}, id="no body at all"),
    pytest.param(SEED | {"extra": 1}, id="a seed's with another field"),
    pytest.param(GATEWAY | {"category": "gatewaylogs"}, id="a category in other letters"),
    pytest.param(GATEWAY | {"category": "GatewayLlmLogs"}, id="an LLM log"),
    pytest.param(GATEWAY | {"properties": json.dumps(GATEWAY["properties"])}, id="properties in a string"),
    pytest.param({"records": []}, id="no records"),
    pytest.param({"records": [GATEWAY, None]}, id="a record that is none"),
    pytest.param({"records": [GATEWAY, {"records": [GATEWAY]}]}, id="records in records"),
    pytest.param([NATIVE], id="an array"),
]


@pytest.mark.parametrize("document", DOUBTFUL)
def test_what_is_in_doubt_is_read_as_a_document(document: Any) -> None:
    data = json.dumps(document).encode()
    assert read_whole(data) is None
    _assert_equal(data)


BYTES = {
    "bytes that are no UTF-8 in a request": (b'{"v":1,"responseBody":"{}","requestBody":"\xff"}', {INVALID_UTF8}),
    "half a surrogate pair in a request": (b'{"v":1,"responseBody":"{}","requestBody":"\\ud800"}', {LONE_SURROGATES}),
    "a raw line end in a request": (b'{"v":1,"responseBody":"{}","requestBody":"a\nb"}', set()),
    "a number beyond floats": (b'{"v":1,"responseBody":{"a":1e999},"requestBody":{"b":-1e999}}', set()),
    "the same key twice": (b'{"v":1,"responseBody":"{}","responseBody":"[]","requestBody":"","requestBody":{}}', set()),
    "a key in escapes": (b'{"v":1,"responseBod\\u0079":"{}","requestBody":""}', set()),
    "blanks around it": (b' {"v":1,"responseBody":"{}"}\r\n', set()),
    "zeros after it": (b'{"v":1,"responseBody":"{}"}\x00\x00', set()),
    "a byte order mark": (b'\xef\xbb\xbf{"v":1,"responseBody":"{}"}', set()),
}


@pytest.mark.parametrize("what", BYTES)
def test_odd_bytes_are_noticed_wherever_they_are(what: str) -> None:
    data, flags = BYTES[what]
    (found,) = decode(event(data))
    assert isinstance(found, Exchange)
    assert found.flags == flags
    _assert_equal(data)


@pytest.mark.parametrize(
    "body", [rb'"\x"', rb'"\ud800\u0041x', b'"a" "b"', b"{1:2}", b"[1,]", b"tru", b"01", b'"' + b"9" * 9]
)
def test_a_request_that_is_no_json_is_noticed_though_nobody_needs_it(body: bytes) -> None:
    _assert_equal(b'{"v":1,"responseBody":"{}","requestBody":' + body + b"}")


def test_a_number_that_nobody_reads_is_noticed() -> None:
    _assert_equal(b'{"v":1,"responseBody":"{}","requestBody":[' + b"9" * 5000 + b"]}")


def test_an_operators_own_envelope_goes_first() -> None:
    own = Mapped("ours", "apiId", {"responseBody": "requestBody"}, {})
    data = json.dumps(NATIVE).encode()
    assert [result.envelope for result in decode(event(data), [own]) if isinstance(result, Exchange)] == ["ours"]
    other = Mapped("ours", "theirs.id", {"responseBody": "requestBody"}, {})
    assert decode(event(data), [other]) == decode(event(data))


SPLINTERS = (
    *(b'"', b"\\", b"\\u", b"\\ud800", b"\\u0065", b"NaN", b"null", b"{}", b"[]", b",", b":", b"1e999", b"01", b"true"),
    *(b"\xff", b"\xe2\x82", b"\xef\xbb\xbf", b"\x00", b"\n", b"\r", b"\x07", b"\\n\\ndata: ", b"\\r\\n", b"[DONE]"),
    *(b'"requestBody":"x",', b'"responseBody":{},', b'"parts":2,', b'"category":"GatewayLogs",', b'"status":500,'),
    *(b'"usage":{"prompt_tokens":7,"completion_tokens":1},', b'\\"usage\\":null,', b'\\"error\\":{},', b'"v":2,'),
    *(b'\\"error\\":{\\"a\\":1},', b'\\"object\\":\\"error\\",', b'\\"model\\":\\"\\",', b'\\"type\\":\\"error\\",'),
)
EVENTS = tuple(
    json.dumps(param.values[0], ensure_ascii=ascii_only).encode() for param in WHOLE for ascii_only in (True, False)
)


@st.composite
def splintered(draw: st.DrawFn) -> bytes:
    """Return an event of which bytes were cut, changed, doubled, lost or put between."""
    data = bytearray(draw(st.sampled_from(EVENTS)))
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(data)))
        end = min(len(data), start + draw(st.integers(0, 12)))
        match draw(st.integers(0, 4)):
            case 0:
                del data[start:]
            case 1:
                del data[start:end]
            case 2:
                data[start:start] = draw(st.sampled_from(SPLINTERS))
            case 3:
                data[start:end] = draw(st.binary(max_size=4))
            case _:
                data[start:start] = data[max(0, start - draw(st.integers(0, 300))) : start]
    return bytes(data)


@thorough
@given(data=splintered())
@example(data=b'{"v":1,"responseBody":"{}","requestBody":"a\\u00"}')
def test_whatever_befell_an_event_it_is_read_as_its_document_is(data: bytes) -> None:
    _assert_equal(data)
