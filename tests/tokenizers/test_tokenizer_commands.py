"""`logcount tokenizers`, as it is typed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner, Result
from tiny_tokenizer import build

from logcount.cli import cli
from logcount.errors import LogcountError, Misconfigured

if TYPE_CHECKING:
    from pathlib import Path

SETTINGS = """
[tokenizers]
"tiny*" = "./tiny"
"TOOLS*" = { origin = "./tiny", chat_template = "tools.jinja" }
"*" = "./tiny"
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.mktemp("base")
    build(base / "tiny")
    (base / "tools.jinja").write_text("{{ messages[0].content }}", encoding="utf-8")
    return base


@pytest.fixture
def base(built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "tiny").symlink_to(built / "tiny")
    (tmp_path / "tools.jinja").symlink_to(built / "tools.jinja")
    (tmp_path / "logcount.toml").write_text(SETTINGS, encoding="utf-8")
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _run(*arguments: str) -> Result:
    result = CliRunner().invoke(cli, ["tokenizers", *arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit | LogcountError):
        raise result.exception
    return result


def test_what_the_settings_name_is_fetched_once_listed_and_verified(base: Path) -> None:
    assert "no" in _run("list").stdout
    first = _run("fetch")
    assert first.exit_code == 0
    assert first.stdout.count("./tiny: fetched, 0.1 MB") == 2  # two templates; two patterns share one
    assert _run("fetch").stdout.count("./tiny: already here, nothing to do") == 2
    listed = _run("list").stdout
    assert all(word in listed for word in ("tiny*", "TOOLS*", "+ tools.jinja", "./tiny"))
    verified = _run("verify")
    assert verified.exit_code == 0
    assert verified.stdout.count(" good ") == 3


def test_verifying_what_is_damaged_or_missing_ends_with_status_1_and_says_which(base: Path) -> None:
    _run("fetch")
    for fetched in (base / "tokenizers").iterdir():
        (fetched / "tokenizer.json").unlink()
    result = _run("verify")
    assert result.exit_code == 1
    assert "is not here: run `logcount tokenizers fetch`" in result.stdout
    assert " good " in result.stdout  # the folder that is used as it is


def test_origins_can_be_given_with_a_store_and_a_template(base: Path) -> None:
    result = _run("fetch", "./tiny", "--chat-template", "tools.jinja", "--store", "other")
    assert result.exit_code == 0
    templates = [path.read_text(encoding="utf-8") for path in (base / "other").glob("*/chat_template.jinja")]
    assert templates == ["{{ messages[0].content }}"]
    assert not (base / "tokenizers").exists()
    assert "fetched" in _run("fetch", "./tiny", "--chat-template", "tools.jinja", "--store", "other", "--renew").stdout


def test_one_that_fails_does_not_keep_the_others_from_being_fetched(base: Path) -> None:
    result = _run("fetch", "./none", "./tiny", "./empty")
    assert isinstance(result.exception, Misconfigured)
    assert 'the folder "./none" is not there' in str(result.exception)
    assert 'the folder "./empty" is not there' in str(result.exception)
    assert "./tiny: fetched" in result.stdout


def test_a_template_without_an_origin_is_wrong_use(base: Path) -> None:
    assert _run("fetch", "--chat-template", "tools.jinja").exit_code == 2


def test_settings_without_tokenizers_are_said(base: Path) -> None:
    (base / "logcount.toml").write_text("", encoding="utf-8")
    assert "the settings name no tokenizers" in _run("fetch").stdout
    assert "the settings name no tokenizers" in _run("list").stdout
    assert "the settings name no tokenizers" in _run("verify").stdout


def test_a_malformed_origin_in_the_settings_is_named_by_its_pattern(base: Path) -> None:
    (base / "logcount.toml").write_text('[tokenizers]\n"qwen3*" = "qwen"\n', encoding="utf-8")
    assert 'the tokenizer for "qwen3*": "qwen" is no origin of a tokenizer' in str(_run("list").exception)
