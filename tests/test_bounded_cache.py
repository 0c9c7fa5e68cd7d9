"""The one cache: it gives what was put into it or nothing, and stays within its room."""

from __future__ import annotations

import subprocess
import sys
import tracemalloc
from sys import getsizeof

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from logcount import bodies
from logcount.bodies import RequestReader, message_decoder, read_request
from logcount.bodies.message_decoder import MessageDecoder
from logcount.bounded import BoundedCache, digest
from logcount.model.exchanges import Body


def _counts(room: int) -> BoundedCache[str | bytes, int]:
    return BoundedCache(room, lambda key, _count: getsizeof(key) + 28)


@given(texts=st.lists(st.text(max_size=300), max_size=60), room=st.sampled_from([0, 600, 4_000, 100_000]))
def test_it_gives_what_was_put_or_nothing(texts: list[str], room: int) -> None:
    cache = _counts(room)
    for number, text in enumerate(texts):
        cache.put(text, number)
        assert cache.young.get(text) in {None, number}
    last = {text: number for number, text in enumerate(texts)}
    for text, number in last.items():
        assert cache.get(text) in {None, number}


def test_what_is_asked_for_again_stays_and_the_rest_goes() -> None:
    cache = _counts(20_000)
    cache.put("kept", 7)
    for number in range(1_000):
        cache.put(f"other {number}", number)
        assert cache.get("kept") == 7
    assert cache.get("other 1") is None


def test_what_would_fill_half_of_a_generation_is_not_kept() -> None:
    cache = BoundedCache[str, str](10_000, lambda _key, value: len(value))
    cache.put("small", "x" * 2_000)
    cache.put("large", "x" * 2_500)
    assert (cache.get("small"), cache.get("large")) == ("x" * 2_000, None)


@pytest.mark.parametrize("length", [10, 128, 2_000])
@pytest.mark.parametrize("script", ["a", "\u4e2d", "\U0001f600"])
def test_texts_that_never_come_again_stay_within_the_room(length: int, script: str) -> None:
    room = 2 * 2**20
    tracemalloc.start()
    try:
        cache = _counts(room)
        began = tracemalloc.get_traced_memory()[0]
        tracemalloc.reset_peak()
        for number in range(60_000):
            text = f"{number:09}{script}".ljust(length, script)
            cache.put(text if length <= 128 else digest(text), 1_000 + number)
        now, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert now - began <= room
    assert peak - began <= room
    assert len(cache.young) > 500


MESSAGES = {
    "plain": '{"role":"user","content":"NUMBER TEXT"}',
    "many keys": '{"role":"user","content":"NUMBER",' + ",".join(f'"NUMBERk{n}":0' for n in range(40)) + "}",
    "numbers": '{"role":"user","content":[NUMBER,' + ",".join(f"{n}.5" for n in range(200)) + "]}",
    "nested": '{"role":"NUMBER","content":' + '{"a":' * 60 + "[[[{}]]]" + "}" * 60 + "}",
    "empty": '{"role":"NUMBER","content":[' + ",".join(["{}"] * 300) + "]}",
    "wide text": '{"role":"user","content":"NUMBER 😀' + "a" * 1_000 + '"}',
}


@pytest.mark.parametrize("message", MESSAGES.values(), ids=MESSAGES.keys())
def test_decoded_messages_that_never_come_again_stay_within_the_room(message: str) -> None:
    room = 4 * 2**20
    tracemalloc.start()
    try:
        parts = MessageDecoder(room)
        began = tracemalloc.get_traced_memory()[0]
        for number in range(4_000):
            text = message.replace("NUMBER", str(10**8 + number))
            assert parts.decode(f'{{"messages":[{text}]}}') is not None
        now = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert now - began <= room


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False) | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=20,
    )
)
def test_a_body_of_known_parts_is_decoded_as_any_other(value: object) -> None:
    parts = MessageDecoder()
    document = {"model": "m", "messages": [value, {"role": "user", "content": value}], "tools": value, "x": value}
    try:
        text = msgspec.json.encode(document).decode()
        right = msgspec.json.decode(text)
    except (UnicodeError, msgspec.DecodeError, OverflowError):
        return
    assert parts.decode(text) == right
    assert parts.decode(text) == right
    del document["messages"]
    assert parts.decode(msgspec.json.encode(document).decode()) == {k: v for k, v in right.items() if k != "messages"}


def test_lists_of_tools_that_never_come_again_stay_within_the_rooms() -> None:
    words = "a word " * 30_000
    rooms = message_decoder.ROOM + bodies._TOOLS_ROOM
    reader = RequestReader()
    tracemalloc.start()
    try:
        began = tracemalloc.get_traced_memory()[0]
        for number in range(2 * rooms // len(words)):
            function = {"name": f"t{number}", "description": f"{number} {words}"}
            asked = {"messages": [{"role": "user", "content": "Hi"}], "tools": [{"function": function}]}
            reader.read(Body(msgspec.json.encode(asked).decode()), "chat")
        now = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert rooms / 4 < now - began <= rooms


def test_nothing_is_left_of_a_cache_that_was_cleared() -> None:
    cache = _counts(4_000)
    for number in range(12):
        cache.put(f"text {number}", number)
    assert cache.young.keys() != {f"text {number}" for number in range(12)}  # some are of the older generation
    cache.clear()
    assert [cache.get(f"text {number}") for number in range(12)] == [None] * 12


def test_no_process_knows_the_digests_of_another() -> None:
    told = "from logcount.bounded import digest; print(digest('a').hex())"
    other = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True).stdout.strip()
    assert len(other) == 32
    assert other != digest("a").hex()


def test_parts_that_begin_alike_are_told_apart() -> None:
    parts = MessageDecoder()
    said = [{"role": "user", "content": "word " * 1_000 + end} for end in ("a", "b", "a", "c")]
    assert parts.decode(msgspec.json.encode({"messages": said}).decode()) == {"messages": said}


def test_the_tools_of_one_api_are_not_taken_for_those_of_another() -> None:
    function = {"name": "f", "parameters": {"type": "object"}}
    tools = [{"type": "function", "name": "g", "description": "d", "parameters": {}, "function": function}]
    asked = {"model": "m", "input": "Hi", "messages": [{"role": "user", "content": "Hi"}], "tools": tools}
    body, reader = Body(msgspec.json.encode(asked).decode()), RequestReader()
    for api in ("chat", "responses", "chat", "responses"):
        assert reader.read(body, api) == read_request(body, api)
