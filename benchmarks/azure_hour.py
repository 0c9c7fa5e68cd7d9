"""Builds an archive of an hour of Azure's LLM traffic, without usage, whose true counts are known.

    python benchmarks/azure_hour.py TRACE_FOLDER [--out FILE] [--limit N] [--check] [--workers 2,1] [--rounds N]

TRACE_FOLDER holds AzureLLMInferenceTrace_{code,conv}.csv.gz of Azure/AzurePublicDataset (CC-BY; Patel et al., ISCA
2024). Each request becomes a native event at its time, with seeded text of exactly its tokens; it is built once. With
--check the archive is replayed by the command line, with so many workers on as many cores, and the sums are compared
with the trace's. The time is that of the whole command; what of it is its start, with the first requests, is beside.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import statistics
import sys
import time
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from installed_text import InstalledText
from prose import Prose
from rivals import folder_of
from stopwatch import ROOT, Ran, cores, has_workers, replay, run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

SETTINGS = ROOT / "samples" / "logcount.toml"
MODEL = "Qwen/Qwen3-8B"

AIM = 10.0
"""Seconds for the hour on two cores."""

STARTING = 800
"""Requests by which logcount has loaded all that it loads."""

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
    bodies = {"responseBody": response, "requestBody": request}
    return head | {name: msgspec.json.encode(body).decode() for name, body in bodies.items()}


def build(folder: Path, out: Path, limit: int | None) -> None:
    """Write the archive."""
    prose = Prose(InstalledText(seed=2023), count_each())
    out.parent.mkdir(parents=True, exist_ok=True)
    unfinished = out.with_suffix(".part")
    with unfinished.open("wb") as archive:
        for number, (moment, context, generated) in enumerate(limited(folder, limit)):
            archive.write(msgspec.json.encode(event(number, moment, context, generated, prose)) + b"\n")
    unfinished.rename(out)


def count_each() -> Callable[[Sequence[str]], list[int]]:
    """Return what counts texts by the model's tokenizer as transformers loads it: nothing of logcount's."""
    from transformers import AutoTokenizer  # noqa: PLC0415 - heavy, and not needed where the archive is there

    backend = AutoTokenizer.from_pretrained(str(folder_of(SETTINGS, MODEL))).backend_tokenizer
    return lambda texts: [len(encoding) for encoding in backend.encode_batch_fast(texts, add_special_tokens=False)]


def limited(folder: Path, limit: int | None) -> Iterator[tuple[datetime, int, int]]:
    """Return the requests of the trace, up to a number of them."""
    return islice(trace(folder), limit)


def true_sums(folder: Path, limit: int | None) -> tuple[int, int, int]:
    """Return exchanges, prompt tokens and completion tokens of the trace."""
    rows = list(limited(folder, limit))
    return len(rows), sum(context for _, context, _ in rows), sum(generated for _, _, generated in rows)


def check(out: Path, true: tuple[int, int, int], workers: int, rounds: int) -> bool:
    """Replay the archive and compare its sums with the trace's."""
    start = out.with_name(f"{out.stem}-start.jsonl")
    with out.open("rb") as lines, start.open("wb") as first:
        first.writelines(islice(lines, STARTING))
    walls, starts, exact = [], [], True
    for _ in range(rounds):
        starts.append(replayed(start, workers).wall)
        ran = replayed(out, workers)
        walls.append(ran.wall)
        exact = is_exact(ran, true) and exact
    start.unlink()
    took = statistics.median(walls)
    print(
        f"{workers} worker{'s' if workers > 1 else ''}: {took:.1f} s ({min(walls):.1f} to {max(walls):.1f}; aimed at "
        f"{AIM:.0f} on two cores), {statistics.median(starts):.1f} s of it the start; {true[0] / took:,.0f} requests/s "
        f"and {sum(true[1:]) / took / 1e6:.2f} million tokens/s; the sums are {'exact' if exact else 'NOT exact'}",
        flush=True,
    )
    return exact


def replayed(path: Path, workers: int) -> Ran:
    """Run the command line on as many cores as it has workers."""
    return run(replay([path], settings=SETTINGS, workers=workers), cores()[:workers])


def is_exact(ran: Ran, true: tuple[int, int, int]) -> bool:
    """Say whether every exchange was counted, whole, to the sums of the trace."""
    document = json.loads(ran.output)
    counted = (document["events"]["counted"], document["tokens"]["prompt"], document["tokens"]["completion"])
    by_tokenizer = sum(group["counted_by"]["tokenizer"] for group in document["groups"])
    if counted != true or by_tokenizer != true[0]:
        print(f"counted {counted}, {by_tokenizer} of them by tokenizer; true are {true}")
        return False
    return True


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--out", type=Path, help="[default: .cache/azure-hour.jsonl]")
    parser.add_argument("--limit", type=int)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--workers", default="2,1", help="numbers of workers, measured one after the other")
    parser.add_argument("--rounds", type=int, default=1)
    asked = parser.parse_args()
    name = "azure-hour.jsonl" if asked.limit is None else f"azure-hour-{asked.limit}.jsonl"
    out = asked.out or ROOT / ".cache" / name
    began = time.perf_counter()
    if not out.exists():
        build(asked.folder, out, asked.limit)
    true = true_sums(asked.folder, asked.limit)
    size, seconds = out.stat().st_size / 1e6, time.perf_counter() - began
    print(f"{out}: {true[0]:,} exchanges, {true[1]:,} + {true[2]:,} tokens, {size:.0f} MB, {seconds:.0f} s", flush=True)
    numbers = [int(number) for number in asked.workers.split(",") if number == "1" or has_workers()]
    if asked.check and not all(check(out, true, number, asked.rounds) for number in numbers):
        sys.exit("the sums differ")


if __name__ == "__main__":
    main()
