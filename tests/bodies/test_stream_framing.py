"""Streams are read whichever way they were written down."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest
from wire import as_characters, frame, invoke_frame, ndjson, sse

from logcount.bodies import read_response
from logcount.bodies.framing import LOST_CHUNKS, MOST_DOCUMENTS, UNREADABLE, unframe
from logcount.model.exchanges import Body

DOCUMENTS = ({"a": 1}, {"b": "two\u2028three\x85four\u000bfive"}, {"c": [3]})
RAW = [json.dumps(document, ensure_ascii=False) for document in DOCUMENTS[:1] + DOCUMENTS[2:]]
UNESCAPED = '{"b":"two\u2028three\x85four"}'
PRETTY = "\n".join(f"data: {line}" for line in json.dumps({"a": 1, "b": {"c": 2}}, indent=1).splitlines())


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(sse(*DOCUMENTS), id="lf"),
        pytest.param(sse(*DOCUMENTS, end="\r\n"), id="crlf"),
        pytest.param(sse(*DOCUMENTS, end="\r"), id="cr"),
        pytest.param(sse(*DOCUMENTS).replace("data: ", "data:"), id="no space"),
        pytest.param(": OPENROUTER PROCESSING\n\n" + sse(*DOCUMENTS), id="comment first"),
        pytest.param(sse(DOCUMENTS[0], ": ping", ":", *DOCUMENTS[1:]), id="comments between"),
        pytest.param(sse(*(f"event: x\ndata: {json.dumps(document)}" for document in DOCUMENTS)), id="named"),
        pytest.param(sse(*(f"id: 7\nretry: 3\ndata: {json.dumps(document)}" for document in DOCUMENTS)), id="numbered"),
        pytest.param(sse(*DOCUMENTS).replace("\n\n", "\n"), id="blank lines lost"),
        pytest.param(sse(*DOCUMENTS).replace("\n\n", "\n\r\n"), id="mixed ends"),
        pytest.param(sse(*DOCUMENTS).rstrip("\n"), id="no end"),
        pytest.param("\ufeff" + sse(*DOCUMENTS), id="byte order mark"),
        pytest.param(sse(*DOCUMENTS, done=False), id="nobody says that it is done"),
        pytest.param(sse(*DOCUMENTS) + "data: [DONE]\n\n", id="done twice"),
        pytest.param(ndjson(*DOCUMENTS), id="json lines"),
        pytest.param(ndjson(*DOCUMENTS).replace("\n", "\r\n"), id="json lines with crlf"),
        pytest.param(ndjson(*DOCUMENTS).replace("\n", "\n\n"), id="json lines with blank lines"),
        pytest.param(json.dumps(DOCUMENTS), id="array"),
        pytest.param(json.dumps(DOCUMENTS, indent=2), id="pretty array"),
        pytest.param(json.dumps(sse(*DOCUMENTS)), id="a string once more than was needed"),
        pytest.param(sse(*DOCUMENTS).encode("utf-8-sig"), id="bytes"),
        pytest.param(sse(*DOCUMENTS).encode("utf-16"), id="utf-16"),
        pytest.param(gzip.compress(sse(*DOCUMENTS).encode()), id="gzip"),
        pytest.param(b"".join(map(frame, DOCUMENTS)), id="event stream"),
        pytest.param(b"".join(map(invoke_frame, DOCUMENTS)), id="event stream of base64"),
        pytest.param(as_characters(b"".join(map(frame, DOCUMENTS))), id="event stream as characters"),
        pytest.param(as_characters(b"".join(map(invoke_frame, DOCUMENTS))), id="event stream of base64 as characters"),
        pytest.param(list(DOCUMENTS), id="embedded"),
    ],
)
def test_the_documents_of_a_stream_are_found(text: Any) -> None:
    framed = unframe(Body(text))
    assert framed.documents == DOCUMENTS
    assert framed.streamed
    assert not framed.cut
    assert not framed.flags


@pytest.mark.parametrize("text", [f"{RAW[0]}\n{UNESCAPED}\n", f"data: {RAW[0]}\n\ndata: {UNESCAPED}\n\n"])
def test_line_ends_of_unicode_do_not_end_a_line(text: str) -> None:
    framed = unframe(Body(text))
    assert framed.documents == ({"a": 1}, {"b": "two\u2028three\x85four"})


def test_an_event_of_several_data_lines_is_one_document() -> None:
    assert unframe(Body(PRETTY + "\n\ndata: [DONE]\n\n")).documents == ({"a": 1, "b": {"c": 2}},)


def test_an_event_stream_whose_first_length_looks_like_a_brace_is_one() -> None:
    first = frame({"p": "x" * (ord("{") - len(frame({"p": ""})))})
    assert first[:4] == b"\0\0\0{"
    framed = unframe(Body(as_characters(first + frame({"stopReason": "end_turn"}))))
    assert len(framed.documents) == 2


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("<html>Bad Gateway</html>", id="html"),
        pytest.param("Internal Server Error", id="text"),
        pytest.param('{"a": nope}', id="broken json"),
        pytest.param('{"a":1}}', id="one bracket too many"),
        pytest.param("[" * 10_000, id="nesting that breaks off"),
        pytest.param("[" * 10_000 + "]" * 10_000, id="nesting"),
        pytest.param('{"a":' * 10_000 + "1" + "}" * 10_000, id="nesting of objects"),
        pytest.param("\x1f\x8b not gzip", id="no gzip"),
        pytest.param(b"\x1f\x8b\x08 not gzip", id="broken gzip"),
        pytest.param(b"\xff\xfb\x90\x00ID3", id="audio"),
    ],
)
def test_a_body_in_no_known_framing_is_flagged(text: Any) -> None:
    framed = unframe(Body(text))
    assert not framed.documents
    assert UNREADABLE in framed.flags


@pytest.mark.parametrize("text", ["", " \r\n", "null", "[]", "[null, 1]", b"", [], {}, "data: [DONE]\n\n", "\x00"])
def test_an_empty_body_says_nothing(text: Any) -> None:
    response, _ = read_response(Body(text))
    assert (response.usage, response.replies, response.error) == (None, (), False)


def test_a_chunk_that_cannot_be_read_makes_the_rest_a_lower_bound() -> None:
    chunk = {"choices": [{"index": 0, "delta": {"content": "Hi"}, "finish_reason": "stop"}]}
    response, flags = read_response(Body(sse(chunk, "data: {broken}", chunk)))
    assert LOST_CHUNKS in flags
    assert response.cut


def test_a_gzip_bomb_is_expanded_within_bounds() -> None:
    bomb = gzip.compress(b'{"a":"' + b"x" * (80 * 2**20) + b'"}', compresslevel=1)
    framed = unframe(Body(bomb))
    assert framed.cut


def test_the_exception_frame_of_an_event_stream_is_an_error() -> None:
    refused = frame({"message": "Too many requests"}, "throttlingException", exception=True)
    response, _ = read_response(Body(refused))
    assert response.error


MANY = MOST_DOCUMENTS + 1


@pytest.mark.parametrize(
    "body",
    [
        pytest.param("[" + "{}," * MANY + "{}]", id="array"),
        pytest.param([{}] * MANY, id="embedded"),
        pytest.param('{"a":1}\n' * MANY, id="json lines"),
        pytest.param("[]\n" * MANY, id="lines of lists"),
        pytest.param("data:{}\n\n" * MANY, id="events"),
        pytest.param("data:{\n\n" * MANY, id="broken events"),
        pytest.param(frame({}) * MANY, id="event stream"),
        pytest.param(as_characters(frame({"a": 1})) * MANY, id="event stream as characters"),
    ],
)
def test_no_more_documents_are_read_than_a_stream_can_have(body: Any) -> None:
    framed = unframe(Body(body))
    assert len(framed.documents) <= MOST_DOCUMENTS
    assert LOST_CHUNKS in framed.flags
    response, _ = read_response(Body(body))
    assert response.cut


def test_a_stream_as_long_as_can_be_is_read_whole() -> None:
    framed = unframe(Body("data:{}\n\n" * MOST_DOCUMENTS))
    assert (len(framed.documents), framed.cut, framed.flags) == (MOST_DOCUMENTS, False, frozenset())


@pytest.mark.parametrize("payload", ['{"a', '{"a":', '{"a":[1,'])
def test_very_many_broken_payloads_are_given_up(payload: str) -> None:
    framed = unframe(Body("\ufffd:message-type\x07" + payload * 200_000))
    assert framed.cut


@pytest.mark.parametrize("lost", [1, 10, 40])
def test_an_event_stream_that_breaks_off_is_cut(lost: int) -> None:
    stream = b"".join(map(invoke_frame, DOCUMENTS))
    framed = unframe(Body(stream[:-lost]))
    assert framed.documents == DOCUMENTS[:2]
    assert framed.cut
