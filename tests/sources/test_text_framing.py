"""Lines or a document: the first window decides, and a cut first line does not deceive it."""

from __future__ import annotations

import json
from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logcount.sources.archive.framing import Framing, tell_framing
from logcount.sources.archive.streams import ByteStream

LINES, DOCUMENT = Framing.LINES, Framing.DOCUMENT
LARGE = json.dumps({"responseBody": json.dumps({"x": 'a "quoted" word ' * 4000})})
EVENT = {
    "v": 1,
    "records": "none",
    "requestBody": '{"messages":[{"role":"user","content":"Hi\\n"}]}',
    "n": [1, {"a": None}],
}


def told(text: str | bytes) -> Framing:
    return tell_framing(ByteStream(BytesIO(text.encode() if isinstance(text, str) else text)))


@pytest.mark.parametrize(
    ("text", "framing"),
    [
        ("", LINES),
        ("\n \n", LINES),
        ("request:6f0f9a51\nPOST / HTTP/1.1\r\n", LINES),
        ('"text"\n', LINES),
        # one line
        ('{"a":1}', LINES),
        ('{"a":1}\n', LINES),
        ('\n\n{"a":1}\r\n\r\n', LINES),
        ('{"a":"tor', LINES),
        ('{"a":1}}', LINES),
        ('{"a":1} nonsense', LINES),
        ("[1,2]", DOCUMENT),
        ('[{"a":1},{"a":2}]\n', DOCUMENT),
        ('[{"a":1},{"a":', DOCUMENT),
        ('{"records":[{"a":1}]}', DOCUMENT),
        (' { "records" : [ {"a":1} ] } \n', DOCUMENT),
        ('{"records":[{"a":1},{"a"', DOCUMENT),
        ('{"records":{"a":1}}', LINES),
        ('{"a":1}{"a":2} {"a":3}', DOCUMENT),
        # many lines, each whole
        ('{"a":1}\n{"a":2}\n', LINES),
        ('{"a":1}\n{"a":', LINES),
        ('{"a":1}\n\n\n{"a":2}', LINES),
        ("[1]\n[2]\n", LINES),
        ('{"records":[1]}\n{"records":[2]}', LINES),
        ('{"a":1}\nnonsense\n', LINES),
        (f"{LARGE}\n{LARGE}", LINES),
        # many lines that make up documents
        ("[\n1\n]", DOCUMENT),
        ('[{"a":1},\n{"a":2}]', DOCUMENT),
        ('[\n{"a":1}\n]', DOCUMENT),
        ('[{"a":1}\n,{"a":2}\n]', DOCUMENT),
        (f"[{LARGE},\n{LARGE}]", DOCUMENT),
        ('{\n"a":1\n}', DOCUMENT),
        ('{"a":\n{"b":2}\n}', DOCUMENT),
        ('{"records":[\n{"a":1},\n{"a":2}\n]}', DOCUMENT),
        ('{"records":\n[{"a":1}]}', DOCUMENT),
        ('{\n"a":1\n}\n{\n"a":2\n}', DOCUMENT),
        ('{\n"a":1\n', DOCUMENT),
        ("[\n", DOCUMENT),
        # documents that break early
        ("[\n{},\n{}\n{}\n]", DOCUMENT),
        ('{"records":[\n{\n"a":1\n}\n{\n"a":2\n}', DOCUMENT),
        # a cut first line
        ('{"a":1,"b":"wor\n{"a":2}\n{"a":3}', LINES),
        ('{"a":1,"b":"wor\\\n{"a":2}\n{"a":3}', LINES),
        ('{"a":1,\n{"a":2}\n{"a":3}', LINES),
        ('{"a":1\n{"a":2}\n{"a":3}', LINES),
        ('{"a":\n{"a":2}\n{"a":3}', LINES),
        ('{"a":\n{"a":2}', LINES),
        ('{\n{"a":2}\n', LINES),
        ('{"a"\n{"a":2}\n', LINES),
        ('{"a":tr\n{"a":2}\n', LINES),
        ('{"a":[1,\n{"a":2}\n{"a":3}', LINES),
        ('{"a":[{"b":1},\n{"a":2}', LINES),
        ('{"a":[1}\n{"a":2}\n', LINES),
        ('[{"a":"wor\n[{"a":2}]\n[{"a":3}]', LINES),
        ('{"records":[\n{"records":[2]}\n{"records":[3]}', LINES),
        (f'{{"a":1,"b":"wor\n{LARGE}\n{LARGE}', LINES),
        # not even valid UTF-8
        (b'{"a":"\xff\xfe"}\n{"a":1}', LINES),
    ],
)
def test_framing_is_told_by_the_start(text: str | bytes, framing: Framing) -> None:
    assert told(text) is framing


@pytest.mark.parametrize("cut", range(1, len(json.dumps(EVENT))))
def test_a_first_line_cut_anywhere_leaves_a_file_of_lines(cut: int) -> None:
    lines = [json.dumps(EVENT)[:cut], json.dumps(EVENT), json.dumps(EVENT)]

    assert told("\n".join(lines)) is LINES


@given(
    st.dictionaries(st.text(), st.recursive(st.integers() | st.text(), st.lists, max_leaves=9), min_size=1),
    st.integers(0, 3),
)
@settings(max_examples=50)
def test_whatever_is_pretty_printed_is_a_document(event: dict[str, object], indent: int) -> None:
    assert told(json.dumps(event, indent=indent)) is DOCUMENT
    assert told(json.dumps([event, event], indent=indent)) is DOCUMENT
    assert told("\n".join([json.dumps(event, indent=indent)] * 2)) is DOCUMENT
    assert told("\n".join([json.dumps(event)] * 2)) is LINES


def test_a_first_line_of_many_megabytes_is_judged_by_its_start() -> None:
    long = "x" * 8_000_000

    assert told(f'{{"a":"{long}"}}\n{{"a":2}}') is LINES
    assert told(f'[{{"a":"{long}"}},{{"a":2}}]') is DOCUMENT
    assert told(f'{{"records":[{{"a":"{long}"}}]}}') is DOCUMENT
    assert told('{"a":1}' * 1_000_000) is DOCUMENT


def test_blanks_without_end_are_not_followed_without_end() -> None:
    assert told(b"\n" * (8 << 20) + b'[{"a":1}]') is LINES
