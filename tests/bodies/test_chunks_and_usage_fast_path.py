"""Answers of which only a part is built: what they say equals what all of them says."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from wire import ndjson, sse

from logcount import jsontext
from logcount.bodies import _all_of, read_response
from logcount.bodies.chunks import Chunks
from logcount.bodies.framing import LOST_CHUNKS, unframe
from logcount.bodies.usage_fast_path import answer_with_usage
from logcount.model.content import Usage
from logcount.model.exchanges import Body

thorough = settings(
    max_examples=300, derandomize=True, database=None, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)

USAGE = {"prompt_tokens": 9, "completion_tokens": 12, "total_tokens": 21}
ANSWER: dict[str, Any] = {
    "id": "c1",
    "object": "chat.completion",
    "model": "m",
    "choices": [{"index": 0, "message": {"content": "Ja"}, "finish_reason": "stop"}],
    "usage": USAGE | {"prompt_tokens_details": {"cached_tokens": 4}, "completion_tokens_details": {}},
}
CHUNK: dict[str, Any] = {
    "object": "chat.completion.chunk",
    "model": "m",
    "choices": [{"index": 0, "delta": {"content": "Ja"}, "finish_reason": None}],
}
ENDED = CHUNK | {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}


def test_a_chat_completion_with_whole_usage_takes_the_usage_fast_path() -> None:
    told = answer_with_usage(json.dumps(ANSWER))
    assert told is not None
    assert (told.api, told.model, told.usage) == ("chat", "m", Usage(9, 12, 21, cached=4))


@pytest.mark.parametrize(
    "answer",
    [
        ANSWER | {"usage": None},
        ANSWER | {"usage": {"prompt_tokens": 0, "completion_tokens": 0, "input_tokens": 5}},
        ANSWER | {"usage": {"prompt_tokens": 9}},
        ANSWER | {"usage": USAGE | {"completion_tokens": -1}},
        ANSWER | {"usage": USAGE | {"completion_tokens": 2**53 + 1}},
        ANSWER | {"usage": USAGE | {"completion_tokens": "12"}},
        ANSWER | {"model": ""},
        ANSWER | {"model": None, "response": {"model": "n"}},
        ANSWER | {"object": "response"},
        ANSWER | {"object": "text_completion"},
        ANSWER | {"type": "message", "content": []},
        ANSWER | {"error": {"message": "filtered"}},
        [ANSWER],
    ],
)
def test_what_is_in_doubt_is_read_in_full(answer: Any) -> None:
    body = json.dumps(answer)
    assert answer_with_usage(body) is None
    assert read_response(Body(body)) == _all_of(Body(body), keep_replies=False)


@pytest.mark.parametrize(
    "more",
    [
        {"prompt_cache_hit_tokens": 5},
        {"prompt_cache_hit_tokens": 5, "prompt_tokens_details": {"cached_tokens": 4}},
        {"prompt_tokens_details": None},
        {"total_tokens": 99},
    ],
)
@pytest.mark.parametrize("cut", [True, False])
def test_the_usage_fast_path_misses_nothing(more: dict[str, Any], cut: bool) -> None:
    body = Body(json.dumps(ANSWER | {"usage": USAGE | more}), cut)
    response, _ = read_response(body)
    assert response == _all_of(body, keep_replies=False)[0]
    assert response.cut == cut


USAGES: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.just({}),
    st.dictionaries(
        st.sampled_from(
            [
                *("prompt_tokens", "completion_tokens", "total_tokens", "input_tokens", "output_tokens"),
                *("prompt_cache_hit_tokens", "cache_read_input_tokens"),
            ]
        ),
        st.one_of(
            st.integers(-1, 30), st.sampled_from([2**53, 2**53 + 1, 10**30, 9.0, 9.5, "7", True, None]), st.just([])
        ),
    ),
    st.fixed_dictionaries(
        {"prompt_tokens": st.integers(0, 9), "completion_tokens": st.integers(0, 9)},
        optional={
            "total_tokens": st.integers(0, 18),
            "prompt_tokens_details": st.sampled_from([None, {}, {"cached_tokens": 3}, {"cached_tokens": 9.0}, [], "x"]),
            "completion_tokens_details": st.sampled_from([None, {"reasoning_tokens": 2}, {"reasoning_tokens": "2"}]),
            "prompt_cache_hit_tokens": st.sampled_from([None, 5, "5"]),
        },
    ),
)
ANSWERS = st.fixed_dictionaries(
    {"object": st.sampled_from(["chat.completion", "chat.completion.chunk", "response", "error", None, 7])},
    optional={
        "model": st.sampled_from(["m", "", None, 7]),
        "type": st.sampled_from([None, "error", "message", "response.done", 7]),
        "error": st.sampled_from([None, {}, "", {"message": "no"}, False]),
        "choices": st.sampled_from([[], None, ANSWER["choices"], CHUNK["choices"], ENDED["choices"]]),
        "usage": USAGES,
        "x_groq": st.fixed_dictionaries({"usage": USAGES}),
        "content": st.sampled_from([[], "error"]),
    },
)


@thorough
@given(answer=ANSWERS)
def test_any_answer_says_on_the_usage_fast_path_what_it_says_in_full(answer: Any) -> None:
    body = json.dumps(answer)
    assert read_response(Body(body)) == _all_of(Body(body), keep_replies=False)


def _eager(body: str) -> Body:
    """Return a stream as the list of its documents, all of which are built."""
    return Body(list(unframe(Body(body)).documents))


@thorough
@given(answers=st.lists(ANSWERS, min_size=1, max_size=5))
def test_any_stream_says_the_same_when_all_of_it_is_built(answers: list[Any]) -> None:
    body = sse(*answers)
    assert isinstance(unframe(Body(body)).documents, Chunks)
    assert read_response(Body(body)) == read_response(Body(answers))
    assert _eager(body) == Body(answers)


WRITTEN: list[Any] = [
    pytest.param(sse(CHUNK, ENDED), True, id="as most write it"),
    pytest.param(sse(CHUNK, ENDED, end="\r\n"), True, id="with carriage returns"),
    pytest.param(sse(CHUNK, ENDED, done=False), True, id="without an end"),
    pytest.param(sse(CHUNK, ENDED).replace("data: ", "data:"), True, id="without blanks"),
    pytest.param(sse(CHUNK, ENDED).replace("data: {", "event: x\ndata: {"), True, id="with names"),
    pytest.param(sse(CHUNK, ENDED).replace("\n\n", "\n"), True, id="with lost line ends"),
    pytest.param(sse(CHUNK, ENDED).replace("\n\n", "\n: alive\n\n"), True, id="with comments"),
    pytest.param(sse(CHUNK, "data: 7", ENDED), False, id="with a number between"),
    pytest.param(sse(CHUNK, "data: [DONE]", ENDED), True, id="with an end between"),
    pytest.param(ndjson(CHUNK, ENDED), True, id="as lines"),
]


@pytest.mark.parametrize(("body", "in_part"), WRITTEN)
def test_a_stream_is_built_in_part_however_it_is_written(body: str, in_part: bool) -> None:
    framed = unframe(Body(body))
    assert framed.documents == (CHUNK, ENDED)
    assert isinstance(framed.documents, Chunks) == in_part
    assert (framed.cut, framed.flags) == (False, frozenset())


@pytest.mark.parametrize("done", [True, False])
def test_a_stream_that_came_to_its_end_is_not_cut(done: bool) -> None:
    framed = unframe(Body(sse(CHUNK, ENDED, done=done), cut=True))
    assert isinstance(framed.documents, Chunks)
    assert framed.cut != done


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n"])
def test_a_line_end_within_a_chunk_loses_it(end: str) -> None:
    framed = unframe(Body(f'data: {{"a":{end}1}}\n\ndata: {{"b": 2}}\n\n'))
    assert framed.documents == ({"b": 2},)
    assert framed.flags == {LOST_CHUNKS}


def test_a_chunk_is_built_when_it_is_asked_for() -> None:
    chunks = Chunks([json.dumps(CHUNK), json.dumps(ENDED)])
    assert (len(chunks), chunks[-1], chunks[0:1]) == (2, ENDED, [CHUNK])
    assert list(reversed(chunks)) == [ENDED, CHUNK]
    assert chunks[1] is chunks[1]
    assert not chunks.any_error
    with pytest.raises(IndexError):
        chunks[2]


@pytest.mark.parametrize("error", [{"error": "no"}, {"type": "error"}, {"object": "error"}, {"err\\u006fr": 1}])
def test_an_error_is_told_wherever_it_stands(error: dict[str, Any]) -> None:
    piece = json.dumps(error).replace("\\\\", "\\")
    assert Chunks([json.dumps(CHUNK), piece, json.dumps(ENDED)]).any_error


@pytest.mark.parametrize("piece", ["", "7", "[]", '{"a":NaN}', '{"a":"\\ud800"}', '{"a":"\ud800"}', '{"a":1', "[DONE]"])
def test_a_piece_that_is_no_whole_object_is_told_at_once(piece: str) -> None:
    with pytest.raises(jsontext.NotJson, match="no JSON object"):
        Chunks([json.dumps(CHUNK), piece])


def test_a_number_that_nobody_reads_leaves_its_chunk_empty() -> None:
    assert list(Chunks(['{"a":' + "9" * 5000 + "}", "{}"])) == [{}, {}]
