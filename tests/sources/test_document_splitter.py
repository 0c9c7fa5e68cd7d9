"""The splitter of JSON documents against the decoder of the standard library."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logcount.sources.archive.documents import split_document
from logcount.sources.archive.streams import BrokenStream

AMPLE = 1 << 20

# Strings made of what a splitter could stumble over, beside any others.
strings = st.text(alphabet=st.sampled_from('"\\{}[],: \n\tax€\U0001f600'), max_size=12) | st.text(max_size=90)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | strings | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(strings, inner, max_size=3),
    max_leaves=12,
)
nested = values.map(lambda value: json.dumps({"a": json.dumps({"b": json.dumps(value)})}))
elements = values | nested
plain_objects = st.dictionaries(strings.filter(lambda name: name != "records"), elements, max_size=3)
records = st.fixed_dictionaries({"records": st.lists(elements, max_size=4)})
documents = st.lists(elements, max_size=4) | records | plain_objects


def expected(document: Any) -> list[Any]:
    if isinstance(document, list):
        return document
    if "records" in document:
        return [{"records": [record]} for record in document["records"]]
    return [document]


def in_chunks(text: bytes, sizes: list[int]) -> list[bytes]:
    chunks = []
    for size in [*sizes, len(text)]:
        chunks.append(text[:size])
        text = text[size:]
    return chunks


def read(chunks: list[bytes]) -> tuple[list[bytes | None], str | None]:
    """Return what is given, and why it ends where it should not."""
    given: list[bytes | None] = []
    try:
        given.extend(split_document(chunks, AMPLE))
    except BrokenStream as broken:
        return given, broken.reason
    return given, None


@given(
    documents=st.lists(documents, min_size=1, max_size=3),
    indent=st.sampled_from([None, 0, 2]),
    ascii_only=st.booleans(),
    sizes=st.lists(st.integers(0, 40), max_size=200),
)
def test_any_chunking_gives_the_elements_that_json_gives(
    documents: list[Any], indent: int | None, ascii_only: bool, sizes: list[int]
) -> None:
    text = "\n".join(json.dumps(one, indent=indent, ensure_ascii=ascii_only) for one in documents).encode()

    given = [json.loads(element) for element in split_document(in_chunks(text, sizes), AMPLE) if element is not None]

    assert given == [element for document in documents for element in expected(document)]


@given(documents, st.data())
def test_a_document_cut_anywhere_gives_a_beginning_of_its_elements(document: Any, data: st.DataObject) -> None:
    text = json.dumps(document).encode()
    cut = data.draw(st.integers(0, len(text) - 1))

    given, reason = read([text[:cut]])

    whole, _ = read([text])
    assert reason == ("JSON document ends before its end" if cut else None)
    assert given[:-1] == whole[: len(given[:-1])]  # the last may be a number that was cut


@given(st.text(alphabet='"\\{}[],:1 \n', max_size=40), st.lists(st.integers(0, 5), max_size=40))
def test_broken_documents_break_alike_however_they_are_chunked(text: str, sizes: list[int]) -> None:
    document = b"[" + text.encode()
    assert read([document]) == read(in_chunks(document, sizes))


@pytest.mark.parametrize("chunk", [1, 7, 1000])
def test_an_element_beyond_the_limit_is_skipped_and_the_next_is_given(chunk: int) -> None:
    text = json.dumps([{"a": 1}, {"a": "x\\" * 500}, {"a": 2}], separators=(",", ":")).encode()
    chunks = [text[at : at + chunk] for at in range(0, len(text), chunk)]

    assert list(split_document(chunks, 100)) == [b'{"a":1}', None, b'{"a":2}']


def test_bytes_of_an_element_are_given_as_they_are() -> None:
    text = b'[ {"a" : 1.0,\n "b":"\\u00e9"} , 1e5 ,"x" ]'

    assert list(split_document([text], AMPLE)) == [b'{"a" : 1.0,\n "b":"\\u00e9"}', b"1e5", b'"x"']


def test_keys_behind_the_records_are_skipped() -> None:
    text = b'{"records":[{"a":1},2],"next":{"records":[{"a":3}]}}\n{"records":[4]}'

    assert list(split_document([text], AMPLE)) == [b'{"records":[{"a":1}]}', b'{"records":[2]}', b'{"records":[4]}']


@pytest.mark.parametrize("text", [b'{"records":{"a":1}}', b'{"a":1,"records":[1]}', b'{"recordset":[1]}', b"{}"])
def test_an_object_without_records_in_front_is_one_element(text: bytes) -> None:
    assert list(split_document([text], AMPLE)) == [text]


@pytest.mark.parametrize(
    ("text", "elements", "reason"),
    [
        (b"[1,,2]", [b"1"], "JSON document is broken, and its rest unread"),
        (b"[1 2]", [b"1"], "JSON document is broken, and its rest unread"),
        (b"[1}", [b"1"], "JSON document is broken, and its rest unread"),
        (b"[1] nonsense", [b"1"], "JSON document is broken, and its rest unread"),
        (b"[1]]", [b"1"], "JSON document is broken, and its rest unread"),
        (b'[{"a":1},', [b'{"a":1}'], "JSON document ends before its end"),
        (b'[{"a":1},{"b":"x', [b'{"a":1}'], "JSON document ends before its end"),
        (b'[{"a":1},{"b":"x\\', [b'{"a":1}'], "JSON document ends before its end"),
        (b'{"records":[1,2]', [b'{"records":[1]}', b'{"records":[2]}'], "JSON document ends before its end"),
    ],
)
def test_what_stands_before_the_break_is_given(text: bytes, elements: list[bytes], reason: str) -> None:
    assert read([text]) == (elements, reason)


def test_nesting_costs_no_stack() -> None:
    deep = b"[" * 100_000 + b"]" * 100_000

    assert list(split_document([b"[", deep, b"]"], AMPLE)) == [deep]
