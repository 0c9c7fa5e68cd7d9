"""Streams that close with their usage: the first and the last chunks say what all of them say."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from wire import sse

from logcount.bodies import _all_of, _of_stream_ends, read_response
from logcount.jsontext import Escaped
from logcount.model.content import Usage
from logcount.model.exchanges import Body

thorough = settings(
    max_examples=600, derandomize=True, database=None, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)

USAGE = {"prompt_tokens": 9, "completion_tokens": 12, "total_tokens": 21}
OTHER_USAGE = {"prompt_tokens": 9, "completion_tokens": 5, "total_tokens": 14}
HEAD = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "m"}


def _chunk(finish: str | None = None, **delta: Any) -> dict[str, Any]:
    return HEAD | {"choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}]}


WORDS = (
    *("Ja", "", " nein", 'a "word"', "\n", "\\", "\\\\", "\u2028", "Grüße", "\r", "usage", "\\right", "\\new"),
    *("\U0001f600", "}\n\ndata: {", ",", "[DONE]", "error", '"error"', '"error', "NaN"),
)
CLOSING = HEAD | {"choices": [], "usage": USAGE}
SHORT = [_chunk(role="assistant", content=""), *(_chunk(content=word) for word in ("Ja", "\n", '"')), _chunk("stop")]
STREAM = [*SHORT, CLOSING]


def _escaped(text: str, ascii_only: bool = False) -> Escaped:
    return Escaped(msgspec.Raw(json.dumps(text, ensure_ascii=ascii_only).encode()))


def _assert_equal(text: Escaped) -> None:
    assert read_response(Body(text)) == _all_of(Body(text.text()), keep_replies=False)


@pytest.mark.parametrize("ascii_only", [True, False])
@pytest.mark.parametrize("done", [True, False])
@pytest.mark.parametrize("opening", [[], [{"choices": [], "model": "", "object": "", "prompt_filter_results": []}]])
def test_a_stream_that_closes_with_its_usage_is_read_at_its_ends(
    opening: list[Any], done: bool, ascii_only: bool
) -> None:
    text = _escaped(sse(*opening, *STREAM, done=done), ascii_only)
    told = _of_stream_ends(text)
    assert told is not None
    assert (told.api, told.model, told.usage, told.error, told.cut) == ("chat", "m", Usage(9, 12, 21), False, False)
    _assert_equal(text)


IN_FULL: list[Any] = [
    pytest.param(SHORT, id="no usage"),
    pytest.param([*SHORT, CLOSING | {"usage": {"prompt_tokens": 9}}], id="half a usage"),
    pytest.param([*SHORT[:-1], _chunk() | {"usage": USAGE}], id="a running count"),
    pytest.param([_chunk() | {"usage": USAGE}, *SHORT], id="a usage at the beginning alone"),
    pytest.param([{"type": "message_start"}, *STREAM], id="another API first"),
    pytest.param([{"choices": []}, {"choices": []}, *STREAM], id="no model in the first chunks"),
    pytest.param([*SHORT, {"error": {"message": "no"}}, *STREAM], id="an error"),
    pytest.param([*SHORT, 'data: {"err\\u006fr": "no"}', *STREAM], id="an error that is escaped"),
    pytest.param([*SHORT, {"type": "error"}, *STREAM], id="an error by its type"),
    pytest.param([*SHORT, "data: 7", *STREAM], id="a number between"),
    pytest.param([*SHORT, "data: [DONE]", *STREAM], id="an end between"),
    pytest.param([*SHORT, 'data: {"model":"m","usage":{"prompt_tokens":9'], id="a stream that breaks off"),
    pytest.param([CLOSING], id="one chunk"),
]


@pytest.mark.parametrize("chunks", IN_FULL)
def test_what_is_in_doubt_is_read_in_full(chunks: list[Any]) -> None:
    text = _escaped(sse(*chunks))
    assert _of_stream_ends(text) is None
    _assert_equal(text)


@pytest.mark.parametrize("letter", ['\\"', "\\n", "e"])
def test_escapes_of_the_event_hide_nothing(letter: str) -> None:
    written = {'\\"': b"\\u0022", "\\n": b"\\u000a", "e": b"\\u0065"}[letter]
    raw = bytes(_escaped(sse(*SHORT, {"error": 1}, *STREAM)).raw).replace(letter.encode(), written)
    _assert_equal(Escaped(msgspec.Raw(raw)))


def test_a_usage_in_the_middle_is_not_the_last_word() -> None:
    text = _escaped(sse(*SHORT, HEAD | {"choices": [], "usage": OTHER_USAGE}, *STREAM))
    told = _of_stream_ends(text)
    assert told is not None
    assert told.usage == Usage(9, 12, 21)
    _assert_equal(text)


@pytest.mark.parametrize("chunk", ['{"a": }', '{"a":\n1}', '{"a":\r1}', '{"a":NaN}', '{"a":"\\ud83d"}'])
def test_a_chunk_that_is_no_strict_json_inside_changes_no_usage(chunk: str) -> None:
    body = sse(*SHORT, f"data: {chunk}", *STREAM)
    told, full = _of_stream_ends(_escaped(body)), _all_of(Body(body), keep_replies=False)[0]
    assert told is not None
    assert (told.usage, told.model, told.error) == (full.usage, full.model, full.error)


USED = st.sampled_from([None, USAGE, OTHER_USAGE, {"prompt_tokens": 9}, {"completion_tokens": 0}])
CHUNKS = st.one_of(
    st.builds(lambda word: _chunk(content=word), st.sampled_from(WORDS) | st.text(max_size=3)),
    st.builds(lambda word, usage: _chunk(content=word) | {"usage": usage}, st.sampled_from(WORDS), USED),
    st.sampled_from(
        [_chunk("stop"), CLOSING, HEAD, {"error": "no"}, {"error": None}, _chunk(content=None), {"model": "n"}]
    ),
    st.sampled_from([{"type": "message_start"}, {"x_groq": {"usage": USAGE}}, "data: 7", ": alive", "data: [DONE]"]),
)


@thorough
@given(
    chunks=st.lists(CHUNKS, max_size=9),
    closing=st.sampled_from([CLOSING, _chunk("stop") | {"usage": USAGE}, _chunk(content="x") | {"usage": USAGE}]),
    ascii_only=st.booleans(),
    end=st.sampled_from(["\n", "\n", "\r\n"]),
)
def test_any_stream_says_at_its_ends_what_all_of_it_says(
    chunks: list[Any], closing: dict[str, Any], ascii_only: bool, end: str
) -> None:
    _assert_equal(_escaped(sse(*chunks, closing, end=end), ascii_only))
