"""What holds for all tests, and a small real tokenizer that speaks whichever chat template it is given."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings
from tiny_tokenizer import CHATML, build

from logcount.tokenizers import TransformersTokenizer, load_tokenizer

if TYPE_CHECKING:
    from collections.abc import Callable

# How long an example takes says how busy the machine is.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")


@pytest.fixture(scope="session")
def speaking(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str | None], TransformersTokenizer]:
    """Return a function that loads the tokenizer with a chat template of one's own."""
    base = build(tmp_path_factory.mktemp("base"), template=None)
    known: dict[str | None, TransformersTokenizer] = {}

    def load(template: str | None) -> TransformersTokenizer:
        if template not in known:
            folder = shutil.copytree(base, tmp_path_factory.mktemp("speaking") / "tokenizer")
            if template is not None:
                (folder / "chat_template.jinja").write_text(template, encoding="utf-8")
            known[template] = load_tokenizer(folder, name="tiny")
        return known[template]

    return load


@pytest.fixture(scope="session")
def tiny(speaking: Callable[[str | None], TransformersTokenizer]) -> TransformersTokenizer:
    """Return the tokenizer with ChatML, tools and reasoning."""
    return speaking(CHATML)
