"""The store: what is fetched, recorded, noticed when it changes, and verified."""

from __future__ import annotations

import json
import os
import shutil
import stat
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
import transformers
from tiny_tokenizer import build

from logcount.errors import Misconfigured
from logcount.tokenizers import TokenizerSpec, TokenizerStore, fetch, parse_spec, verify

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("tiny"))


@pytest.fixture
def base(built: Path, tmp_path: Path) -> Path:
    shutil.copytree(built, tmp_path / "tiny")
    (tmp_path / "tiny" / "pytorch_model.bin").write_bytes(b"weights")
    return tmp_path


def _spec(base: Path, template: str | None = None) -> TokenizerSpec:
    return parse_spec("tiny*", "./tiny", template, base=base)


def test_a_folder_is_copied_with_a_manifest_of_what_was_fetched(base: Path) -> None:
    fetched = fetch(_spec(base), store=base / "store")
    document = json.loads((fetched.folder / "logcount.json").read_text(encoding="utf-8"))
    assert document["v"] == 1
    assert document["origin"] == "./tiny"
    assert document["revision"] is None
    assert document["transformers"] == transformers.__version__
    assert len(document["fingerprint"]) == 12
    assert document["fetched"].endswith("Z")
    assert [file["name"] for file in document["files"]] == [
        "chat_template.jinja",
        "tokenizer.json",
        "tokenizer_config.json",
    ]
    assert fetched.folder.name.startswith("tiny-")
    assert not (fetched.folder / "pytorch_model.bin").exists()


def test_another_user_can_read_what_was_fetched(base: Path) -> None:
    (base / "tiny" / "tokenizer.json").chmod(0o600)
    before = os.umask(0o022)
    try:
        folder = fetch(_spec(base), store=base / "store").folder
    finally:
        os.umask(before)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o755
    assert stat.S_IMODE((folder / "tokenizer.json").stat().st_mode) == 0o644


def test_what_is_here_is_not_fetched_again_even_when_its_source_is_gone(base: Path) -> None:
    assert fetch(_spec(base), store=base / "store").fresh
    assert not fetch(_spec(base), store=base / "store").fresh
    shutil.rmtree(base / "tiny")
    assert not fetch(_spec(base), store=base / "store").fresh


def test_a_source_that_changed_is_fetched_again(base: Path) -> None:
    (base / "tools.jinja").write_text("one", encoding="utf-8")
    spec = _spec(base, "tools.jinja")
    first = fetch(spec, store=base / "store")
    (base / "tools.jinja").write_text("two", encoding="utf-8")
    second = fetch(spec, store=base / "store")
    assert second.fresh
    assert second.folder == first.folder
    assert (second.folder / "chat_template.jinja").read_text(encoding="utf-8") == "two"
    (base / "tiny" / "added_tokens.json").write_text("{}", encoding="utf-8")
    assert fetch(spec, store=base / "store").fresh
    assert not fetch(spec, store=base / "store").fresh


def test_one_folder_with_two_chat_templates_makes_two_tokenizers(base: Path) -> None:
    (base / "tools.jinja").write_text("one", encoding="utf-8")
    plain = fetch(_spec(base), store=base / "store")
    other = fetch(_spec(base, "tools.jinja"), store=base / "store")
    assert plain.folder != other.folder
    assert plain.manifest.fingerprint != other.manifest.fingerprint


@pytest.mark.parametrize("damage", ["changed", "shorter", "gone", "manifest torn", "manifest gone"])
def test_a_damaged_tokenizer_is_noticed_and_fetched_again(base: Path, damage: str) -> None:
    spec, store = _spec(base), base / "store"
    folder = fetch(spec, store=store).folder
    content = (folder / "tokenizer.json").read_bytes()
    match damage:
        case "changed":
            (folder / "tokenizer.json").write_bytes(content.replace(b"a", b"b", 1))
        case "shorter":
            (folder / "tokenizer.json").write_bytes(content[:-1])
        case "gone":
            (folder / "tokenizer.json").unlink()
        case "manifest torn":
            (folder / "logcount.json").write_text('{"v":1,', encoding="utf-8")
        case _:
            (folder / "logcount.json").unlink()
    assert verify(spec, store=store).problem is not None
    assert fetch(spec, store=store).fresh
    assert verify(spec, store=store).problem is None


def test_verifying_counts_a_sentence_and_a_chat(base: Path) -> None:
    fetch(_spec(base), store=base / "store")
    verdict = verify(_spec(base), store=base / "store")
    assert verdict.problem is None
    assert verdict.tokens is not None
    assert verdict.chat is not None
    assert int(verdict.chat) > verdict.tokens > 9


def test_verifying_what_is_not_here_says_how_to_get_it(base: Path) -> None:
    assert verify(_spec(base), store=base / "store").problem == "is not here: run `logcount tokenizers fetch`"


@pytest.mark.parametrize(
    ("origin", "template", "message"),
    [
        ("./none", None, 'the folder "./none" is not there'),
        ("./empty", None, 'the folder "./empty" holds no tokenizer'),
        ("./torn", None, "./torn holds no tokenizer that can be loaded"),
        ("./tiny", "none.jinja", 'the chat template "none.jinja" cannot be read: No such file'),
        ("./tiny", "broken.jinja", "broken.jinja: the chat template does not compile"),
    ],
)
def test_what_cannot_be_fetched_is_named_and_leaves_nothing(
    base: Path, origin: str, template: str | None, message: str
) -> None:
    (base / "empty").mkdir()
    (base / "torn").mkdir()
    (base / "torn" / "tokenizer.json").write_text("{", encoding="utf-8")
    (base / "broken.jinja").write_text("{% if %}", encoding="utf-8")
    with pytest.raises(Misconfigured, match=message) as refusal:
        fetch(parse_spec("*", origin, template, base=base), store=base / "store")
    assert ".fetching-" not in str(refusal.value)
    assert list((base / "store").iterdir()) == []


def test_what_a_killed_fetch_left_is_removed_after_a_day(base: Path) -> None:
    old, recent = base / "store" / ".fetching-old", base / "store" / ".fetching-recent"
    old.mkdir(parents=True)
    recent.mkdir()
    two_days_ago = time.time() - 2 * 24 * 3600
    os.utime(old, (two_days_ago, two_days_ago))
    fetch(_spec(base), store=base / "store")
    assert not old.exists()
    assert recent.exists()


def test_a_store_that_cannot_be_written_is_named(base: Path) -> None:
    (base / "store").write_text("a file", encoding="utf-8")
    with pytest.raises(Misconfigured, match=f"the tokenizer store {base / 'store'} cannot be written"):
        fetch(_spec(base), store=base / "store")


def test_origins_that_read_alike_lie_in_different_folders(tmp_path: Path) -> None:
    store = TokenizerStore(tmp_path)
    texts = ["a/b", "a/b@c", "a/b-c", "./a/b", "npm:a-b@1", "./" + "x" * 300, "./" + "x" * 301]
    folders = {store.folder(parse_spec("*", text, None, base=tmp_path)).name for text in texts}
    assert len(folders) == len(texts)
    assert max(map(len, folders)) < 80


def test_two_that_fetch_the_same_at_once_both_end_with_a_whole_tokenizer(base: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        fetched = list(pool.map(lambda _: fetch(_spec(base), store=base / "store", renew=True), range(4)))
    assert len({one.folder for one in fetched}) == 1
    assert verify(_spec(base), store=base / "store").problem is None
    assert [path.name for path in (base / "store").iterdir()] == [fetched[0].folder.name]
