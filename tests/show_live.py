"""Shows a live count on this machine: `make live`, or `python -m show_live` with this folder on the path.

Starts Azurite, the Event Hubs peer, the ingestion server and one logcount; sends the sample exchanges as if they
happened now, some with usage and some without; and shows what arrives at Application Insights' place. Ctrl-C ends it.
"""

from __future__ import annotations

import argparse
import gzip
import itertools
import json
import tempfile
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from live_stack import HUB, Stack, run_stack, stop
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parent.parent
METRICS = ("Prompt Tokens", "Completion Tokens", "Total Tokens")


def main() -> None:
    parser = argparse.ArgumentParser(description="Show a live count on this machine.")
    parser.add_argument("--seconds", type=float, default=30.0, help="how long traffic is sent")
    parser.add_argument("--rate", type=int, default=20, help="exchanges a second")
    options = parser.parse_args()
    console = Console()
    with tempfile.TemporaryDirectory() as folder, run_stack(Path(folder), partitions=2) as stack:
        stack.settings = {"run__settle_seconds": 2, "metrics__dimensions": '["API ID", "Model", "Counted By"]'}
        process = stack.start(program=("-m", "logcount", "--config", str(ROOT / "samples/logcount.toml")))
        sent = 0
        try:
            with Live(console=console, auto_refresh=False, transient=not console.is_terminal) as live:
                for sent in send(stack, options.seconds, options.rate):
                    if console.is_terminal:
                        live.update(page(stack, sent), refresh=True)
                wait_for_settled(stack, sent)
                live.update(page(stack, sent), refresh=True)
        except KeyboardInterrupt:
            pass
        status = stop(process)
        if not console.is_terminal:
            console.print(page(stack, sent))
        console.print(f"\nlogcount was asked to stop, and ended with status {status}. Its log:\n")
        console.print(Text(stack.logs().rstrip(), style="dim"))


def send(stack: Stack, seconds: float, rate: int) -> Iterator[int]:
    """Publish exchanges for so long, and yield how many there were, about once a second."""
    exchanges = itertools.cycle(sample_exchanges())
    sent, began = 0, time.monotonic()
    while time.monotonic() - began < seconds:
        batch = [fresh(document, sent + number) for number, document in zip(range(rate), exchanges, strict=False)]
        stack.peer.publish(HUB, None, batch)
        sent += len(batch)
        yield sent
        time.sleep(1)


def sample_exchanges() -> list[dict[str, Any]]:
    """Return the native events of the sample archive."""
    with gzip.open(ROOT / "samples/archive/native.jsonl.gz", "rt") as lines:
        return [json.loads(line) for line in lines]


def fresh(document: dict[str, Any], number: int) -> bytes:
    """Return an exchange as if it happened now."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    return json.dumps(document | {"time": now, "requestId": f"live-{number}"}).encode()


def wait_for_settled(stack: Stack, sent: int) -> None:
    """Wait until everything that was sent is in the ledger, and emitted; half a minute at most."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        records = stack.records()
        settled = sum(record["events"] for one in records.values() for record in one) >= sent
        if settled and stack.checkpoints() == {partition: one[-1]["to"] for partition, one in records.items()}:
            return
        time.sleep(0.5)


def page(stack: Stack, sent: int) -> Group:
    """Return what there is to see: how far the ledger is, and what arrived, by model and on whose word."""
    records = stack.records()
    settled = sum(record["events"] for one in records.values() for record in one)
    sums: dict[tuple[str, str], Counter[str]] = {}
    others: Counter[tuple[str, str]] = Counter()
    for item in stack.ingestion.accepted():
        metric, dimensions = item["metric"], item["dimensions"]
        if metric in METRICS:
            place = dimensions.get("Model", "-"), dimensions["Counted By"]
            sums.setdefault(place, Counter())[metric] += int(item["sum"])
            sums[place]["Exchanges"] += item["count"] if metric == "Total Tokens" else 0
        elif "Reason" in dimensions:
            others[metric, dimensions["Reason"]] += int(item["sum"])
    table = Table(
        "Model", "Counted By", "Exchanges", *METRICS, box=None, title="arrived where Application Insights would be"
    )
    for number, column in enumerate(table.columns):
        column.no_wrap, column.justify = True, "right" if number > 1 else "left"
    for (model, word), counts in sorted(sums.items()):
        table.add_row(model, word, *(f"{counts[name]:,}" for name in ("Exchanges", *METRICS)))
    for one in (skipped for log in records.values() for record in log for skipped in record["skipped"]):
        others["Skipped", one["reason"]] += one["exchanges"]
    lines = [f"{number:6,}  {metric}: {reason}" for (metric, reason), number in sorted(others.items())]
    head = f"{sent:,} exchanges sent, {settled:,} in the ledger ({sum(map(len, records.values()))} records)\n"
    return Group(head, table, "\n" + "\n".join(lines) if lines else "")


if __name__ == "__main__":
    main()
