"""Settings: the file, the environment over it, and errors that name what is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from logcount.errors import Misconfigured
from logcount.settings import load_settings
from logcount.settings.dimensions import DEFAULT_DIMENSIONS


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_every_setting_has_a_default() -> None:
    settings = load_settings()
    assert settings.metrics.dimensions == DEFAULT_DIMENSIONS
    assert settings.tokenizers == {}


def test_tokenizers_are_written_short_or_with_a_template_and_keep_their_order() -> None:
    Path("logcount.toml").write_text(
        '[tokenizers]\n"b*" = "Org/B"\n"a*" = { origin = "./a", chat_template = "a.jinja" }\n"*" = "Org/C@main"\n'
    )
    settings = load_settings()
    assert [(pattern, one.origin, one.chat_template) for pattern, one in settings.tokenizers.items()] == [
        ("b*", "Org/B", None),
        ("a*", "./a", "a.jinja"),
        ("*", "Org/C@main", None),
    ]


def test_paths_start_at_the_folder_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "own.toml").write_text('tokenizer_store = "store"\n')
    assert load_settings(Path("etc/own.toml")).tokenizer_store == Path("etc/store")


def test_the_environment_wins_over_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("logcount.toml").write_text('tokenizer_store = "file"\n[storage]\nconnection_string = "file"\n')
    monkeypatch.setenv("LOGCOUNT_TOKENIZER_STORE", "environment")
    monkeypatch.setenv("LOGCOUNT_STORAGE__CONNECTION_STRING", "environment")
    settings = load_settings()
    assert settings.tokenizer_store == Path("environment")
    assert settings.storage.connection_string
    assert settings.storage.connection_string.get_secret_value() == "environment"


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("[tokenisers]\n", "tokenisers"),
        ("[metrics]\ndimension = []\n", "metrics.dimension"),
        ("[metrics]\ndimensions = 3\n", "metrics.dimensions"),
        (f"[metrics]\ndimensions = {[f'd{n}' for n in range(11)]}\n", "at most 10 dimensions"),
        ('[[envelopes]]\nname = "a"\nmatch = "a"\nfields = { responseText = "b" }\n', "responseText"),
        ('[[envelopes]]\nname = "a"\nfields = { responseBody = "b" }\n', "envelopes.0.match"),
        ("tokenizer_store = [\n", "logcount.toml"),
        ("base = 'x'\n", "base"),
    ],
)
def test_a_wrong_setting_is_named(content: str, told: str) -> None:
    Path("logcount.toml").write_text(content)
    with pytest.raises(Misconfigured) as refusal:
        load_settings()
    assert told in str(refusal.value)


def test_a_wrong_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGCOUNT_METRCIS__DIMENSIONS", "[]")
    with pytest.raises(Misconfigured, match="metrcis"):
        load_settings()


def test_lists_in_variables_are_json_and_said_to_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGCOUNT_METRICS__DIMENSIONS", "Model")
    with pytest.raises(Misconfigured, match="JSON"):
        load_settings()
    monkeypatch.setenv("LOGCOUNT_METRICS__DIMENSIONS", '["model", "Team"]')
    assert load_settings().metrics.dimensions == ("Model", "Team")


def test_a_secret_never_stands_in_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGCOUNT_STORAGE", '{"connection_string": {"AccountKey": "hush"}}')
    with pytest.raises(Misconfigured) as refusal:
        load_settings()
    assert "storage.connection_string" in str(refusal.value)
    assert "hush" not in str(refusal.value)
