"""JSON as it comes off a log: whole, cut short, or with characters that JSON does not have."""

from __future__ import annotations

import json
from typing import Any

import pytest

from logcount import jsontext
from logcount.jsontext import CUT, INVALID_UTF8, LONE_SURROGATES, NOT_A_NUMBER, NotJson, TooDeeplyNested


@pytest.mark.parametrize(
    ("text", "value", "flags"),
    [
        pytest.param('{"a":[1,2.5,null,true,"x"]}', {"a": [1, 2.5, None, True, "x"]}, set(), id="plain"),
        pytest.param('{"a":1,"a":2}', {"a": 2}, set(), id="duplicate keys"),
        pytest.param('{"a":"\\ud83d\\ude00"}', {"a": "\U0001f600"}, set(), id="a surrogate pair"),
        pytest.param('{"a":"\\ud83d"}', {"a": "\ufffd"}, {LONE_SURROGATES}, id="half a pair"),
        pytest.param('{"a":"\\ude00\\ud83d"}', {"a": "\ufffd\ufffd"}, {LONE_SURROGATES}, id="a pair the wrong way"),
        pytest.param(
            '{"\\ud83d":[["\\ud83d"]]}', {"\ufffd": [["\ufffd"]]}, {LONE_SURROGATES}, id="half a pair in keys"
        ),
        pytest.param('{"a":NaN}', {"a": None}, {NOT_A_NUMBER}, id="NaN"),
        pytest.param("[Infinity,-Infinity]", [None, None], {NOT_A_NUMBER}, id="Infinity"),
        pytest.param('{"a":"x\ny\tz"}', {"a": "x\ny\tz"}, set(), id="raw control characters"),
        pytest.param('"\x00"', "\x00", set(), id="a raw NUL"),
        pytest.param("1e999", float("inf"), set(), id="a number beyond floats"),
        pytest.param("9" * 100, int("9" * 100), set(), id="a number beyond 64 bits"),
    ],
)
def test_json_is_decoded_and_what_was_done_is_flagged(text: str, value: Any, flags: set[str]) -> None:
    reading = jsontext.decode(text)
    assert (reading.value, reading.flags) == (value, frozenset(flags))


@pytest.mark.parametrize(
    "text", ["", " ", "{", "nul", "{'a':1}", '{"a":1}}', "[1,]", "\ufeff1x", "9" * 5000, '{"a" 1}']
)
def test_what_is_no_json_is_refused(text: str) -> None:
    with pytest.raises(NotJson, match="not JSON"):
        jsontext.decode(text)


@pytest.mark.parametrize("text", ["[" * 10_000 + "]" * 10_000, '{"a":' * 10_000 + "1" + "}" * 10_000])
def test_nesting_beyond_pythons_limit_is_refused(text: str) -> None:
    with pytest.raises(TooDeeplyNested, match="nested too deeply"):
        jsontext.decode(text)


@pytest.mark.parametrize(
    ("data", "text", "flags"),
    [
        pytest.param("Grüße".encode(), "Grüße", set(), id="utf-8"),
        pytest.param("Grüße".encode("utf-8-sig"), "Grüße", set(), id="byte order mark"),
        pytest.param("Grüße".encode("utf-16"), "Grüße", set(), id="utf-16"),
        pytest.param(b"\xfe\xff" + "Grüße".encode("utf-16-be"), "Grüße", set(), id="utf-16, big end first"),
        pytest.param(b"a\xffb", "a\ufffdb", {INVALID_UTF8}, id="no utf-8"),
        pytest.param("Gr\xfc".encode()[:-1], "Gr\ufffd", set(), id="cut in a character"),
        pytest.param(b"\xed\xa0\x80", "\ufffd\ufffd\ufffd", {INVALID_UTF8}, id="an encoded surrogate"),
    ],
)
def test_bytes_become_text(data: bytes, text: str, flags: set[str]) -> None:
    assert jsontext.text_of(data) == (text, frozenset(flags))


def _cut(text: str) -> tuple[Any, tuple[str, ...]]:
    reading, keys = jsontext.decode_cut(text, {"body", "content"}.__contains__)
    assert CUT in reading.flags
    return reading.value, keys


