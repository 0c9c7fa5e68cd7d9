"""`logcount replay`: what it prints, and how it ends."""

from __future__ import annotations

import csv
import io
import json
import os
import pty
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from commands import logcount, native, write_lines
from tiny_tokenizer import build

SAMPLES = Path(__file__).parents[2] / "samples"


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    events = [
        native(0, subscriptionId="a"),
        native(1, subscriptionId="a", usage=(1, 2)),
        native(2, subscriptionId="b", dimensions={"Team": "search"}),
        native(3, usage=None),
        native(4, usage=None, status=429),
        b"no log line",
    ]
    return write_lines(tmp_path / "events.jsonl", events)


def test_the_json_document_accounts_for_every_event(archive: Path) -> None:
    document = logcount("replay", archive, "--output", "json", cwd=archive.parent).document
    assert document["v"] == 1
    assert document["events"] == {
        "read": 6,
        "counted": 3,
        "uncounted": 1,
        "rejected": 1,
        "skipped": 1,
        "duplicates": 0,
    }
    assert document["tokens"] == {"prompt": 19, "completion": 26, "total": 45, "cached": 0, "reasoning": 0}
    assert document["uncounted"] == [{"reason": "no tokenizer for this model", "exchanges": 1}]
    assert document["rejected"] == [{"reason": "not JSON", "events": 1, "first": f"{archive}:6"}]
    assert document["skipped"] == [{"reason": "status 429", "exchanges": 1}]


def test_groups_are_made_by_the_configured_dimensions(archive: Path) -> None:
    groups = logcount("replay", archive, "--output", "json", cwd=archive.parent).document["groups"]
    first = {"API ID": "chat", "Subscription ID": "a", "Model": "tiny", "Counted By": "usage"}
    assert [(group["dimensions"], group["exchanges"], group["total"]) for group in groups] == [
        (first, 2, 24),
        (first | {"Subscription ID": "b"}, 1, 21),
    ]
    assert groups[0]["counted_by"] == {"usage": 2, "tokenizer": 0, "partial": 0}


@pytest.mark.parametrize(
    ("by", "keys"),
    [
        ("subscription id", [{"Subscription ID": "a"}, {"Subscription ID": "b"}]),
        ("Team", [{}, {"Team": "search"}]),
        ("hour,model", [{"hour": "2026-11-22T10:00Z", "Model": "tiny"}]),
        ("day", [{"day": "2026-11-22"}]),
    ],
)
def test_by_groups_by_any_dimension_and_by_hour_and_day(archive: Path, by: str, keys: list[dict[str, str]]) -> None:
    ran = logcount("replay", archive, "--output", "json", "--by", by, cwd=archive.parent)
    assert [group["dimensions"] for group in ran.document["groups"]] == keys


def test_a_dimension_that_no_exchange_has_is_named(archive: Path) -> None:
    ran = logcount("replay", archive, "--by", "Modle", cwd=archive.parent)
    assert ran.status == 0
    assert "no counted exchange has the dimension Modle" in ran.err


def test_each_prints_one_line_an_exchange_in_the_order_of_the_archive(archive: Path) -> None:
    ran = logcount("replay", archive, "--each", cwd=archive.parent)
    assert [(line["id"], line["outcome"], line["position"]) for line in ran.lines] == [
        ("r0", "counted", 1),
        ("r1", "counted", 2),
        ("r2", "counted", 3),
        ("r3", "uncounted", 4),
        ("r4", "skipped", 5),
    ]
    assert ran.lines[1] == {
        "id": "r1",
        "time": "2026-11-22T10:01:00Z",
        "model": "tiny",
        "outcome": "counted",
        "prompt": 1,
        "completion": 2,
        "total": 3,
        "cached": None,
        "reasoning": None,
        "counted_by": "usage",
        "tokenizer": None,
        "reason": None,
        "flags": [],
        "source": str(archive),
        "position": 2,
        "dimensions": {"API ID": "chat", "Subscription ID": "a", "Model": "tiny", "Counted By": "usage"},
    }
    assert ran.lines[3]["counted_by"] is None
    assert ran.lines[3]["total"] is None


def test_csv_has_the_groups_flattened(archive: Path) -> None:
    ran = logcount("replay", archive, "--output", "csv", "--by", "Subscription ID", cwd=archive.parent)
    rows = list(csv.DictReader(io.StringIO(ran.out)))
    assert [(row["Subscription ID"], row["exchanges"], row["total"], row["usage"]) for row in rows] == [
        ("a", "2", "24", "2"),
        ("b", "1", "21", "1"),
    ]


