"""Counts an hour of Azure's LLM traffic live, at many times its speed, in its real pattern of arrivals.

    python benchmarks/live_hour.py TRACE_FOLDER [--speed 60] [--settle 30,1] [--partitions 4] [--limit N]

TRACE_FOLDER holds AzureLLMInferenceTrace_{code,conv}.csv.gz of Azure/AzurePublicDataset (CC-BY; Patel et al., ISCA
2024). Each request becomes a native event that is as large as its tokens make it and reports them as usage. The figure
is how long after its arrival at the hub an event stands settled in the ledger. It holds up to the settle interval, for
that is how long events are gathered, and what is beyond it is logcount's own delay.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

import psutil
from azure_hour import trace
from live_stack import HUB, Stack, run_stack, wait_until

LARGEST = 190_000
"""Characters of a request's body: what is beyond, the gateway's 200 KB would cut."""


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--speed", type=float, default=60.0)
    parser.add_argument("--settle", default="30,1")
    parser.add_argument("--partitions", type=int, default=4)
    parser.add_argument("--limit", type=int)
    options = parser.parse_args()
    print(
        "| settle interval | events | events/s | seconds behind: median | 99th percentile | worst | tokens exact | MB |"
    )
    print("|---|---|---|---|---|---|---|---|")
    for settle in map(float, options.settle.split(",")):
        measure(settle, options)


def measure(settle: float, options: argparse.Namespace) -> None:
    """Play the hour once, and print a row."""
    with tempfile.TemporaryDirectory() as folder, run_stack(Path(folder), partitions=options.partitions) as stack:
        due, tokens = write_schedule(stack.folder / "schedule.jsonl", options)
        process = stack.start(run__settle_seconds=settle)
        wait_until(lambda: "reading" in stack.logs(), 60, "a link")
        stack.peer.play(HUB, stack.folder / "schedule.jsonl", speed=options.speed)
        wait_until(lambda: stack.peer.played(HUB)["published"] > 0, 60, "the first event")
        started = time.time()
        events = sum(map(len, due.values()))
        wait_until(lambda: stack.totals()["events"] >= events, 3600, "the whole hour")
        peak = psutil.Process(process.pid).memory_info().rss / 1e6
        behind = delays(stack, due, started, options.speed)
        exact = stack.totals()["Total Tokens"] == tokens
        late = stack.peer.played(HUB)["late"]
    hundredths = statistics.quantiles(behind, n=100)
    rate = events / (max(max(one) for one in due.values()) / options.speed)
    print(
        f"| {settle:g} s | {events:,} | {rate:,.0f} | {statistics.median(behind):.1f} | {hundredths[98]:.1f} | "
        f"{max(behind):.1f} | {'yes' if exact else 'NO'} | {peak:.0f} |",
        flush=True,
    )
    print(f"(the hub took its events up to {late:.2f} s late)", file=sys.stderr)


def write_schedule(path: Path, options: argparse.Namespace) -> tuple[dict[str, list[float]], int]:
    """Write the hour as a schedule; return by partition when each event is due, and all tokens."""
    due: dict[str, list[float]] = {str(number): [] for number in range(options.partitions)}
    first, tokens = None, 0
    with path.open("w") as lines:
        for number, (moment, context, generated) in enumerate(trace(options.folder)):
            if number == options.limit:
                break
            first = first or moment
            partition, at = str(number % options.partitions), (moment - first).total_seconds()
            due[partition].append(at)
            tokens += context + generated
            lines.write(
                json.dumps({"at": at, "partition": partition, "body": event(number, context, generated)}) + "\n"
            )
    return due, tokens


def event(number: int, context: int, generated: int) -> str:
    """Return a native event of this many tokens, at four characters each."""
    usage = {"prompt_tokens": context, "completion_tokens": generated, "total_tokens": context + generated}
    answer = {"message": {"role": "assistant", "content": "word " * (generated * 4 // 5)}, "finish_reason": "stop"}
    response = {"model": "Qwen/Qwen3-8B", "choices": [answer], "usage": usage}
    question = "word " * (min(context * 4, LARGEST) // 5)
    request = {"model": "Qwen/Qwen3-8B", "messages": [{"role": "user", "content": question}]}
    bodies = {"responseBody": json.dumps(response), "requestBody": json.dumps(request)}
    return json.dumps({"v": 1, "requestId": f"r{number}", "apiId": "llm", "status": 200, **bodies})


def delays(stack: Stack, due: dict[str, list[float]], started: float, speed: float) -> list[float]:
    """Return for each event how many seconds after its arrival its record was written."""
    behind = []
    for partition, records in stack.records().items():
        for record in records:
            written = datetime.fromisoformat(record["written"]).timestamp()
            arrivals = due[partition][record["from"] : record["to"] + 1]
            behind += [written - (started + at / speed) for at in arrivals]
    return behind


if __name__ == "__main__":
    main()
