"""The registry: which tokenizer a model gets, and what is said where it is missing."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from tiny_tokenizer import build

from logcount.errors import Misconfigured
from logcount.tokenizers import TokenizerRegistry, TokenizerSpec, fetch, parse_spec
from logcount.tokenizers import registry as registry_module

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.mktemp("base")
    build(base / "one")
    build(base / "two", template="two")
    for origin in ("./one", "./two"):
        fetch(parse_spec("*", origin, None, base=base), store=base / "store")
    return base


def _specs(base: Path, *lines: tuple[str, str]) -> list[TokenizerSpec]:
    return [parse_spec(pattern, origin, None, base=base) for pattern, origin in lines]


@pytest.mark.parametrize(
    ("model", "origin"),
    [
        ("Qwen/Qwen3-8B", "./one"),
        ("qwen3-32b", "./one"),
        ("QWEN3-32B", "./one"),
        ("llama3", "./two"),
        ("llama31", None),
        ("gpt-4o", None),
        ("", None),
        (None, None),
    ],
)
def test_a_model_gets_the_first_tokenizer_whose_pattern_matches_whatever_the_case(
    base: Path, model: str | None, origin: str | None
) -> None:
    lines = [("*QWEN3*", "./one"), ("qwen3-32b", "./two"), ("llama?", "./two")]
    tokenizer = TokenizerRegistry(_specs(base, *lines), store=base / "store")(model)
    assert (tokenizer.name if tokenizer else None) == origin


def test_an_unknown_model_gets_the_default_tokenizer_only(base: Path) -> None:
    registry = TokenizerRegistry(_specs(base, ("**", "./one"), ("*", "./two")), store=base / "store")
    tokenizer = registry(None)
    assert tokenizer is not None
    assert tokenizer.name == "./two"


def test_patterns_of_one_origin_share_one_tokenizer(base: Path) -> None:
    registry = TokenizerRegistry(_specs(base, ("a*", "./one"), ("b*", "./one")), store=base / "store")
    assert registry("a") is registry("b") is registry("a1")


def test_a_check_finds_what_is_not_fetched_and_names_all_of_it(base: Path) -> None:
    lines = [("qwen3*", "./one"), ("x*", "Acme/X"), ("y*", "npm:y@1.0.0")]
    with pytest.raises(Misconfigured) as refusal:
        TokenizerRegistry(_specs(base, *lines), store=base / "store").check()
    assert str(refusal.value) == 'the tokenizers for "x*", "y*" are not here: run `logcount tokenizers fetch`'
    with pytest.raises(Misconfigured) as refusal:
        TokenizerRegistry(_specs(base, ("qwen3*", "./gone")), store=base / "store").check()
    assert str(refusal.value) == 'the tokenizer for "qwen3*": ./gone is no folder with one'


def test_a_folder_is_used_as_it_is_without_being_fetched(base: Path, tmp_path: Path) -> None:
    registry = TokenizerRegistry(_specs(base, ("qwen3*", "./one")), store=tmp_path / "none")
    registry.check()
    tokenizer = registry("qwen3-8b")
    assert tokenizer is not None
    assert tokenizer.name == "./one"


def test_a_tokenizer_that_is_missing_or_was_changed_is_refused_when_it_is_needed(base: Path, tmp_path: Path) -> None:
    store = tmp_path / "store"
    shutil.copytree(base / "store", store)
    registry = TokenizerRegistry(_specs(tmp_path, ("a*", "./one"), ("b*", "./two"), ("c*", "Acme/C")), store=store)
    for template in store.glob("*/chat_template.jinja"):
        if template.read_text(encoding="utf-8") == "two":
            template.write_text("2wo", encoding="utf-8")
    assert registry("a1") is not None
    with pytest.raises(Misconfigured, match=r'for "b\*" has changed since it was fetched \(chat_template.jinja\)'):
        registry("b1")
    with pytest.raises(Misconfigured, match=r'for "c\*" is not here'):
        registry("c1")


def test_names_of_models_that_never_come_again_do_not_add_up(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry_module, "_ROOM", 100_000)
    registry = TokenizerRegistry(_specs(base, ("*", "./one")), store=base / "store")
    tokenizer, most = registry("m"), 0
    for number in range(1_000):
        assert registry(f"model-{number}") is tokenizer
        most = max(most, len(registry._by_model.young))
    assert 100 < most < 300


def test_a_folder_speaks_the_template_that_the_settings_name(base: Path, tmp_path: Path) -> None:
    (tmp_path / "named.jinja").write_text("named in the settings", encoding="utf-8")
    spec = parse_spec("a*", "./one", str(tmp_path / "named.jinja"), base=base)
    fetch(spec, store=tmp_path / "store")
    tokenizer = TokenizerRegistry([spec], store=tmp_path / "store")("a1")
    assert tokenizer is not None
    date = datetime(2026, 11, 28, tzinfo=UTC)
    assert tokenizer.render([{"role": "user", "content": "Hi"}], date=date) == "named in the settings"
