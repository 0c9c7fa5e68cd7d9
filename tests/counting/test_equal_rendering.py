"""Whatever a template asks: it is written as `apply_chat_template` writes it."""

from __future__ import annotations

import random
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from asking_templates import ASKING
from habits import HABITS
from odd_templates import ODD
from talks import TOOLS, random_talk
from tiny_tokenizer import build

from logcount.errors import Uncountable
from logcount.tokenizers import load_tokenizer

if TYPE_CHECKING:
    from pathlib import Path

DATE = datetime(2026, 2, 3, tzinfo=UTC)
OPTIONS: tuple[dict[str, Any], ...] = ({}, {}, {"enable_thinking": True}, {"bos_token": "<s>", "items": [1]})
TEMPLATES = {**{f"asks for {name}": one for name, one in ASKING.items()}, **ODD, **HABITS}
ADDRESS = re.compile(r"0x[0-9a-f]+")
"""Where a template writes an object out, its place in memory is another each time."""


def _rendered(template: Any, way: str, given: tuple[Any, ...]) -> str | None:
    text: str | None = template._fast.render(*given) if way == "fast" else template._reference(*given)
    return text if text is None else ADDRESS.sub("0x", text)


WRITE_ADDRESSES = {
    *("asks for format", "asks for keys named like methods", "asks for a mapping of its own"),
    "asks for a method in the next item",
}
"""Of these two renderings are alike by chance only, so that either way may render."""


@pytest.mark.parametrize("name", TEMPLATES)
def test_the_faster_renderer_writes_and_refuses_what_apply_chat_template_does(name: str, tmp_path: Path) -> None:
    source = TEMPLATES[name]
    tokenizer = load_tokenizer(build(tmp_path, template=source), name="tiny")
    chance = random.Random(9)
    backend = tokenizer._loaded.backend_tokenizer
    for _ in range(12):
        talk, tools, options = random_talk(chance, 6), chance.choice(TOOLS), chance.choice(OPTIONS)
        opens = chance.random() < 0.7
        try:
            text = tokenizer.render(talk, tools=tools, open_reply=opens, options=options, date=DATE)
        except Uncountable:
            text = None
        template = tokenizer._renderer._templates[tools is not None]
        right = _rendered(template, "reference", (talk, tools, opens, options))
        if "strftime_now" not in source:  # outside of `render` now is now
            assert (text if text is None else ADDRESS.sub("0x", text)) == right
        assert template._fast is not None or name in WRITE_ADDRESSES
        if template._fast is not None:
            assert _rendered(template, "fast", (talk, tools, opens, options)) == right
        if text is not None:
            assert tokenizer.count(text) == len(backend.encode(text, add_special_tokens=False).ids)
