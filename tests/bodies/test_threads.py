"""Conversations that request bodies repeat: what is read of them is what decoding the whole body gives."""

from __future__ import annotations

import gc
import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logcount.bodies.threads import Said, Threads

if TYPE_CHECKING:
    from collections.abc import Callable

Document = dict[str, Any]

SERIALISERS: dict[str, Callable[[Document], str]] = {
    "compact": lambda value: json.dumps(value, separators=(",", ":"), ensure_ascii=False),
    "json.dumps": json.dumps,
    "indented": lambda value: json.dumps(value, indent=2, ensure_ascii=False),
}

TEXTS = st.lists(
    st.sampled_from(
        [
            *("Hello", "東京", " ", "\n", "\t\\n", '"', "\\", "}]", "[{"),
            *('},{"role":"user"}', '{"role": "user", "content": "x"}'),
        ]
    ),
    max_size=6,
).map("".join)
ROLES = st.sampled_from(["user", "assistant", "system", "tool"])
MESSAGES = st.one_of(
    st.builds(lambda role, text: {"role": role, "content": text}, ROLES, TEXTS),
    st.builds(
        lambda text: {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"id": "c", "function": {"name": "f", "arguments": json.dumps({"role": text, "a": [{}]})}}],
        },
        TEXTS,
    ),
    st.builds(lambda text: {"role": "user", "content": [{"role": "x"}, {"role": text}]}, TEXTS),
    st.builds(lambda role, text: {"content": text, "role": role}, ROLES, TEXTS),
)
FRAMES = st.sampled_from(
    [
        ({}, {}),
        ({"model": "m"}, {"temperature": 0.5}),
        ({"model": "m", "metadata": {"messages": [{"role": "nobody"}]}}, {"tools": [{"f": [{"role": 1}]}], "n": 1}),
    ]
)


def read_all(bodies: list[str], documents: list[Document], *, most: int = 40_000) -> int:
    """Read bodies one after the other, compare each with its document, and return how many were read as threads."""
    threads = Threads(lambda document: document, lambda message: message, most=most)
    read = 0
    for body, document in zip(bodies, documents, strict=True):
        found = threads.read(json.dumps(body, ensure_ascii=False).encode())
        if found is None:
            continue
        read += 1
        thread, rest = found
        assert len(thread) == len(document["messages"])
        assert thread[len(thread) - 1] == document["messages"][-1]
        assert list(thread) == document["messages"]
        assert rest == {key: value for key, value in document.items() if key != "messages"}
    return read


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.lists(MESSAGES, min_size=1, max_size=5), min_size=1, max_size=4),
    FRAMES,
    st.sampled_from(sorted(SERIALISERS)),
    st.data(),
)
def test_whatever_is_read_is_what_the_body_says(
    conversations: list[list[Document]], frame: tuple[Document, Document], serialiser: str, data: st.DataObject
) -> None:
    documents = []
    for _ in range(data.draw(st.integers(1, 8))):
        messages = data.draw(st.sampled_from(conversations))
        size = data.draw(st.integers(1, len(messages)))
        documents.append({**frame[0], "messages": messages[:size], **frame[1]})
    read_all([SERIALISERS[serialiser](document) for document in documents], documents)


@pytest.mark.parametrize("serialiser", SERIALISERS)
def test_a_conversation_that_grows_is_read_from_where_it_was_left(serialiser: str) -> None:
    messages = [{"role": ("user", "assistant")[turn % 2], "content": f"text {turn}"} for turn in range(21)]
    documents = [{"model": "m", "messages": messages[: 2 * size + 1], "stream": True} for size in range(10)]
    bodies = [SERIALISERS[serialiser](document) for document in documents]
    assert read_all(bodies, documents) == len(documents)

    decoded: list[Document] = []

    def look(message: Document) -> Document:
        decoded.append(message)
        return message

    threads = Threads(lambda document: document, look)
    for body in bodies:
        assert threads.read(json.dumps(body, ensure_ascii=False).encode()) is not None
    assert [message["content"] for message in decoded] == [f"text {turn}" for turn in range(19)]


@pytest.mark.parametrize(
    "body",
    [
        "",
        "null",
        "[]",
        '{"messages":[]}',
        '{"messages":[1,{"role":"user"}]}',
        '{"messages":[{"role":"user","content":"x"}',
        '{"messages":[{"role":"user","content":"x"}],}',
        '{"messages":[{"role":"user","content":"x"}]} more',
        '{"messages":[{"role":"user","content":"x"}],"messages":[{"role":"user","content":"y"}]}',
        '{"x":{"messages":[{"role":"user","content":"x"}]}}',
        '{"messages":[{"role":"user","content":NaN}]}',
        '{"messages":[{"role":"user","content":"\\ud800"}]}',
        '{"messages":[{"role":"user","content":"x"},]}',
    ],
)
def test_what_is_no_plain_list_of_messages_is_left_to_others(body: str) -> None:
    threads = Threads(lambda document: document, lambda message: message)
    assert threads.read(json.dumps(body).encode()) is None
    assert threads.read(json.dumps(body).encode()) is None


def test_a_body_with_a_message_that_is_not_accepted_is_left_to_others() -> None:
    def accept(message: Document) -> Document:
        if "image" in message:
            raise ValueError
        return message

    threads = Threads(lambda document: document, accept)
    messages: list[Document] = [{"role": "user", "content": "x"}]
    assert threads.read(json.dumps(json.dumps({"messages": messages})).encode()) is not None
    messages += [{"role": "assistant", "content": "y"}, {"role": "user", "image": 1}]
    assert threads.read(json.dumps(json.dumps({"messages": messages})).encode()) is None


def test_memory_is_bounded_and_what_was_forgotten_is_read_anew() -> None:
    documents = [
        {"messages": [{"role": "user", "content": f"{number} {turn}"} for turn in range(1, size)]}
        for size in range(2, 12)
        for number in range(20)
    ]
    assert read_all([json.dumps(document) for document in documents], documents, most=50) == len(documents)


@pytest.mark.parametrize("turns", [3, 80])
def test_messages_that_never_come_again_are_forgotten(turns: int) -> None:
    threads = Threads(lambda document: document, lambda message: message, most=500)
    for number in range(2000 // turns):
        messages = [{"role": "user", "content": f"{number} {turn}"} for turn in range(turns)]
        assert threads.read(json.dumps(json.dumps({"messages": messages})).encode()) is not None
    gc.collect()
    assert sum(isinstance(thing, Said) for thing in gc.get_objects()) <= 2 * 500 + turns
