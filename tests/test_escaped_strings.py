"""JSON strings that stay as they lie in their document until somebody asks."""

from __future__ import annotations

import json
import pickle

import msgspec
import pytest

from logcount.jsontext import Escaped, NotJson, unopened


def _escaped(text: str, *, ascii_only: bool = True) -> Escaped:
    return Escaped(msgspec.Raw(json.dumps(text, ensure_ascii=ascii_only).encode()))


@pytest.mark.parametrize("text", ["", "a", 'Grüße,\n"Welt" \\ \U0001f600\x00', "\u2028"])
@pytest.mark.parametrize("ascii_only", [True, False])
def test_it_stands_for_its_text(text: str, ascii_only: bool) -> None:
    escaped = _escaped(text, ascii_only=ascii_only)
    assert escaped.text() == text
    assert bytes(escaped.data) == json.dumps(text, ensure_ascii=ascii_only).encode()[1:-1]
    assert len(escaped) == len(escaped.data)
    assert escaped == text
    assert text == escaped
    assert escaped == _escaped(text, ascii_only=not ascii_only)
    assert hash(escaped) == hash(text)
    assert pickle.loads(pickle.dumps(escaped)) == text


def test_it_equals_nothing_else() -> None:
    assert _escaped("a") != "b"
    assert _escaped("a") != _escaped("b")
    assert _escaped("7") != 7


def test_it_shows_nothing_of_its_text() -> None:
    assert "secret" not in repr(_escaped("secret"))


def test_only_strings_stay_unopened() -> None:
    assert isinstance(unopened(msgspec.Raw(b'"a"')), Escaped)
    assert unopened(msgspec.Raw(b'{"a":[1e999]}')) == {"a": [float("inf")]}
    assert unopened(msgspec.Raw(b"null")) is None
    with pytest.raises(NotJson):
        unopened(msgspec.Raw(b"9" * 5000))
