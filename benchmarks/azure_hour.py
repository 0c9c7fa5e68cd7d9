"""Builds an archive of an hour of Azure's LLM traffic, without usage, whose true counts are known.

    python benchmarks/azure_hour.py TRACE_FOLDER [--out FILE] [--limit N] [--check]

TRACE_FOLDER holds AzureLLMInferenceTrace_{code,conv}.csv.gz of Azure/AzurePublicDataset (CC-BY; Patel et al., ISCA
2024). Each request becomes a native event at its time, with seeded text of exactly its tokens; with --check the
archive is replayed and the sums are compared.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prose import Prose

from logcount.cli.wiring import make_shelf
from logcount.settings import load_settings

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parent.parent
SETTINGS = ROOT / "samples" / "logcount.toml"
MODEL = "Qwen/Qwen3-8B"

FRAME = 12
"""Tokens that Qwen3's chat template puts around one user message with thinking turned off."""


def trace(folder: Path) -> Iterator[tuple[datetime, int, int]]:
    """Return time, context tokens and generated tokens of every request, both services in order of time."""
    rows = []
    for service in ("code", "conv"):
        with gzip.open(folder / f"AzureLLMInferenceTrace_{service}.csv.gz", "rt", encoding="ascii") as lines:
            rows += list(csv.DictReader(lines))
    rows.sort(key=lambda row: row["TIMESTAMP"])
    for row in rows:
        yield datetime.fromisoformat(row["TIMESTAMP"]), int(row["ContextTokens"]), int(row["GeneratedTokens"])


def event(number: int, moment: datetime, context: int, generated: int, prose: Prose) -> dict[str, Any]:
    """Return one request as a native event whose bodies have exactly these tokens."""
    stopped = generated > 1
    answer = prose.write(generated - 1 if stopped else generated)
    choice: dict[str, Any] = {"index": 0, "finish_reason": "stop" if stopped else "length"}
    request: dict[str, Any] = {"model": MODEL}
    if context > FRAME:
        request["messages"] = [{"role": "user", "content": prose.write(context - FRAME)}]
        request["chat_template_kwargs"] = {"enable_thinking": False}
        choice["message"] = {"role": "assistant", "content": answer}
    else:  # too short for a chat: a bare completion
        request["prompt"] = prose.write(context)
        choice["text"] = answer
    head = {"v": 1, "requestId": f"hour-{number:05}", "time": moment.isoformat() + "Z", "apiId": "llm", "status": 200}
    response = {"id": f"c-{number}", "model": MODEL, "choices": [choice]}
    return head | {"responseBody": json.dumps(response), "requestBody": json.dumps(request)}


def build(folder: Path, out: Path, limit: int | None) -> tuple[int, int, int]:
    """Write the archive; return its exchanges, prompt tokens and completion tokens."""
    tokenizer = make_shelf(load_settings(SETTINGS))(MODEL)
    assert tokenizer is not None
    prose = Prose(tokenizer.count, seed=2023)
    out.parent.mkdir(parents=True, exist_ok=True)
    exchanges = prompts = completions = 0
    with out.open("w", encoding="utf-8") as archive:
        for number, (moment, context, generated) in enumerate(trace(folder)):
            if number == limit:
                break
            archive.write(json.dumps(event(number, moment, context, generated, prose)) + "\n")
            exchanges, prompts, completions = exchanges + 1, prompts + context, completions + generated
    return exchanges, prompts, completions


def check(out: Path, true: tuple[int, int, int]) -> bool:
    """Replay the archive and compare its sums with the trace's."""
    began = time.perf_counter()
    command = [sys.executable, "-m", "logcount", "--config", str(SETTINGS), "replay", str(out), "--output", "json"]
    document = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    seconds = time.perf_counter() - began
    counted = (document["events"]["counted"], document["tokens"]["prompt"], document["tokens"]["completion"])
    by = {word: sum(group["counted_by"][word] for group in document["groups"]) for word in ("tokenizer", "partial")}
    print(f"replayed in {seconds:.1f} s: {counted} counted, {true} true; counted by {by}")
    return counted == true and by["tokenizer"] == true[0]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--out", type=Path, default=ROOT / ".cache" / "azure-hour.jsonl")
    parser.add_argument("--limit", type=int)
    parser.add_argument("--check", action="store_true")
    asked = parser.parse_args()
    began = time.perf_counter()
    true = build(asked.folder, asked.out, asked.limit)
    size, seconds = asked.out.stat().st_size / 1e6, time.perf_counter() - began
    print(f"{asked.out}: {true[0]:,} exchanges, {true[1]:,} + {true[2]:,} tokens, {size:.0f} MB, {seconds:.0f} s")
    if asked.check and not check(asked.out, true):
        sys.exit("the sums differ")


if __name__ == "__main__":
    main()
