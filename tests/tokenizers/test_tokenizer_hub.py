"""Fetching from the Hugging Face hub, against a loopback hub.

Each fetch is a process of its own, because HF_ENDPOINT is read when the hub's client is imported.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from loopback_hub import COMMIT, LATER, LoopbackHub, serve
from tiny_tokenizer import build

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TOKEN = "hf_notARealTokenOfAnybody"
FETCH = """
import json, sys
from pathlib import Path
from logcount.errors import LogcountError
from logcount.tokenizers import TokenizerSpec, fetch, parse_origin
spec = TokenizerSpec("*", parse_origin(sys.argv[1], base=Path()))
try:
    done = fetch(spec, store=Path(sys.argv[2]), renew="renew" in sys.argv)
    manifest = done.manifest
    print(json.dumps({"fresh": done.fresh, "revision": manifest.revision, "name": manifest.name,
        "files": [file.name for file in manifest.files], "folder": str(done.folder),
        "imported": "transformers" in sys.modules}))
except LogcountError as error:
    print(json.dumps({"kind": type(error).__name__, "error": str(error)}))
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("tiny"))


@pytest.fixture
def hub(built: Path, tmp_path: Path) -> Iterator[LoopbackHub]:
    folder = shutil.copytree(built, tmp_path / "repository")
    (folder / "model.safetensors").write_bytes(b"weights" * 1000)
    (folder / "config.json").write_text('{"model_type": "qwen3"}', encoding="utf-8")
    with serve(LoopbackHub(repositories={"Acme/Tiny-1B": folder, "Acme/Gated": folder}, gated={"Acme/Gated"})) as hub:
        yield hub


def _environment(hub: LoopbackHub, tmp_path: Path, **variables: str) -> dict[str, str]:
    foreign = ("HF_", "TRANSFORMERS_", "HUGGING")
    plain = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    ours = {"HF_ENDPOINT": hub.url, "HF_HOME": str(tmp_path / "home"), "NO_PROXY": "127.0.0.1"}
    return {**plain, **ours, "no_proxy": "127.0.0.1", **variables}


def _fetch(hub: LoopbackHub, tmp_path: Path, *arguments: str, **variables: str) -> dict[str, Any]:
    store = str(tmp_path / "store")
    command = [sys.executable, "-W", "error", "-c", FETCH, arguments[0], store, *arguments[1:]]
    environment = _environment(hub, tmp_path, **variables)
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment, timeout=120)
    assert TOKEN not in done.stdout + done.stderr
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def test_a_tokenizer_is_fetched_at_one_commit_without_the_weights_and_only_once(
    hub: LoopbackHub, tmp_path: Path
) -> None:
    first = _fetch(hub, tmp_path, "Acme/Tiny-1B")
    assert first["fresh"]
    assert first["revision"] == COMMIT
    assert first["name"] == f"Acme/Tiny-1B@{COMMIT[:12]}"
    assert first["files"] == ["chat_template.jinja", "config.json", "tokenizer.json", "tokenizer_config.json"]
    assert all(COMMIT in request for request in hub.requests if "/resolve/" in request)
    assert not any("safetensors" in request for request in hub.requests)
    asked = len(hub.requests)
    second = _fetch(hub, tmp_path, "Acme/Tiny-1B")
    assert second == {**first, "fresh": False, "imported": False}
    assert len(hub.requests) == asked


def test_a_revision_is_fetched_as_it_is_named_and_renewing_moves_a_branch_to_its_newest_commit(
    hub: LoopbackHub, tmp_path: Path
) -> None:
    named = _fetch(hub, tmp_path, "Acme/Tiny-1B@v1")
    assert named["revision"] == COMMIT
    hub.revisions["v1"] = LATER
    renewed = _fetch(hub, tmp_path, "Acme/Tiny-1B@v1", "renew")
    assert renewed["fresh"]
    assert renewed["revision"] == LATER
    assert renewed["folder"] == named["folder"]


def test_a_gated_tokenizer_is_fetched_with_the_token_of_an_account_that_has_access(
    hub: LoopbackHub, tmp_path: Path
) -> None:
    hub.token = TOKEN
    assert _fetch(hub, tmp_path, "Acme/Gated", HF_TOKEN=TOKEN)["fresh"]


