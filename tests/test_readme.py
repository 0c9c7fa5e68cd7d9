"""The README keeps what it says: its snippets run, its settings and those of its pages load, its first event counts."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from logcount import count_exchange
from logcount.settings import load_settings

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
SETTINGS = "".join((ROOT / "docs" / page).read_text(encoding="utf-8") for page in ("settings.md", "running.md"))


def _blocks(language: str, text: str = README) -> list[str]:
    found: list[str] = re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)
    return found


def test_the_first_event_is_counted_as_shown() -> None:
    event = re.search(r"echo '(.*?)' \|", README)
    assert event
    assert README[: event.end()].count("\n") < 15
    count = count_exchange(None, json.loads(event[1])["responseBody"]).count
    assert count
    assert (count.prompt, count.completion, count.total) == (9, 12, 21)


@pytest.mark.parametrize("snippet", _blocks("python"))
def test_every_snippet_of_python_runs(snippet: str) -> None:
    ran = subprocess.run([sys.executable, "-c", snippet], capture_output=True, text=True, check=True)
    assert ran.stdout == "21 usage\n"


@pytest.mark.parametrize("settings", _blocks("toml", README + SETTINGS))
def test_every_settings_file_loads(tmp_path: Path, settings: str) -> None:
    (tmp_path / "logcount.toml").write_text(settings, encoding="utf-8")
    load_settings(tmp_path / "logcount.toml")


@pytest.mark.parametrize("link", re.findall(r"\]\(([\w/.-]+\.md)\)", README))
def test_every_page_that_is_named_is_there(link: str) -> None:
    assert (ROOT / link).is_file()
