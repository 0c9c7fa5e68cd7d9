"""Azurite, the storage emulator, on a free port of this machine: a real peer for whatever speaks to Blob storage.

Tests have one for all of them by the fixture of `azurite_fixture`.
"""

from __future__ import annotations

import socket
import subprocess
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_PROGRAM = Path(__file__).parent.parent / "node_modules" / ".bin" / "azurite-blob"
_ACCOUNT = "devstoreaccount1"
_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
"""Published with the emulator, and the same everywhere."""
_START_SECONDS = 180.0


@dataclass(frozen=True, slots=True)
class Azurite:
    """A running emulator."""

    port: int

    @property
    def url(self) -> str:
        """The account's URL."""
        return f"http://127.0.0.1:{self.port}/{_ACCOUNT}"

    @property
    def account_key(self) -> str:
        """The account's key."""
        return _KEY

    @property
    def account_name(self) -> str:
        """The account's name."""
        return _ACCOUNT

    @property
    def connection_string(self) -> str:
        """What a client needs to reach the account with its key."""
        return f"DefaultEndpointsProtocol=http;AccountName={_ACCOUNT};AccountKey={_KEY};BlobEndpoint={self.url};"


@contextmanager
def run_azurite() -> Iterator[Azurite]:
    """Run Azurite in memory, on a free port."""
    if not _PROGRAM.exists():
        raise RuntimeError("Azurite is not installed: run `make test` (it is a development package of npm)")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    command = [str(_PROGRAM), "--blobHost", "127.0.0.1", "--blobPort", str(port)]
    command += ["--inMemoryPersistence", "--silent", "--disableTelemetry", "--skipApiVersionCheck"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            _wait_for(port, process)
            yield Azurite(port)
        finally:
            process.kill()


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise RuntimeError(f"Azurite did not start: its exit status is {process.poll()}")
