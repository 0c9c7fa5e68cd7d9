"""Measures `logcount run` beside a loop that only receives, with the same SDK and settings, in one run.

    python benchmarks/live.py [--events N] [--rounds N] [--partitions 1,4,8] [--prefetch N]

Everything runs on this machine: the Event Hubs peer and the ingestion server of the tests take their share of the
cores. So besides the rate by the clock there is the processor time that the receiving process takes for an event: where
it has a core to itself, that is what bounds it. Counting is done in a process of its own, whose time is shown beside.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

import psutil
from azure.eventhub.aio import EventHubConsumerClient
from live_stack import GROUP, HUB, Stack, event, run_stack, wait_until

if TYPE_CHECKING:
    from azure.eventhub import EventData
    from azure.eventhub.aio import PartitionContext

BODY = 3400
"""Characters of a response that make a native event of 4 KB."""


UNFINISHED = 7_000
"""Events of a partition that are not waited for: a last record that is not full is settled only by the clock."""


@dataclass
class Figures:
    """What one way of receiving came to."""

    rate: float
    """Events a second, by the clock, once it is under way."""
    receiving: float
    """Microseconds of processor time of the receiving process for an event."""
    counting: float
    """Of the processes that count."""
    megabytes: float
    """Peak memory of the receiving process."""
    counting_megabytes: float = 0.0


def main() -> None:
    if sys.argv[1:2] == ["--bare"]:
        asyncio.run(receive(*json.loads(sys.argv[2])))
        return
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--events", type=int, default=160_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--partitions", default="4")
    parser.add_argument("--prefetch", type=int, default=300)
    options = parser.parse_args()
    print(f"events of {len(event(0, filler=BODY)):,} bytes, usage reported, prefetch and batch {options.prefetch}")
    print("| partitions | way | events/s | of the bare loop | µs receiving | of it | µs counting | MB | MB counting |")
    print("|---|---|---|---|---|---|---|---|---|")
    for partitions in map(int, options.partitions.split(",")):
        compare(partitions, options)


def compare(partitions: int, options: argparse.Namespace) -> None:
    """Measure both ways in turn, and print a row for each."""
    with tempfile.TemporaryDirectory() as folder, run_stack(Path(folder), partitions=partitions) as stack:
        each = options.events // partitions
        for partition in range(partitions):
            stack.peer.generate(HUB, str(partition), each, event(0, filler=BODY))
        pairs = []
        for number in range(options.rounds + 1):  # the first is for warming up
            bare = measure_bare(stack, each * partitions, options.prefetch)
            pairs.append((bare, measure_run(stack, each * partitions, options.prefetch, number, partitions)))
    rates = [ours.rate / bare.rate for bare, ours in pairs[1:]]
    costs = [bare.receiving / ours.receiving for bare, ours in pairs[1:]]
    for way, figures, rate, cost in (
        ("receive only", [bare for bare, _ in pairs[1:]], 1.0, 1.0),
        ("logcount run", [ours for _, ours in pairs[1:]], statistics.median(rates), statistics.median(costs)),
    ):
        middle = {name: statistics.median(getattr(one, name) for one in figures) for name in Figures.__annotations__}
        print(
            f"| {partitions} | {way} | {middle['rate']:,.0f} | {rate:.2f} | {middle['receiving']:.0f} | {cost:.2f} | "
            f"{middle['counting']:.0f} | {middle['megabytes']:.0f} | {middle['counting_megabytes']:.0f} |",
            flush=True,
        )


def measure_bare(stack: Stack, events: int, prefetch: int) -> Figures:
    """Receive every event in a process of its own, and do nothing with it."""
    arguments = json.dumps([stack.peer.connection_string(HUB), events, prefetch])
    ran = subprocess.run([sys.executable, __file__, "--bare", arguments], capture_output=True, text=True, check=True)
    return Figures(**json.loads(ran.stdout))


async def receive(connection: str, events: int, prefetch: int) -> None:
    """Be that process."""
    logging.getLogger("azure").setLevel(logging.ERROR)
    got, began = 0, (0.0, 0.0)
    done = asyncio.Event()

    async def take(_context: PartitionContext, batch: list[EventData]) -> None:
        nonlocal got, began
        if got < events // 10 <= got + len(batch):
            began = time.perf_counter(), time.process_time()
        got += len(batch)
        if got >= events:
            done.set()

    client = EventHubConsumerClient.from_connection_string(connection, GROUP)
    receiving = asyncio.create_task(
        client.receive_batch(take, max_batch_size=prefetch, prefetch=prefetch, starting_position="-1", max_wait_time=1)
    )
    await done.wait()
    wall, processor = time.perf_counter() - began[0], time.process_time() - began[1]
    peak = psutil.Process().memory_info().rss / 1e6
    measured = events * 0.9
    figures = Figures(measured / wall, processor / measured * 1e6, 0.0, peak)
    print(json.dumps(asdict(figures)))
    sys.stdout.flush()
    receiving.cancel()
    os._exit(0)


def measure_run(stack: Stack, events: int, prefetch: int, number: int, partitions: int) -> Figures:
    """Count every event with `logcount run`, into a ledger of its own; measured between its first and last records."""
    ledger = stack.folder / f"ledger-{number}"
    more: dict[str, Any] = {
        "storage__ledger": ledger,
        "storage__checkpoint_container": f"round-{number}",
        "run__settle_seconds": 30,
        "eventhub__prefetch": prefetch,
        "eventhub__batch": prefetch,
    }
    process = stack.start(**more)
    ours = psutil.Process(process.pid)
    samples: list[tuple[int, float, float, float]] = []
    peaks = [0.0, 0.0]

    def nearly_settled() -> bool:
        settled = received(ledger)
        if settled and (not samples or settled > samples[-1][0]):
            samples.append((settled, time.perf_counter(), *processor_times(ours)))
        peaks[0] = max(peaks[0], ours.memory_info().rss / 1e6)
        peaks[1] = max([peaks[1], *(child.memory_info().rss / 1e6 for child in ours.children())])
        return settled >= events - UNFINISHED * partitions

    try:
        wait_until(nearly_settled, 300, f"{events} events in the ledger")
    finally:
        process.kill()
        process.wait()
    (first, *before), (last, *after) = samples[0], samples[-1]
    counted = last - first
    wall, receiving, counting = (now - then for now, then in zip(after, before, strict=True))
    return Figures(counted / wall, receiving / counted * 1e6, counting / counted * 1e6, peaks[0], peaks[1])


def received(ledger: Path) -> int:
    """Return how many events the records of a ledger hold, by their last numbers."""
    ends: dict[Path, tuple[int, Path]] = {}
    for path in ledger.rglob("*"):
        if path.name.isdigit() and path.is_file():
            ends[path.parent] = max(ends.get(path.parent, (-1, path)), (int(path.name), path))
    return sum(json.loads(path.read_bytes())["to"] + 1 for _, path in ends.values())


def processor_times(process: psutil.Process) -> tuple[float, float]:
    """Return the seconds that a process has taken, and those of its children that live."""
    return _seconds(process), sum(_seconds(child) for child in process.children())


def _seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


if __name__ == "__main__":
    main()
