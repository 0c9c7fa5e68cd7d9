"""Scenes: what befalls a hub of its own while logcounts count it; many are played side by side on one stack.

A plot is a generator: it does something to its hub, and yields what must come to hold before it goes on.
"""

from __future__ import annotations

import json
import re
import signal
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

from azure.core.exceptions import ResourceNotFoundError
from live_stack import GUARD_SECONDS, event, wait_until

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from live_stack import Stack

Claim = tuple[str, Callable[[], bool]]
"""What is waited for, in words and as a question."""
Plot = Generator[Claim, None, None]

MARKER = "x-payload-marker"
"""Stands in every body that scenes publish: a log that holds it gives bodies away."""

SECRETS = (MARKER, "SharedAccessKey", "bG9vcGJhY2s", "AccountKey", "Eby8vdM0")
"""What no log may hold: bodies, and the keys of hubs and stores or what stands before them."""

KILLED_SECONDS = 30.0
"""How long a stop may take: then Container Apps kills."""

_POLL_SECONDS = 0.3


@dataclass
class Scene:
    """One hub, what was published to it, and what the ledger must come to."""

    stack: Stack
    hub: str
    published: dict[str, dict[int, int]] = field(default_factory=lambda: defaultdict(dict))
    """By partition of the present hub: sequence number → prompt tokens."""
    former: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    """By partition: the prompt tokens of what hubs of before held."""
    _next: int = 1
    _records: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))

    def create(self, partitions: int = 1, created_at: datetime | None = None) -> None:
        """Create the hub."""
        self.stack.peer.create_hub(self.hub, partitions, created_at=created_at)

    def publish(self, partition: str, count: int, *, filler: int = 0) -> None:
        """Publish events, no two of which report the same number of prompt tokens."""
        numbers = range(self._next, self._next + count)
        self._next += count
        first = self.stack.peer.end(self.hub)[partition] + 1
        self.published[partition].update(zip(range(first, first + count), numbers, strict=True))
        padding = MARKER + "x" * filler
        bodies = [event(number, prompt=number, completion=1, api=self.hub) for number in numbers]
        self.stack.peer.publish(self.hub, partition, [_padded(body, padding) for body in bodies])

    def forget(self, partition: str, numbers: Iterable[int]) -> None:
        """Take it that some events cannot be counted any more."""
        for number in numbers:
            del self.published[partition][number]

    def made_again(self) -> None:
        """Take it that the hub was made again: what was counted stays counted."""
        for partition, held in self.published.items():
            self.former[partition] += held.values()
        self.published.clear()

    def records(self, partition: str = "0") -> list[dict[str, Any]]:
        """Return a partition's records so far."""
        known = self._records[partition]
        while (data := self._read(f"{self.log(partition)}/{len(known)}")) is not None:
            known.append(json.loads(data))
        return known

    def lose_records(self, partition: str = "0", *, keep: str = "none") -> None:
        """Delete what the ledger holds of a partition, but for names that end with `keep`."""
        with self.stack.container_client() as client:
            for name in list(client.list_blob_names(name_starts_with=f"{self.log(partition)}/")):
                if not name.endswith(keep):
                    client.delete_blob(name)
        self._records.clear()

    def log(self, partition: str = "0") -> str:
        """Return the name of a partition's log."""
        return f"eventhub:127/{self.hub}/{partition}"

    def holes(self, partition: str = "0") -> list[tuple[int, int, str]]:
        """Return the holes of the last record."""
        records = self.records(partition)
        return [(hole["from"], hole["to"], hole["reason"]) for hole in records[-1]["holes"]] if records else []

    def total(self, partition: str, metric: str = "Prompt Tokens") -> int:
        """Return the sum of a partition's points of a metric."""
        points = (point for record in self.records(partition) for point in record["points"])
        return sum(point["sum"] for point in points if point["metric"] == metric)

    def events(self, partition: str = "0") -> int:
        """Return how many events a partition's records hold."""
        return sum(record["events"] for record in self.records(partition))

    def is_counted(self, *partitions: str) -> bool:
        """Say whether all that was published, to these partitions or to all, is in the ledger exactly once."""
        return all(self._is_counted(partition) for partition in partitions or self.published | self.former)

    def _is_counted(self, partition: str) -> bool:
        due = [*self.former[partition], *self.published[partition].values()]
        if self.events(partition) < len(due):
            return False
        assert (self.events(partition), self.total(partition)) == (len(due), sum(due)), f"{self.hub}, {partition}"
        return True

    def counted(self, *partitions: str) -> Claim:
        """Return the claim that all that was published is counted."""
        return f"{self.hub}: all is counted", lambda: self.is_counted(*partitions)

    def accepted(self) -> tuple[int, int]:
        """Return the prompt tokens of this hub that ingestion took, each point once, and how many came again."""
        sums: dict[tuple[str, str], int] = {}
        items = [item for item in self.stack.ingestion.accepted() if item["dimensions"].get("API ID") == self.hub]
        for item in items:
            metric = item["metric"] == "Prompt Tokens"
            sums[item["record"], item["number"]] = item["sum"] if metric else 0
        return sum(sums.values()), len(items) - len(sums)

    def is_emitted(self) -> bool:
        """Say whether ingestion took all that the ledger must hold."""
        due = sum(map(sum, self.former.values())) + sum(sum(held.values()) for held in self.published.values())
        return self.accepted()[0] == due

    def emitted(self) -> Claim:
        """Return the claim that ingestion took all that was published."""
        return f"{self.hub}: all is emitted", self.is_emitted

    def links(self, partition: str = "0") -> int:
        """Return how many links there have been to a partition."""
        return sum(one["partition"] == partition for one in self.stack.peer.delivered(self.hub))

    def owner(self, partition: str = "0") -> str:
        """Return who owns a partition; nobody is the empty string."""
        with self.stack.container_client() as client:
            for blob in client.list_blobs(name_starts_with="127.0.0.1", include=["metadata"]):
                if blob.name.endswith(f"/{self.hub}/logcount/ownership/{partition}"):
                    return blob.metadata["ownerid"] or ""  # Azurite says None
        return ""

    def _read(self, name: str) -> bytes | None:
        if self.stack.ledger:
            path = Path(self.stack.ledger) / name
            return path.read_bytes() if path.is_file() else None
        try:
            return self.stack.kept_client().download_blob(name).readall()
        except ResourceNotFoundError:
            return None


