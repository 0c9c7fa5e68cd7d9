"""Streams of which one chunk speaks for many: what they say equals what all of their chunks say."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from wire import sse

from logcount.bodies import _all_of, _of_runs, read_response
from logcount.bodies.runs import read_runs
from logcount.content import Usage
from logcount.exchanges import Body
from logcount.jsontext import Escaped

thorough = settings(
    max_examples=1200, derandomize=True, database=None, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)

USAGE = {"prompt_tokens": 9, "completion_tokens": 12, "total_tokens": 21}
HEAD = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "m"}


def _chunk(finish: str | None = None, **delta: Any) -> dict[str, Any]:
    return HEAD | {"choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}]}


def _call(arguments: str) -> dict[str, Any]:
    return _chunk(tool_calls=[{"index": 0, "function": {"arguments": arguments}}])


WORDS = (
    *("Ja", "", " nein", 'a "word"', "\n", "\\", "\\\\", "\u2028", "Grüße"),
    *("\U0001f600", "}\n\ndata: {", ",", "[DONE]"),
)
CLOSING = HEAD | {"choices": [], "usage": USAGE}
STREAM = [_chunk(role="assistant", content=""), *(_chunk(content=word) for word in WORDS), _chunk("stop"), CLOSING]


def _escaped(text: str, ascii_only: bool = False) -> Escaped:
    return Escaped(msgspec.Raw(json.dumps(text, ensure_ascii=ascii_only).encode()))


def _assert_equal(text: Escaped) -> None:
    assert read_response(Body(text)) == _all_of(Body(text.text()), keep_replies=False)


@pytest.mark.parametrize("ascii_only", [True, False])
@pytest.mark.parametrize("done", [True, False])
@pytest.mark.parametrize("opening", [[], [{"choices": [], "model": "", "object": "", "prompt_filter_results": []}]])
def test_a_stream_that_ends_with_its_usage_is_told_by_few_of_its_chunks(
    opening: list[Any], done: bool, ascii_only: bool
) -> None:
    text = _escaped(sse(*opening, *STREAM, done=done), ascii_only)
    runs = read_runs(bytes(text.raw))
    assert runs is not None
    assert len(runs.documents) < len(opening) + len(STREAM)
    told = _of_runs(text)
    assert told is not None
    assert (told.api, told.model, told.usage, told.error) == ("chat", "m", Usage(9, 12, 21), False)
    _assert_equal(text)


def test_thoughts_calls_and_words_are_runs_of_their_own() -> None:
    thoughts = [_chunk(reasoning_content=word) for word in WORDS[:4]]
    chunks = [*thoughts, *STREAM[:6], *(_call(word) for word in WORDS[:5]), CLOSING]
    runs = read_runs(bytes(_escaped(sse(*chunks)).raw))
    assert runs is not None
    assert runs.documents[0] == thoughts[0]
    assert runs.documents[-1] == CLOSING
    assert runs.opening == [thoughts[0]]
    _assert_equal(_escaped(sse(*chunks)))


NOT_TOLD: list[Any] = [
    pytest.param([*STREAM[:-1]], id="no usage"),
    pytest.param([*STREAM[:-1], CLOSING | {"usage": {"prompt_tokens": 9}}], id="half a usage"),
    pytest.param([*STREAM[:-2], _chunk() | {"usage": USAGE}], id="a running count"),
    pytest.param([{"type": "message_start"}, *STREAM], id="another API first"),
    pytest.param([*STREAM[:4], _chunk("stop"), *STREAM[4:]], id="another chunk between"),
    pytest.param([HEAD | {"n": number} for number in range(40)] + [CLOSING], id="chunks that all differ"),
    pytest.param(["data: 7", *STREAM], id="a number among them"),
    pytest.param([*STREAM, 'data: {"a":"\n"}'], id="a line end in a text"),
    pytest.param([*STREAM[:-1], 'data: {"model":"m","usage":{"prompt_tokens":9'], id="a stream that breaks off"),
]


@pytest.mark.parametrize("chunks", NOT_TOLD)
def test_what_is_in_doubt_is_told_by_all_of_the_chunks(chunks: list[Any]) -> None:
    text = _escaped(sse(*chunks))
    assert _of_runs(text) is None
    _assert_equal(text)


def test_an_error_is_no_part_of_a_run() -> None:
    text = _escaped(sse(*STREAM[:-1], {"error": {"message": "no"}}, CLOSING))
    told = _of_runs(text)
    assert told is not None
    assert told.cut
    _assert_equal(text)


@thorough
@given(
    chunks=st.lists(
        st.one_of(
            st.builds(lambda word: _chunk(content=word), st.sampled_from(WORDS) | st.text(max_size=3)),
            st.builds(_call, st.sampled_from(WORDS)),
            st.sampled_from([_chunk("stop"), CLOSING, HEAD, {"error": "no"}, _chunk(content=None), _chunk(text="x")]),
        ),
        max_size=9,
    ),
    closing=st.sampled_from([CLOSING, _chunk("stop") | {"usage": USAGE}, _chunk(content="x") | {"usage": USAGE}]),
)
def test_any_stream_says_by_its_runs_what_all_of_it_says(chunks: list[Any], closing: dict[str, Any]) -> None:
    _assert_equal(_escaped(sse(*chunks, closing)))


SPLINTERS = (
    *(rb"\n\ndata: ", rb"\n", rb"\r", rb"\"", rb"\\", rb"\\\"", rb"\u0022", rb"\u005c", rb"\\u00", rb"\\ud83d", b","),
    *(b"}", b"{", b"{}", b"]", b"[DONE]", rb"}\n\ndata: {", rb"\"error\":1,", rb"\"content\":\"", b"x", b"\xc3\xbc"),
    *(rb"\"},\"logprobs\":null,\"finish_reason\":null}]}", rb"\"model\":\"n\",", rb"\"usage\":null,", rb"\u0009"),
)
RAW = tuple(
    json.dumps(sse(*chunks), ensure_ascii=ascii_only, separators=(",", ":")).encode()
    for chunks in (STREAM, [STREAM[0], *map(_call, WORDS), CLOSING], [*STREAM[:5], CLOSING])
    for ascii_only in (True, False)
)


@st.composite
def splintered(draw: st.DrawFn) -> bytes:
    """Return a stream, escaped, of which bytes were lost, doubled, or put between."""
    data = bytearray(draw(st.sampled_from(RAW)))
    for _ in range(draw(st.integers(1, 2))):
        start = draw(st.integers(1, len(data) - 1))
        match draw(st.integers(0, 2)):
            case 0:
                del data[start : min(len(data) - 1, start + draw(st.integers(1, 9)))]
            case 1:
                data[start:start] = draw(st.sampled_from(SPLINTERS))
            case _:
                data[start:start] = data[max(1, start - draw(st.integers(0, 300))) : start]
    return bytes(data)


@thorough
@given(data=splintered())
@example(data=RAW[0].replace(rb"\"Ja\"", rb"\"Ja\\\""))
@example(data=RAW[0].replace(rb"\"Ja\"", rb"\"\\ud83d\"").replace(rb"\" nein\"", rb"\"\\ude00\""))
def test_whatever_befell_a_stream_its_runs_say_what_all_of_it_says(data: bytes) -> None:
    try:
        msgspec.json.decode(data, type=str)
    except (msgspec.DecodeError, UnicodeError):
        return
    _assert_equal(Escaped(msgspec.Raw(data)))
