"""Starts the peer and steers it: what tests and benchmarks hold in their hands."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Self

from eventhub_peer.remote import PORTION_EVENTS, PeerError, Remote, milliseconds, moment_of, portions

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from types import TracebackType

    from eventhub_peer.remote import Delivery, Played


class Peer:
    """A running peer, in a process of its own; it ends with the `with` block, or with this process."""

    def __init__(self, process: subprocess.Popen[bytes], port: int, control: int) -> None:
        self._process = process
        self.port = port
        self.control = control
        self._remote = Remote(control)

    @classmethod
    def start(cls, *, port: int = 0, control: int = 0) -> Peer:
        """Run a peer, and return when it answers; a port of 0 is chosen."""
        command = [sys.executable, "-m", "eventhub_peer", "--port", str(port), "--control", str(control), "--until-eof"]
        folder = str(Path(__file__).parent.parent)
        environment = os.environ | {"PYTHONPATH": folder + os.pathsep + os.environ.get("PYTHONPATH", "")}
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment)
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            _end(process)
            raise PeerError("the peer did not start")
        ports = json.loads(line)
        return cls(process, ports["port"], ports["control"])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """The peer's process."""
        return self._process.pid

    def stop(self) -> None:
        """End the peer, and all its connections with it."""
        self._remote.close()
        _end(self._process)

    def pause(self) -> None:
        """Make the peer a black hole: it takes connections and bytes, and answers nothing."""
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """Let the peer go on after a pause."""
        os.kill(self.pid, signal.SIGCONT)

    def connection_string(self, hub: str) -> str:
        """Return what the SDK needs to reach a hub."""
        return (
            f"Endpoint=sb://127.0.0.1:{self.port};SharedAccessKeyName=RootManageSharedAccessKey;"
            f"SharedAccessKey=bG9vcGJhY2s=;UseDevelopmentEmulator=true;EntityPath={hub}"
        )

    def create_hub(
        self, name: str, partitions: int, *, created_at: datetime | None = None, groups: Sequence[str] | None = None
    ) -> None:
        """Create a hub; any consumer group will do unless groups are named."""
        self._remote.ask(
            "create_hub", name=name, partitions=partitions, created_at=moment_of(created_at), groups=groups
        )

    def delete_hub(self, name: str) -> None:
        """Delete a hub; links to it are closed with `amqp:not-found`."""
        self._remote.ask("delete_hub", name=name)

    def recreate_hub(self, name: str, *, created_at: datetime | None = None) -> None:
        """Delete a hub and create it anew, with as many partitions; its numbers begin at 0."""
        self._remote.ask("recreate_hub", name=name, created_at=moment_of(created_at))

    def add_partitions(self, hub: str, count: int = 1) -> None:
        """Add partitions to a hub."""
        self._remote.ask("add_partitions", hub=hub, count=count)

    def publish(
        self,
        hub: str,
        partition: str | None,
        bodies: Iterable[bytes],
        *,
        enqueued: datetime | Sequence[datetime] | None = None,
        key: str | None = None,
    ) -> None:
        """Publish events, to one partition or (None) to each in turn or by key; enqueued now unless said otherwise."""
        begun = 0
        for portion in portions(bodies):
            times: int | list[int] | None
            if enqueued is None or isinstance(enqueued, datetime):
                times = moment_of(enqueued)
            else:
                times = [milliseconds(one) for one in enqueued[begun : begun + len(portion)]]
            begun += len(portion)
            sizes = [len(body) for body in portion]
            where = {"hub": hub, "partition": partition, "key": key}
            self._remote.ask("publish", b"".join(portion), **where, sizes=sizes, enqueued=times)

    def generate(self, hub: str, partition: str | None, count: int, template: bytes) -> None:
        """Make events inside the peer; `{{number}}` in the template becomes 0, 1, 2 …"""
        for first in range(0, count, PORTION_EVENTS):
            portion = min(PORTION_EVENTS, count - first)
            self._remote.ask("generate", template, hub=hub, partition=partition, count=portion, first=first)

    def play(self, hub: str, schedule: Path, *, speed: float = 1.0) -> int:
        """Begin to publish by a schedule (see `arrivals`), so many times as fast; return how many events it has."""
        return int(self._remote.ask("play", hub=hub, schedule=str(schedule.resolve()), speed=speed))

    def played(self, hub: str) -> Played:
        """Return how far the schedule of a hub was played."""
        played: Played = self._remote.ask("played", hub=hub)
        return played

    def expire(self, hub: str, partition: str, before_sequence: int) -> None:
        """Forget the events before a sequence number, as retention does."""
        self._remote.ask("expire", hub=hub, partition=partition, before_sequence=before_sequence)

    def drop_events(self, hub: str, partition: str, sequences: Iterable[int]) -> int:
        """Lose some events in the middle; return how many were there."""
        return int(self._remote.ask("drop_events", hub=hub, partition=partition, sequences=list(sequences)))

    def end(self, hub: str) -> dict[str, int]:
        """Return the last sequence number by partition; -1 where there never was an event."""
        end: dict[str, int] = self._remote.ask("end", hub=hub)
        return end

    def delivered(self, hub: str) -> list[Delivery]:
        """Return what was sent, by receiver's link, in the order in which they were attached."""
        delivered: list[Delivery] = self._remote.ask("delivered", hub=hub)
        return delivered

    def connections(self) -> int:
        """Return how many connections there are."""
        return int(self._remote.ask("connections"))

    def drop_connections(self) -> int:
        """Close every TCP connection without a word; return how many."""
        return int(self._remote.ask("drop_connections"))

    def refuse_connections(self, seconds: float) -> None:
        """Refuse new TCP connections for some seconds; those that there are go on."""
        self._remote.ask("refuse_connections", seconds=seconds)

    def detach(self, condition: str, text: str = "", *, hub: str | None = None, partition: str | None = None) -> int:
        """Close the links to a hub and partition, or to all, on a condition; return how many."""
        return int(self._remote.ask("detach", condition=condition, text=text, hub=hub, partition=partition))

    def refuse_links(
        self,
        condition: str,
        text: str = "",
        *,
        hub: str | None = None,
        partition: str | None = None,
        times: int | None = None,
    ) -> None:
        """Refuse new links on a condition, so many times or until healed."""
        self._remote.ask("refuse_links", condition=condition, text=text, hub=hub, partition=partition, times=times)

    def slow(
        self,
        hub: str | None = None,
        partition: str | None = None,
        *,
        delay: float = 0.0,
        rate: float | None = None,
    ) -> None:
        """Deliver late, by seconds a burst, or slowly, so many events a second for each receiver."""
        self._remote.ask("slow", hub=hub, partition=partition, delay=delay, rate=rate)

    def rewind(self, hub: str, partition: str | None, events: int) -> int:
        """Send the last events again over links that are attached, numbers going back; return how many links."""
        return int(self._remote.ask("rewind", hub=hub, partition=partition, events=events))

    def overlap(self, hub: str, events: int) -> None:
        """Begin every new link so many events before what it asks for, as after a reconnect."""
        self._remote.ask("overlap", hub=hub, events=events)

    def fail_cbs(self, status: int = 401, text: str = "Unauthorized", *, times: int | None = None) -> None:
        """Answer tokens with a status, so many times or until healed."""
        self._remote.ask("answer_falsely", node="$cbs", status=status, text=text, times=times)

    def fail_management(self, status: int = 500, text: str = "Internal error", *, times: int | None = None) -> None:
        """Answer management requests with a status, so many times or until healed."""
        self._remote.ask("answer_falsely", node="$management", status=status, text=text, times=times)

    def heal(self) -> None:
        """End every fault that is in force, but for connections that are refused for a time."""
        self._remote.ask("heal")


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()