def _padded(body: bytes, padding: str) -> bytes:
    """Return an event with a request that says nothing of tokens."""
    return json.dumps(json.loads(body) | {"requestBody": json.dumps({"messages": [], "user": padding})}).encode()


class Replica:
    """A logcount that runs."""

    def __init__(self, stack: Stack, *options: str, hubs: Iterable[str] = (), **settings: Any) -> None:
        named: dict[str, Any] = {"eventhub__batch": 30, "eventhub__prefetch": 30, "eventhub__idle_seconds": 10}
        named |= {"eventhub__look_seconds": 1, "run__settle_seconds": 0.3}
        named["eventhubs"] = json.dumps([{"name": hub} for hub in hubs])
        before = set(stack.folder.glob("logcount-*.log"))
        self.process: subprocess.Popen[bytes] = stack.start(*options, **(named | settings))
        (self._log,) = set(stack.folder.glob("logcount-*.log")) - before
        self._port: int | None = None

    @property
    def log(self) -> str:
        """What it has logged."""
        return self._log.read_text(encoding="utf-8")

    def is_up(self) -> bool:
        """Say whether its health can be asked for."""
        found = re.search(r"health=(\d+)", self.log)
        if found:
            self._port = int(found[1])
        return found is not None

    def up(self) -> Claim:
        """Return the claim that it is up."""
        return "a logcount is up", self.is_up

    def ready(self) -> bool:
        """Say whether it is ready, as a probe sees it."""
        return self._ask("/health/ready")[0] == 200

    def report(self, hub: str) -> dict[str, Any]:
        """Return what it says of a hub."""
        (report,) = (one for one in self._ask("/health")[1]["hubs"] if one["hub"] == f"eventhub:127/{hub}")
        told: dict[str, Any] = report
        return told

    def stop(self) -> Plot:
        """Ask it to stop, and wait until it has, with status 0 and before it would be killed."""
        seconds = yield from ended(self.process, signal.SIGTERM)
        assert (self.process.returncode, seconds < KILLED_SECONDS) == (0, True), f"{seconds:.1f} s\n{self.log}"

    def peak_mb(self) -> float:
        """Return the most memory that it and its workers ever had, in MB."""
        peak = 0
        for pid in (self.process.pid, *children(self.process.pid)):
            found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text(encoding="ascii"))
            peak += int(found[1]) if found else 0
        return peak / 1024

    def _ask(self, path: str) -> tuple[int, dict[str, Any]]:
        if self._port is None:
            wait_until(self.is_up, what="a logcount's health")
        try:
            with urlopen(f"http://127.0.0.1:{self._port}{path}", timeout=GUARD_SECONDS) as answer:
                return answer.status, json.load(answer)
        except HTTPError as error:
            return error.code, json.load(error)
        except (URLError, TimeoutError) as error:
            raise AssertionError("a logcount does not answer") from error


def ended(process: subprocess.Popen[bytes], order: int) -> Generator[Claim, None, float]:
    """Give a process a signal, and wait until it has ended; return how long that took, whenever it is looked at."""
    ends: list[float] = []
    asked = time.monotonic()
    process.send_signal(order)
    threading.Thread(target=lambda: ends.append((process.wait(), time.monotonic())[1]), daemon=True).start()
    yield "a logcount has stopped", lambda: bool(ends)
    return ends[0] - asked


def secrets_in(log: str) -> list[str]:
    """Return the secrets that a log holds."""
    return [secret for secret in SECRETS if secret in log]


def children(parent: int) -> list[int]:
    """Return the processes that a process has started."""
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            pid, _, rest = status.read_text(encoding="ascii", errors="replace").partition(" (")
        except OSError:  # it has ended meanwhile
            continue
        if int(rest.rpartition(") ")[2].split()[1]) == parent:
            found.append(int(pid))
    return found


def play(plots: Mapping[str, Plot], seconds: float = GUARD_SECONDS) -> dict[str, Exception | None]:
    """Play plots side by side to their ends; return how each came out, None for well.

    Each may wait so long for a claim.
    """
    outcomes: dict[str, Exception | None] = {}
    waiting = {name: _Waiting(plot) for name, plot in plots.items()}
    while waiting:
        for name, one in list(waiting.items()):
            try:
                one.go_on(seconds)
            except StopIteration:
                outcomes[name] = None
            except Exception as error:
                outcomes[name] = error
            if name in outcomes:
                del waiting[name]
        time.sleep(_POLL_SECONDS)
    return outcomes


class _Waiting:
    """A plot, and what it waits for."""

    def __init__(self, plot: Plot) -> None:
        self._plot = plot
        self._claim: Claim = ("it begins", lambda: True)
        self._since = time.monotonic()

    def go_on(self, seconds: float) -> None:
        """Take the plot as far as its claims hold."""
        while self._claim[1]():
            self._claim = next(self._plot)
            self._since = time.monotonic()
        if time.monotonic() - self._since > seconds:
            late = AssertionError(f"{self._claim[0]}: that did not come about within {seconds:.0f} s")
            self._claim = self._plot.throw(late)
            self._since = time.monotonic()