def test_csv_says_beside_it_what_the_groups_cannot(archive: Path) -> None:
    ran = logcount("replay", archive, "--output", "csv", cwd=archive.parent)
    assert "6 read = 3 counted + 1 uncounted + 1 rejected" in ran.err


def test_csv_values_cannot_run_as_formulas(tmp_path: Path) -> None:
    archive = write_lines(tmp_path / "e.jsonl", [native(0, subscriptionId="=1+1")])
    ran = logcount("replay", archive, "--output", "csv", "--by", "Subscription ID", cwd=tmp_path)
    assert next(csv.DictReader(io.StringIO(ran.out)))["Subscription ID"] == "'=1+1"


def test_the_table_shows_totals_and_what_was_not_counted_and_why(archive: Path) -> None:
    out = logcount("replay", archive, cwd=archive.parent).out
    assert "6 read = 3 counted + 1 uncounted + 1 rejected + 1 skipped + 0 duplicates" in out
    assert "no tokenizer for this model: tiny 1" in out
    assert "status 429" in out


@pytest.mark.parametrize(
    ("span", "ids"),
    [
        (["--since", "2026-11-22T10:01Z"], ["r1", "r2", "r3", "r4"]),
        (["--until", "2026-11-22T10:01Z"], ["r0"]),
        (["--since", "2026-11-22T10:01Z", "--until", "2026-11-22T10:03:00+00:00"], ["r1", "r2"]),
        (["--since", "2026-11-23"], []),
    ],
)
def test_since_is_inclusive_and_until_exclusive(archive: Path, span: list[str], ids: list[str]) -> None:
    assert [line["id"] for line in logcount("replay", archive, "--each", *span, cwd=archive.parent).lines] == ids


def test_an_exchange_of_unknown_time_is_outside_any_span(tmp_path: Path) -> None:
    archive = write_lines(tmp_path / "e.jsonl", [native(0, time=None), native(1)])
    document = logcount("replay", archive, "--output", "json", "--since", "2026-01-01", cwd=tmp_path).document
    assert (document["events"]["read"], document["outside_span"]) == (1, 1)


def test_what_the_model_did_not_report_is_counted_by_its_tokenizer(archive: Path) -> None:
    build(archive.parent / "tiny")
    (archive.parent / "logcount.toml").write_text('[tokenizers]\n"tin*" = "./tiny"\n')
    line = logcount("replay", archive, "--each", cwd=archive.parent).lines[3]
    assert (line["counted_by"], line["outcome"]) == ("tokenizer", "counted")
    assert line["prompt"] > line["completion"] > 1
    assert line["total"] == line["prompt"] + line["completion"]
    assert line["tokenizer"].startswith("./tiny ")


def test_a_replay_in_which_all_report_usage_never_imports_transformers(tmp_path: Path) -> None:
    build(tmp_path / "tiny")
    (tmp_path / "logcount.toml").write_text('[tokenizers]\n"*" = "./tiny"\n')
    write_lines(tmp_path / "e.jsonl", [native(0), native(1, usage=(3, 4))])
    probe = (
        "import sys; from logcount.cli import cli; cli.main(['replay', 'e.jsonl'], standalone_mode=False);"
        "print([name for name in ('transformers', 'tokenizers', 'azure') if name in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", probe], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines()[-1] == "[]"


def test_an_operators_own_envelope_is_read_through_a_mapping(tmp_path: Path) -> None:
    event = native(7)
    own = {"acme": 1, "http": {"req": event["requestBody"], "res": event["responseBody"]}, "at": "2026-11-22T11:00:00Z"}
    archive = write_lines(tmp_path / "e.jsonl", [own | {"who": {"sub": "s1"}, "ids": ["x", "id-1"]}])
    (tmp_path / "logcount.toml").write_text(
        '[[envelopes]]\nname = "acme"\nmatch = "acme"\n[envelopes.fields]\nrequestBody = "http.req"\n'
        'responseBody = "http.res"\ntime = "at"\nsubscriptionId = "who.sub"\nrequestId = "ids.1"\n'
    )
    line = logcount("replay", archive, "--each", cwd=tmp_path).lines[0]
    assert (line["id"], line["total"], line["time"]) == ("id-1", 21, "2026-11-22T11:00:00Z")
    assert line["dimensions"]["Subscription ID"] == "s1"


