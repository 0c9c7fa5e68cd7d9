"""`logcount explain`: answers at night why an exchange counts what it counts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from commands import logcount, native, write_lines
from tiny_tokenizer import build

if TYPE_CHECKING:
    from pathlib import Path

SECRET = "the body that nobody may see"


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    build(tmp_path / "tiny")
    (tmp_path / "logcount.toml").write_text('[tokenizers]\n"tiny" = "./tiny"\n')
    other = native(1) | {
        "requestBody": json.dumps({"model": "tiny", "messages": [{"role": "user", "content": SECRET}]})
    }
    return write_lines(tmp_path / "events.jsonl", [native(0, usage=None), other, b"broken"])


def test_it_shows_envelope_api_report_tokenizer_and_choice(archive: Path) -> None:
    out = logcount("explain", f"{archive}:2", cwd=archive.parent).out
    told = {line[2:16].strip(): line for line in out.splitlines()}
    assert "native" in told["envelope"]
    assert "response chat, request chat" in told["api"]
    assert "prompt 9, completion 12, total 21" in told["reported"]
    assert "./tiny" in told["tokenizer"]
    assert "prompt 9, completion 12, total 21" in told["counted"]
    assert SECRET not in out


def test_it_takes_an_event_from_standard_input_from_a_file_and_as_it_is(archive: Path, tmp_path: Path) -> None:
    event = json.dumps(native(0, usage=None))
    one = tmp_path / "one.json"
    one.write_text(event)
    outputs = [
        logcount("explain", "-", cwd=tmp_path, stdin=event.encode()).out,
        logcount("explain", one, cwd=tmp_path).out,
        logcount("explain", event, cwd=tmp_path).out,
        logcount("explain", f"{archive}:1", cwd=tmp_path).out,
    ]
    assert {out.split("\n", 1)[1] for out in outputs} == {outputs[0].split("\n", 1)[1]}
    assert "tokenizer" in outputs[0]


def test_it_says_why_an_event_is_rejected(archive: Path) -> None:
    assert "not JSON" in logcount("explain", f"{archive}:3", cwd=archive.parent).out


def test_an_event_that_is_not_there_is_wrong_use(archive: Path) -> None:
    ran = logcount("explain", f"{archive}:9", cwd=archive.parent)
    assert ran.status == 2
    assert "no event at position 9" in ran.err
