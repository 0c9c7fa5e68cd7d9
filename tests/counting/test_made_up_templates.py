"""Whatever a template asks for or attempts: text, refusal and count are those of `apply_chat_template`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from exact.odd_talks import Asked
from exact.rendering import Pair
from made_up import MADE_UP
from tiny_tokenizer import CHATML, build

if TYPE_CHECKING:
    from pathlib import Path


CONVERSATIONS = 15
WITH_ADDRESSES = {
    "characters backwards",
    "keys that are methods",
    "dictionaries of its own",
    "the same object",
    "a class by a filter",
    "a message in a dictionary",
    "a format that is written",
    "a format in the next item",
}
"""These write or compare where an object is in memory: two are alike by chance, and either way may render."""


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Any]:
    from transformers import AutoTokenizer  # noqa: PLC0415  (heavy)

    folder: Path = build(tmp_path_factory.mktemp("tiny"), template=CHATML)
    first, second = (AutoTokenizer.from_pretrained(str(folder), local_files_only=True) for _ in range(2))
    return first, second


@pytest.mark.parametrize("name", MADE_UP)
def test_a_made_up_template_is_rendered_and_counted_as_apply_chat_template_does(
    name: str, pair: tuple[Any, Any]
) -> None:
    compared = Pair(*pair, MADE_UP[name])
    result = compared.compare(15, name)
    assert result.differences == 0, result.examples
    assert compared.is_fast or name in WITH_ADDRESSES


def test_the_tiny_tokenizers_own_template_is_too(pair: tuple[Any, Any]) -> None:
    result = Pair(*pair, None).compare(200, "ChatML")
    assert result.differences == 0, result.examples
    assert result.written > 50
    assert result.prompts > 50


def test_what_is_said_in_a_list_is_not_changed_by_the_filter_indent(pair: tuple[Any, Any]) -> None:
    talk = [{"role": "user", "content": []}]
    result = Pair(*pair, MADE_UP["an indent"]).compare_all([Asked(talk, None, open_reply=True, options={})])
    assert result.differences == 0, result.examples
