"""`logcount replay --calibrate` and `explain`: what the tokenizers say beside what was reported."""

from __future__ import annotations

import csv
import io
import json
from functools import cache
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from commands import Ran, logcount, write_lines
from tiny_tokenizer import build

from logcount.tokenizers import load_tokenizer

if TYPE_CHECKING:
    from pathlib import Path

WORDS = ("lantern", "keeper", "walked", "1234", "steps", "Übersee,", "{x:", "[7,", "8]}", "said:", "東京は晴れ")
OPEN = "<|im_start|>user\n{}<|im_end|>\n<|im_start|>assistant\n"
EVENTS = 12
"""Of each model."""


def _native(model: str, asked: str, said: str, usage: tuple[int, int] | None) -> dict[str, Any]:
    answer: dict[str, Any] = {"model": model, "choices": [{"message": {"content": said}, "finish_reason": "stop"}]}
    if usage:
        answer["usage"] = {"prompt_tokens": usage[0], "completion_tokens": usage[1], "total_tokens": sum(usage)}
    request = {"model": model, "messages": [{"role": "user", "content": asked}]}
    bodies = {"responseBody": json.dumps(answer), "requestBody": json.dumps(request)}
    return {"v": 1, "requestId": model, "time": "2026-11-22T10:00:00Z", "status": 200, **bodies}


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an archive of models that report by the tokenizer, by one with another template, and by words."""
    folder = tmp_path_factory.mktemp("archive")
    tiny = load_tokenizer(build(folder / "tiny"), name="tiny")
    (folder / "logcount.toml").write_text('[tokenizers]\n"tiny*" = "./tiny"\n')
    random, events = Random(7), []
    for _ in range(EVENTS):
        asked, said = (" ".join(random.choices(WORDS, k=random.randint(3, 40))) for _ in range(2))
        prompt, completion = tiny.count(OPEN.format(asked)), tiny.count(said) + 1
        words = len(asked.split()) + 9, len(said.split())
        events += [
            _native("tiny-right", asked, said, (prompt, completion)),
            _native("tiny-revised", asked, said, (prompt + 3, completion)),
            _native("tiny-words", asked, said, words),
            _native("unknown", asked, said, words),
            _native("tiny-silent", asked, said, None),
        ]
    return write_lines(folder / "events.jsonl", events)


@cache
def _ran(archive: Path, *options: str, columns: str = "200") -> Ran:
    ran = logcount("replay", archive, *options, cwd=archive.parent, COLUMNS=columns)
    assert ran.status == 0, ran.err
    return ran


JSON = ("--calibrate", "--output", "json")


def _rows(archive: Path) -> dict[str, dict[str, Any]]:
    ran = _ran(archive, *JSON)
    return {row["model"]: row for row in ran.document["calibration"]}


def test_json_has_a_row_for_each_model_with_its_verdict(archive: Path) -> None:
    rows = _rows(archive)
    assert {model: row["verdict"] for model, row in rows.items()} == {
        "tiny-right": "exact",
        "tiny-revised": "offset",
        "tiny-words": "mismatch",
        "unknown": "not compared",
    }
    right, revised, wrong = rows["tiny-right"], rows["tiny-revised"], rows["tiny-words"]
    assert right["tokenizer"].startswith("./tiny ")
    assert right["prompt"]["exact_share"] == right["completion"]["exact_share"] == 1.0
    assert (revised["prompt"]["exact_share"], revised["prompt"]["mean_error"]) == (0.0, -3.0)
    assert revised["prompt"]["differences"] == [{"tokens": -3, "exchanges": EVENTS}]
    assert revised["prompt"]["cause"].startswith(f"-3 in {EVENTS} of {EVENTS}: the server's chat template")
    assert revised["completion"]["verdict"] == "exact"
    assert "another model's tokenizer" in wrong["completion"]["cause"]
    assert rows["unknown"]["tokenizer"] is None
    assert rows["unknown"]["prompt"]["not_compared"] == [{"reason": "no tokenizer for this model", "exchanges": EVENTS}]


def test_the_worst_names_a_place_that_explain_takes(archive: Path) -> None:
    worst = _rows(archive)["tiny-words"]["completion"]["worst"]
    out = logcount("explain", f"{worst['source']}:{worst['position']}", cwd=archive.parent).out
    assert f"{worst['difference']:+,} against the {worst['reported']:,} reported" in out
    assert "as reported" in logcount("explain", f"{archive}:1", cwd=archive.parent).out


def test_a_calibration_changes_nothing_of_the_counts(archive: Path) -> None:
    plain, calibrated = _ran(archive, "--output", "json").document, _ran(archive, *JSON).document
    assert "calibration" not in plain
    calibrated.pop("calibration")
    assert calibrated == plain


def test_it_is_the_same_whatever_the_number_of_processes(archive: Path) -> None:
    assert _ran(archive, *JSON, "--workers", "2").out == _ran(archive, *JSON).out
    assert _ran(archive, "--calibrate", "--each", "--workers", "2").out == _ran(archive, "--calibrate", "--each").out


@pytest.mark.parametrize("columns", ["80", "120"])
def test_the_table_fits_the_terminal_and_puts_the_mismatch_first(archive: Path, columns: str) -> None:
    ran = _ran(archive, "--calibrate", columns=columns)
    table = ran.out.partition("calibration:")[2]
    assert max(len(line.rstrip()) for line in table.splitlines()) <= int(columns)
    titles = [line.strip() for line in table.splitlines() if line.strip() in {"mismatch", "offset", "not compared"}]
    assert titles == ["mismatch", "offset", "not compared"]
    right = next(line for line in table.splitlines() if "prompt" in line and "100 %" in line)
    assert right.split() == ["prompt", str(EVENTS), "100", "%", "-", "-", "exact"]
    assert f"no tokenizer for this model: unknown {EVENTS}" in table


def test_each_line_says_what_was_compared(archive: Path) -> None:
    ran = _ran(archive, "--calibrate", "--each")
    first = {line["model"]: line for line in reversed(ran.lines)}
    revised = first["tiny-revised"]["calibration"]
    assert revised["prompt"]["difference"] == revised["prompt"]["counted"] - revised["prompt"]["reported"] == -3
    assert revised["completion"]["difference"] == 0
    assert first["unknown"]["calibration"]["prompt"]["reason"] == "no tokenizer for this model"
    assert "calibration" not in first["tiny-silent"]
    assert "calibration: mismatch: tiny-words, completion: " in ran.err


def test_csv_stays_what_it_is_and_what_differs_is_told_beside_it(archive: Path) -> None:
    ran = _ran(archive, "--calibrate", "--output", "csv", "--by", "Model")
    assert {row["exchanges"] for row in csv.DictReader(io.StringIO(ran.out))} == {str(EVENTS)}
    told = [line for line in ran.err.splitlines() if line.startswith("calibration: ")]
    assert [line.split(": ")[1:3] for line in told] == [
        ["offset", "tiny-revised, prompt"],
        ["mismatch", "tiny-words, prompt"],
        ["mismatch", "tiny-words, completion"],
    ]


def test_where_nothing_was_reported_that_is_said(tmp_path: Path) -> None:
    silent = write_lines(tmp_path / "silent.jsonl", [_native("m", "Hi", "Hello.", None)])
    assert "nothing could be compared" in logcount("replay", silent, "--calibrate", cwd=tmp_path).out
    assert logcount("replay", silent, "--calibrate", "--output", "json", cwd=tmp_path).document["calibration"] == []
