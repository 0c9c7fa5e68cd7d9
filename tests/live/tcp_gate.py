"""A gate: a TCP relay in front of a server, which can be shut (it refuses) or dark (it passes nothing on)."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_CHUNK_BYTES = 65_536


class Gate:
    """Relays connections to a port of this machine, in a thread of its own; open at first."""

    def __init__(self, target: int) -> None:
        self.port = 0
        self._target = target
        self._loop = asyncio.new_event_loop()
        self._light = asyncio.Event()
        self._light.set()
        self._refuses = False
        self._relays: set[asyncio.Task[None]] = set()
        self._up = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def open(self) -> None:
        """Pass everything on, also what was held back in the dark."""
        self._do(self._open)

    def darken(self) -> None:
        """Be a black hole: take connections and bytes, and pass nothing on."""
        self._do(self._light.clear)

    def shut(self) -> None:
        """End all connections, and every new one at once."""
        self._do(self._shut)

    def begin(self) -> None:
        """Start relaying."""
        self._thread.start()
        self._up.wait()

    def end(self) -> None:
        """Stop relaying."""
        self._do(self._loop.stop)
        self._thread.join()

    def _do(self, act: object) -> None:
        self._loop.call_soon_threadsafe(act)  # type: ignore[arg-type]  # each takes nothing

    def _open(self) -> None:
        self._refuses = False
        self._light.set()

    def _shut(self) -> None:
        self._refuses = True
        for relay in self._relays:
            relay.cancel()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._relay, "127.0.0.1", 0))
        self.port = server.sockets[0].getsockname()[1]
        self._up.set()
        self._loop.run_forever()
        server.close()
        tasks = asyncio.all_tasks(self._loop)
        for task in tasks:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        self._loop.close()

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._relays.add(task)
        there: asyncio.StreamWriter | None = None
        try:
            await self._light.wait()
            if not self._refuses:
                answers, there = await asyncio.open_connection("127.0.0.1", self._target)
                await asyncio.gather(self._pump(reader, there), self._pump(answers, writer))
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            self._relays.discard(task)
            for end in (writer, there):
                if end is not None:
                    end.transport.abort()

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        while data := await source.read(_CHUNK_BYTES):
            await self._light.wait()
            sink.write(data)
            await sink.drain()
        with contextlib.suppress(OSError):
            sink.write_eof()


@contextlib.contextmanager
def gate_to(port: int) -> Iterator[Gate]:
    """Run a gate to a port."""
    gate = Gate(port)
    gate.begin()
    try:
        yield gate
    finally:
        gate.end()