def test_standard_input_and_several_paths_are_read(archive: Path) -> None:
    stdin = json.dumps(native(9)).encode()
    lines = logcount("replay", "-", archive, "--each", cwd=archive.parent, stdin=stdin).lines
    assert (lines[0]["id"], lines[0]["source"], len(lines)) == ("r9", "-", 6)


def test_a_file_given_twice_is_counted_once(archive: Path) -> None:
    events = logcount("replay", archive, archive.parent, "--output", "json", cwd=archive.parent).document["events"]
    assert (events["read"], events["counted"], events["duplicates"]) == (12, 3, 6)


@pytest.mark.parametrize(
    ("arguments", "status", "told"),
    [
        (["replay"], 2, "PATH"),
        (["replay", "gone.jsonl"], 2, "gone.jsonl"),
        (["replay", "*.nothing"], 2, "*.nothing"),
        (["replay", "e.jsonl", "--since", "yesterday"], 2, "2026-11-22"),
        (["replay", "e.jsonl", "--by", ","], 2, "dimension"),
        (["replay", "e.jsonl", "--output", "xml"], 2, "xml"),
        (["replay", "e.jsonl", "--each", "--by", "day"], 2, "--each"),
        (["--config", "gone.toml", "replay", "e.jsonl"], 2, "gone.toml"),
        (["replay", "empty"], 0, ""),
        (["replay", "e.jsonl"], 0, ""),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_the_exit_status_says_how_it_ended(tmp_path: Path, arguments: list[str], status: int, told: str) -> None:
    (tmp_path / "empty").mkdir()
    write_lines(tmp_path / "e.jsonl", [b"broken", native(0)])
    ran = logcount(*arguments, cwd=tmp_path)
    assert ran.status == status
    assert told in ran.err
    assert "Traceback" not in ran.err


def test_a_source_that_cannot_be_read_ends_with_1_after_what_was_read(tmp_path: Path) -> None:
    write_lines(tmp_path / "a.jsonl", [native(0)])
    (tmp_path / "b.jsonl").symlink_to("/proc/self/mem")  # opens, and refuses to be read, for root too
    ran = logcount("replay", "a.jsonl", "b.jsonl", "--output", "json", cwd=tmp_path)
    assert ran.status == 1
    assert "b.jsonl" in ran.err
    assert ran.document["events"]["counted"] == 1


def test_a_reader_that_goes_away_is_no_traceback(tmp_path: Path) -> None:
    write_lines(tmp_path / "e.jsonl", [native(number % 60) for number in range(3000)])
    command = f"{sys.executable} -m logcount replay e.jsonl --each | head -1"
    ran = subprocess.run(["bash", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert json.loads(ran.stdout)["id"] == "r0"
    assert ran.stderr == ""


def test_an_interrupt_ends_with_130(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "logcount", "replay", "-"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=tmp_path, stdin=pipe, stdout=subprocess.DEVNULL, stderr=pipe) as running:
        assert running.stdin
        assert running.stderr
        # More than a pipe holds: when this is written, the replay is reading.
        running.stdin.write((json.dumps(native(0)).encode() + b"\n") * 2000)
        running.send_signal(signal.SIGINT)
        assert running.wait(180) == 130
        assert b"Traceback" not in running.stderr.read()


def test_progress_goes_to_stderr_and_only_to_a_terminal(archive: Path) -> None:
    assert logcount("replay", archive, cwd=archive.parent).err == ""
    leader, follower = pty.openpty()
    command = [sys.executable, "-m", "logcount", "replay", str(archive), "--output", "json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=follower, cwd=archive.parent) as running:
        os.close(follower)
        assert running.stdout
        assert json.loads(running.stdout.read())["events"]["read"] == 6
        running.wait(180)
        shown = b""
        while select.select([leader], [], [], 1)[0]:
            try:
                shown += os.read(leader, 4096)
            except OSError:  # the other end is closed: all was read
                break
    os.close(leader)
    assert b"reading" in shown


def test_the_sample_archive_is_accounted_for_without_any_tokenizer(tmp_path: Path) -> None:
    document = logcount("replay", SAMPLES / "archive", "--output", "json", cwd=tmp_path).document
    events = document["events"]
    assert events["read"] == sum(number for name, number in events.items() if name != "read")
    assert events["counted"] > 60
    assert events["rejected"] == 7
    assert {row["reason"] for row in document["uncounted"]} == {
        "no tokenizer for this model",
        "neither bodies nor usage in the log",
    }
