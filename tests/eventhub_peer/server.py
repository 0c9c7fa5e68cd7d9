"""The listening half of the peer: takes connections, refuses them for a time, drops them."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING

from eventhub_peer.broker import Broker
from eventhub_peer.connection import Connection

if TYPE_CHECKING:
    from collections.abc import Coroutine

_HOST = "127.0.0.1"


class Server:
    """Listens on a port of this machine, for one namespace."""

    def __init__(self, port: int) -> None:
        self.broker = Broker()
        self.tasks: set[asyncio.Task[None]] = set()
        """What goes on in the background; kept, so that it is not collected."""
        self._keeper = _bound(port)  # holds the port while nobody listens: connections are refused, and it is not lost
        self.port: int = self._keeper.getsockname()[1]
        self._listener: asyncio.Server | None = None

    async def listen(self) -> None:
        """Take connections from now on."""
        loop = asyncio.get_running_loop()
        self._listener = await loop.create_server(lambda: Connection(self.broker, loop), sock=_bound(self.port))

    def refuse(self, seconds: float) -> None:
        """Refuse new connections for some seconds; those that there are go on."""
        if self._listener is not None:
            self._listener.close()
            self._listener = None
            self.start(self._listen_after(seconds))

    def drop(self) -> int:
        """Drop every connection; return how many."""
        connections = list(self.broker.connections)
        for connection in connections:
            connection.abort()
        return len(connections)

    def start(self, coroutine: Coroutine[None, None, None]) -> None:
        """Do something in the background."""
        task = asyncio.get_running_loop().create_task(coroutine)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def _listen_after(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        await self.listen()


def _bound(port: int) -> socket.socket:
    bound = socket.socket()
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.bind((_HOST, port))
    return bound
