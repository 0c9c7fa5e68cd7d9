"""Walls: nothing heavy is imported before a tokenizer is needed, no socket is opened, and stderr stays clean."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from tiny_tokenizer import build

if TYPE_CHECKING:
    from pathlib import Path

HEAVY = ("transformers", "huggingface_hub", "jinja2", "tokenizers", "numpy", "rich")


def _python(code: str, *arguments: str, **variables: str) -> Any:
    """Run code in a fresh Python that has nothing to say; return what it prints as JSON."""
    command = [sys.executable, "-W", "error", "-c", code, *arguments]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("HF_", "TRANSFORMERS_"))}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment | variables)
    assert done.stderr == ""
    assert done.returncode == 0
    return json.loads(done.stdout)


@pytest.mark.parametrize("module", ["logcount.tokenizers", "logcount.cli.tokenizers"])
def test_importing_brings_in_nothing_heavy(module: str) -> None:
    code = f"import json, sys, {module}; print(json.dumps([name for name in {HEAVY!r} if name in sys.modules]))"
    assert _python(code) == []


NO_NETWORK = """
import json, os, socket, sys
from datetime import datetime
from pathlib import Path
def refuse(*_):
    print(json.dumps("a socket was opened"))
    os._exit(0)
socket.socket.connect = socket.socket.connect_ex = socket.getaddrinfo = refuse
before = dict(os.environ)
from logcount.tokenizers import load_tokenizer
tokenizer = load_tokenizer(Path(sys.argv[1]), name="tiny")
text = tokenizer.render([{"role": "user", "content": "hi"}], date=datetime.now())
from huggingface_hub import constants
print(json.dumps([tokenizer.count(text) > 0, dict(os.environ) == before, constants.HF_HUB_OFFLINE]))
"""


@pytest.mark.parametrize("config", [{}, {"model_type": "mistral"}, {"model_type": "no-such-model"}])
def test_loading_and_counting_open_no_socket_say_nothing_and_leave_the_process_as_it_was(
    tmp_path: Path, config: dict[str, str]
) -> None:
    folder = build(tmp_path / "tiny")
    if config:  # transformers asks the hub, or the user, about some model types
        (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    assert _python(NO_NETWORK, str(folder)) == [True, True, False]


def test_loading_opens_no_socket_even_where_the_client_of_the_hub_was_imported_online_before(tmp_path: Path) -> None:
    folder = build(tmp_path / "tiny")
    code = "import huggingface_hub\n" + NO_NETWORK
    assert _python(code, str(folder)) == [True, True, False]
