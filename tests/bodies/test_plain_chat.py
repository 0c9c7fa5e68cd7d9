"""Plain chat answers, whole or streamed: what the short way reads is what reading all of the answer gives."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logcount.bodies import read_response
from logcount.bodies.chunks import plain_answer
from logcount.model.content import Finish
from logcount.model.exchanges import Body

if TYPE_CHECKING:
    from logcount.model.content import ModelResponse

Document = dict[str, Any]

TEXTS = st.sampled_from(["", "Hello", " there", "東京", '"quoted"', "\\", "a\nb", "\ud83d\ude00", "data: [DONE]"])
REASONS = st.sampled_from([None, "stop", "length", "tool_calls", "content_filter", "eos", "", "STOP", "odd"])
STOPS: st.SearchStrategy[Any] = st.sampled_from([None, "###", 128009, "end_turn"])
SOME_ID = st.sampled_from(["chatcmpl-1", 7, None])


def _some(required: dict[str, Any], optional: dict[str, Any]) -> st.SearchStrategy[Document]:
    return st.fixed_dictionaries(required, optional=optional)


SAID = _some(
    {},
    {
        "role": st.just("assistant"),
        "content": st.none() | TEXTS,
        "refusal": st.none(),
        "tool_calls": st.none(),
        "reasoning_content": st.none(),
        "annotations": st.sampled_from([[], None]),
    },
)


def _choices(key: str) -> st.SearchStrategy[Document]:
    optional = {"finish_reason": REASONS, "stop_reason": STOPS, "logprobs": st.none()}
    return _some({"index": st.integers(0, 2), key: SAID}, optional)


def _envelopes(kind: str, key: str, most: int) -> st.SearchStrategy[Document]:
    required = {"object": st.just(kind), "choices": st.lists(_choices(key), max_size=most)}
    optional = {
        "id": SOME_ID,
        "created": st.integers(0, 10**10),
        "model": st.sampled_from(["m", "", None]),
        "usage": st.none(),
        "system_fingerprint": st.just("fp"),
    }
    return _some(required, optional)


ANSWERS = _envelopes("chat.completion", "message", 3)
CHUNKS = st.lists(_envelopes("chat.completion.chunk", "delta", 2), min_size=1, max_size=8)
PLACES = ("envelope", "choice", "message")


def _at_length(document: Document, place: str) -> Document | None:
    """Return an answer with a key that nobody knows, to be read at length; None where there is no such place."""
    unknown = {"x_unknown": 1}
    if place == "envelope":
        return document | unknown
    if not document["choices"]:
        return None
    first, *others = document["choices"]
    key = "message" if "message" in first else "delta"
    changed = first | unknown if place == "choice" else first | {key: first[key] | unknown}
    return document | {"choices": [changed, *others]}


def _streamed(chunks: list[Document], ending: str = "data: [DONE]\n\n") -> str:
    return "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks) + ending


def _read(text: str, *, cut: bool = False) -> tuple[ModelResponse, frozenset[str]]:
    return read_response(Body(text, cut))


@settings(max_examples=150, deadline=None)
@given(ANSWERS, st.sampled_from(PLACES))
def test_a_whole_answer_says_the_same_read_at_length(answer: Document, place: str) -> None:
    longer = _at_length(answer, place)
    if longer is not None:
        assert plain_answer(json.dumps(longer)) is None
        assert _read(json.dumps(answer)) == _read(json.dumps(longer))


@settings(max_examples=150, deadline=None)
@given(CHUNKS, st.sampled_from(PLACES), st.sampled_from(["data: [DONE]\n\n", "", 'data: {"object"']), st.booleans())
def test_a_stream_says_the_same_read_at_length(chunks: list[Document], place: str, ending: str, cut: bool) -> None:
    for at, chunk in enumerate(chunks):
        longer = _at_length(chunk, place)
        if longer is not None:
            others = [*chunks[:at], longer, *chunks[at + 1 :]]
            assert _read(_streamed(chunks, ending), cut=cut) == _read(_streamed(others, ending), cut=cut)
            return


@settings(max_examples=100, deadline=None)
@given(CHUNKS, ANSWERS, st.floats(0, 1))
def test_an_answer_that_breaks_off_anywhere_says_the_same_read_at_length(
    chunks: list[Document], answer: Document, share: float
) -> None:
    first = dict(chunks[0])
    for short, long in (
        (_streamed([first, *chunks]), _streamed([first | {"x_unknown": 1}, *chunks])),
        (json.dumps(answer), '{"x_unknown": 1, ' + json.dumps(answer)[1:]),
    ):
        kept = int(share * len(short))
        ahead = len(long) - len(short)
        lost = len(short) - kept
        if kept > len(json.dumps(first)) + len("data: \n\n"):
            assert _read(short[:kept], cut=True) == _read(long[: kept + ahead] if lost else long, cut=True)


@pytest.mark.parametrize(
    "more",
    [
        {"choices": [{"index": 0, "message": {"content": "x", "reasoning_content": "y"}}]},
        {"choices": [{"index": 0, "message": {"content": [{"type": "text", "text": "x"}]}}]},
        {"choices": [{"index": 0, "message": {"content": "x", "refusal": "no"}}]},
        {"choices": [{"index": 0, "message": {"content": "x", "tool_calls": []}}]},
        {"choices": [{"index": 0, "message": {"content": "x"}}, {"index": 0, "message": {"content": "y"}}]},
        {"usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}},
        {"error": {"message": "no"}},
        {"object": "chat.completion.chunk"},
        {"object": None},
        {"model": 5},
    ],
)
def test_an_answer_that_is_more_than_plain_is_left_to_others(more: Document) -> None:
    plain = {"object": "chat.completion", "choices": [{"index": 0, "message": {"content": "x"}}]}
    assert plain_answer(json.dumps(plain)) is not None
    assert plain_answer(json.dumps(plain | more)) is None


def test_a_stream_is_of_the_model_that_it_names_first_and_ends_as_it_says_last() -> None:
    head = {"object": "chat.completion.chunk"}
    ended = [{"index": 0, "delta": {"content": "x"}, "finish_reason": reason} for reason in ("length", "stop")]
    chunks = [head | {"model": model, "choices": [one]} for model, one in zip(("m", "n"), ended, strict=True)]
    for stream in (chunks, [chunk | {"x_unknown": 1} for chunk in chunks]):
        told, _ = _read(_streamed(stream))
        assert told.model == "m"
        assert [(reply.text, reply.finish) for reply in told.replies] == [("xx", Finish.STOP_EITHER)]