GATED = "Acme/Gated is gated: accept its terms on the hub and set HF_TOKEN to a token of that account"
UNKNOWN = "the hub knows no Acme/None, or it is private: then set HF_TOKEN to a token that may read it"


@pytest.mark.parametrize(
    ("origin", "variables", "message"),
    [
        ("Acme/Gated", {}, GATED),
        ("Acme/Gated", {"HF_TOKEN": TOKEN}, GATED),
        ("Acme/None", {}, UNKNOWN),
        ("Acme/None", {"HF_TOKEN": TOKEN}, UNKNOWN),
        ("Acme/Tiny-1B@v9", {}, 'Acme/Tiny-1B has no revision "v9"'),
        (
            "Acme/Tiny-1B",
            {"HF_HUB_OFFLINE": "1"},
            "Acme/Tiny-1B cannot be fetched while HF_HUB_OFFLINE or TRANSFORMERS_OFFLINE is set",
        ),
    ],
    ids=["gated, no token", "gated, token without access", "unknown", "unknown, token", "no revision", "offline"],
)
def test_what_the_user_can_mend_is_said(
    hub: LoopbackHub, tmp_path: Path, origin: str, variables: dict[str, str], message: str
) -> None:
    hub.token = "hf_another" if "HF_TOKEN" in variables else None
    answer = _fetch(hub, tmp_path, origin, **variables)
    assert answer == {"kind": "Misconfigured", "error": message}
    assert list((tmp_path / "store").iterdir()) == []


def test_a_repository_without_a_tokenizer_is_named(hub: LoopbackHub, tmp_path: Path) -> None:
    (hub.repositories["Acme/Tiny-1B"] / "tokenizer.json").unlink()
    answer = _fetch(hub, tmp_path, "Acme/Tiny-1B")
    assert answer["error"] == "Acme/Tiny-1B holds no tokenizer: a tokenizer.json is expected in it"


def test_a_token_that_the_hub_refuses_is_named_but_not_shown(hub: LoopbackHub, tmp_path: Path) -> None:
    hub.status, hub.token = 403, TOKEN
    answer = _fetch(hub, tmp_path, "Acme/Tiny-1B", HF_TOKEN=TOKEN)
    assert answer["kind"] == "Misconfigured"
    assert answer["error"] == "the hub refuses access to Acme/Tiny-1B (status 403): is HF_TOKEN valid?"


def test_a_hub_that_fails_or_cannot_be_reached_is_named_with_its_address(hub: LoopbackHub, tmp_path: Path) -> None:
    hub.status = 500
    answer = _fetch(hub, tmp_path, "Acme/Tiny-1B")
    assert answer["kind"] == "Unreadable"
    assert answer["error"] == f"the hub at {hub.url} answered with status 500 for Acme/Tiny-1B: try again"
    answer = _fetch(hub, tmp_path, "Acme/Tiny-1B", HF_ENDPOINT="http://127.0.0.1:9")
    assert answer["kind"] == "Unreadable"
    assert answer["error"].startswith("Acme/Tiny-1B could not be fetched from http://127.0.0.1:9")


def test_a_fetch_that_is_killed_leaves_no_tokenizer_and_the_next_one_succeeds(hub: LoopbackHub, tmp_path: Path) -> None:
    hub.stalls = True
    command = [sys.executable, "-c", FETCH, "Acme/Tiny-1B", str(tmp_path / "store")]
    with subprocess.Popen(command, env=_environment(hub, tmp_path), stdout=subprocess.DEVNULL) as process:
        assert hub.stalled.wait(60)
        process.send_signal(signal.SIGKILL)
    left = [path.name for path in (tmp_path / "store").iterdir()]
    assert all(name.startswith(".fetching-") for name in left)
    hub.stalls = False
    assert _fetch(hub, tmp_path, "Acme/Tiny-1B")["fresh"]


def test_a_file_that_goes_missing_from_the_store_is_fetched_again(hub: LoopbackHub, tmp_path: Path) -> None:
    first = _fetch(hub, tmp_path, "Acme/Tiny-1B")
    shutil.rmtree(first["folder"])
    assert _fetch(hub, tmp_path, "Acme/Tiny-1B")["fresh"]
