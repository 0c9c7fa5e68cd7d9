"""Whatever a template asks: it is written as `apply_chat_template` writes it."""

from __future__ import annotations

import random
import re
from typing import TYPE_CHECKING, Any

import pytest
from asking_templates import ASKING
from habits import HABITS
from odd_templates import ODD
from talks import TOOLS, random_talk

from logcount.templates.renderer import _Template

if TYPE_CHECKING:
    from logcount.tokenizers import TransformersTokenizer

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
def test_the_faster_renderer_writes_and_refuses_what_apply_chat_template_does(
    name: str, tiny: TransformersTokenizer
) -> None:
    template = _Template(tiny._loaded, TEMPLATES[name], name="tiny")
    backend = tiny._loaded.backend_tokenizer
    chance = random.Random(9)
    for _ in range(12):
        talk, tools, options = random_talk(chance, 6), chance.choice(TOOLS), chance.choice(OPTIONS)
        given = talk, tools, chance.random() < 0.7, options
        right = _rendered(template, "reference", given)
        assert template._fast is not None or name in WRITE_ADDRESSES
        if template._fast is not None:
            assert _rendered(template, "fast", given) == right
        if right is not None:
            assert tiny.count(right) == len(backend.encode(right, add_special_tokens=False).ids)
