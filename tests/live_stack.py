"""A live stack on this machine: Azurite, the Event Hubs peer, the ingestion server, and logcount beside them.

Everything is a process of its own on a port of its own, so that any of them can be killed.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

from azure.storage.blob import ContainerClient
from azurite import Azurite, run_azurite
from eventhub_peer import Peer
from ingestion import Control, running_ingestion

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HUB = "apim-logs"
GUARD_SECONDS = 180.0
"""When what never comes about is given up: no measure of anything, as a wait ends as soon as it can."""
GROUP = "logcount"


@dataclass
class Stack:
    """What runs, and where logcount is to find it."""

    azurite: Azurite
    peer: Peer
    ingestion: Control
    folder: Path
    container: str = "logcount"
    hub: str = HUB
    ledger: str = ""
    """Where the ledger is: the container, unless a folder is named here."""
    settings: dict[str, Any] = field(default_factory=dict)
    """Further settings, by LOGCOUNT_ name."""
    _started: list[subprocess.Popen[bytes]] = field(default_factory=list)
    _kept: list[ContainerClient] = field(default_factory=list, init=False)

    def environment(self, **more: Any) -> dict[str, str]:
        """Return the environment for a logcount that is to count this stack's hub."""
        own = {
            "LOGCOUNT_EVENTHUB__CONNECTION_STRING": self.peer.connection_string(self.hub),
            "LOGCOUNT_EVENTHUB__CONSUMER_GROUP": GROUP,
            "LOGCOUNT_EVENTHUB__BALANCE_SECONDS": "1",
            "LOGCOUNT_STORAGE__CONNECTION_STRING": self.azurite.connection_string,
            "LOGCOUNT_STORAGE__CHECKPOINT_CONTAINER": self.container,
            "LOGCOUNT_STORAGE__LEDGER": self.ledger or f"{self.azurite.url}/{self.container}",
            "LOGCOUNT_RUN__HEALTH_HOST": "127.0.0.1",
            "LOGCOUNT_RUN__HEALTH_PORT": "0",
            "LOGCOUNT_RUN__SETTLE_SECONDS": "0.5",
            "APPLICATIONINSIGHTS_CONNECTION_STRING": self.ingestion.connection_string,
        }
        named = {f"LOGCOUNT_{key.upper()}": str(value) for key, value in (self.settings | more).items()}
        clean = {key: value for key, value in os.environ.items() if not key.startswith(("LOGCOUNT_", "APPLICATIONINS"))}
        return clean | own | named

    def start(
        self, *options: str, program: tuple[str, ...] = ("-m", "logcount"), **more: Any
    ) -> subprocess.Popen[bytes]:
        """Start a logcount; its log goes to a file of the stack's folder, named by its number."""
        log = (self.folder / f"logcount-{len(self._started)}.log").open("wb")
        command = [sys.executable, *program, "run", *options]
        process = subprocess.Popen(command, cwd=self.folder, env=self.environment(**more), stderr=log, stdout=log)
        log.close()
        self._started.append(process)
        return process

    def logs(self) -> str:
        """Return all that the logcounts have logged."""
        return "".join(path.read_text() for path in sorted(self.folder.glob("logcount-*.log")))

    def container_client(self) -> ContainerClient:
        """Return a client of the container of ledger and checkpoints."""
        return ContainerClient.from_connection_string(self.azurite.connection_string, self.container)

    def kept_client(self) -> ContainerClient:
        """Return such a client that stays open until the stack is closed, for what is asked again and again."""
        if not self._kept:
            self._kept.append(self.container_client())
        return self._kept[0]

    def names(self) -> list[str]:
        """Return the names of all that the ledger's store holds."""
        if self.ledger:
            root = Path(self.ledger)
            files = (path for path in root.rglob("*") if path.is_file() and not path.name.startswith("."))
            return [path.relative_to(root).as_posix() for path in files]
        with self.container_client() as client:
            return list(client.list_blob_names(name_starts_with="eventhub:"))

    def objects(self) -> dict[str, bytes]:
        """Return all that the ledger's store holds, by name."""
        names = self.names()
        if self.ledger:
            return {name: (Path(self.ledger) / name).read_bytes() for name in names}
        with self.container_client() as client:
            return {name: client.download_blob(name).readall() for name in names}

    def records(self) -> dict[str, list[dict[str, Any]]]:
        """Return the ledger: by partition, its records in order."""
        found: dict[str, list[dict[str, Any]]] = {}
        for path, data in self.objects().items():
            *_, partition, name = path.split("/")
            if name.isdigit():
                found.setdefault(partition, []).append(json.loads(data))
        return {partition: sorted(records, key=lambda one: one["n"]) for partition, records in found.items()}

    def checkpoints(self) -> dict[str, int]:
        """Return the checkpoints by partition."""
        with self.container_client() as client:
            blobs = list(client.list_blobs(name_starts_with="127.0.0.1", include=["metadata"]))
        return {
            blob.name.rsplit("/", 1)[-1]: int(blob.metadata["sequencenumber"])
            for blob in blobs
            if "/checkpoint/" in blob.name
        }

    def totals(self) -> dict[str, int]:
        """Return the sums of the ledger's points by metric, and how many events its records hold."""
        sums: dict[str, int] = {"events": 0}
        for record in (record for records in self.records().values() for record in records):
            sums["events"] += record["events"]
            for point in record["points"]:
                sums[point["metric"]] = sums.get(point["metric"], 0) + point["sum"]
        return sums

    def close(self) -> None:
        """Kill every logcount, and let go of connections."""
        while self._kept:
            self._kept.pop().close()
        for process in self._started:
            process.kill()
            process.wait()


@contextmanager
def run_stack(folder: Path, *, partitions: int = 2, hub: str = HUB) -> Iterator[Stack]:
    """Run a stack with one hub and an empty container."""
    with ExitStack() as running:
        azurite = running.enter_context(run_azurite())
        peer = running.enter_context(Peer.start())
        control = running.enter_context(running_ingestion())
        stack = Stack(azurite, peer, control, folder)
        running.callback(stack.close)
        with stack.container_client() as client:
            client.create_container()
        peer.create_hub(hub, partitions)
        yield stack


def stop(process: subprocess.Popen[bytes], seconds: float = GUARD_SECONDS) -> int:
    """Ask a logcount to stop, and return its exit status."""
    process.send_signal(signal.SIGTERM)
    return process.wait(seconds)


def wait_until(claim: Callable[[], bool], seconds: float = GUARD_SECONDS, what: str = "it") -> None:
    """Wait until a claim holds, or fail."""
    deadline = time.monotonic() + seconds
    while not claim():
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not come about within {seconds:.0f} s")
        time.sleep(0.1)


def health(port: int) -> tuple[int, dict[str, Any]]:
    """Ask a logcount for its health."""
    try:
        with urlopen(f"http://127.0.0.1:{port}/health") as answer:
            return answer.status, json.load(answer)
    except HTTPError as error:
        return error.code, json.load(error)
    except URLError:
        return 0, {}


def event(number: int, *, prompt: int = 9, completion: int = 12, api: str = "llm", filler: int = 0) -> bytes:
    """Return a native event whose response reports these tokens."""
    response = {
        "model": "Qwen/Qwen3-8B",
        "choices": [{"message": {"content": "x" * filler}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion},
    }
    document = {"v": 1, "requestId": f"r{number}", "apiId": api, "status": 200, "responseBody": json.dumps(response)}
    return json.dumps(document).encode()