@pytest.mark.parametrize(
    ("text", "value", "keys"),
    [
        pytest.param('{"a":1,"b":{"c":[1,2', {"a": 1, "b": {"c": [1]}}, ("b", "c"), id="a number in a list"),
        pytest.param('{"a":12', {}, ("a",), id="a number"),
        pytest.param('{"a":12,', {"a": 12}, (), id="after a number"),
        pytest.param('{"a":{"b":12}', {"a": {"b": 12}}, (), id="after an object"),
        pytest.param('{"a":-1.5e', {}, ("a",), id="half a float"),
        pytest.param('{"a":tru', {}, ("a",), id="half a word"),
        pytest.param('{"a":1,"b', {"a": 1}, (), id="half a key"),
        pytest.param('{"a":1,"b"', {"a": 1}, (), id="a key"),
        pytest.param('{"a":1,"b":', {"a": 1}, ("b",), id="a key and no value"),
        pytest.param('{"a":"x","name":"half', {"a": "x"}, ("name",), id="half a name"),
        pytest.param('{"body":"half', {"body": "half"}, ("body",), id="half a text"),
        pytest.param('{"body":"whole"', {"body": "whole"}, (), id="a whole text"),
        pytest.param('{"body":"', {"body": ""}, ("body",), id="an empty text"),
        pytest.param('{"body":["x","ha', {"body": ["x", "ha"]}, ("body",), id="half a text in a list"),
        pytest.param('{"a":["x","ha', {"a": ["x"]}, ("a",), id="half a name in a list"),
        pytest.param('[{"body":"x"},{"body":"y', [{"body": "x"}, {"body": "y"}], ("body",), id="in the last of a list"),
        pytest.param('{"a":{"body":"x', {"a": {"body": "x"}}, ("a", "body"), id="deeper"),
        pytest.param('{"body":"x\\', {"body": "x"}, ("body",), id="half an escape"),
        pytest.param('{"body":"x\\\\', {"body": "x\\"}, ("body",), id="a whole escape"),
        pytest.param('{"body":"x\\u00', {"body": "x"}, ("body",), id="half a unicode escape"),
        pytest.param('{"body":"x\\ud83d', {"body": "x"}, ("body",), id="half a pair"),
        pytest.param('{"body":"x\\ud83d\\ude', {"body": "x"}, ("body",), id="a pair and a half"),
        pytest.param('{"body":"x\\ud83d\\ude00', {"body": "x\U0001f600"}, ("body",), id="a whole pair"),
        pytest.param('{"body":"x\\\\ud83d', {"body": "x\\ud83d"}, ("body",), id="what only looks like half a pair"),
        pytest.param('{"body":"x\ufffd', {"body": "x"}, ("body",), id="half a character"),
        pytest.param('{"body":"{\\"a\\":1', {"body": '{"a":1'}, ("body",), id="json in a text"),
        pytest.param("{", {}, (), id="an open object"),
        pytest.param("[", [], (), id="an open list"),
    ],
)  # fmt: skip
def test_a_text_that_breaks_off_is_read_as_far_as_it_goes(text: str, value: Any, keys: tuple[str, ...]) -> None:
    assert _cut(text) == (value, keys)


@pytest.mark.parametrize(
    "text", ["", "x", '"', '"abc', "12", "{]", "}", '{"a":1}}', '{"a":nope}', '{"a":1} {"b', "[1 2 3, ", '{"a"}']
)
def test_what_does_not_just_break_off_is_refused(text: str) -> None:
    with pytest.raises(NotJson, match="not JSON"):
        _cut(text)


def test_a_cut_text_is_not_closed_beyond_all_reason() -> None:
    with pytest.raises(TooDeeplyNested, match="nested too deeply"):
        _cut('{"a":' * 10_000)


@pytest.mark.parametrize("end", range(1, 60))
def test_every_prefix_of_a_document_is_a_part_of_it(end: int) -> None:
    text = json.dumps({"body": 'a "b" \\ \U0001f600', "n": [1, {"x": -2.5e3}], "t": True})
    value, _ = _cut(text[:end])
    assert set(value) <= {"body", "n", "t"}
    assert 'a "b" \\ \U0001f600'.startswith(value.get("body", ""))
    assert value.get("n", []) in ([], [1], [1, {}], [1, {"x": -2500.0}])


def test_a_long_text_is_scanned_once() -> None:
    value, _ = _cut('{"body":"' + '\\"' * 500_000)
    assert len(value["body"]) == 500_000


def test_a_cut_text_of_very_many_pieces_is_not_closed() -> None:
    with pytest.raises(NotJson, match="too long to be closed"):
        _cut("[" + "{}," * 700_000)
