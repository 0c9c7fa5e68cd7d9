"""The control socket: one JSON line a command, with bytes after it where it says so, and one JSON line for its answer.

A command is `{"do": "publish", "with": {…}, "attached": 8192}`, followed by so many bytes. The answer is `{"is": …}` or
`{"error": "…"}`. It listens on loopback alone and asks nobody who they are: a test part, and no more.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from eventhub_peer.commands import Desk

_LONGEST_LINE = 64 * 1024 * 1024
"""Bytes: the sizes of a hundred thousand events fit into it."""


async def listen(desk: Desk, port: int) -> tuple[asyncio.Server, int]:
    """Take commands; return the listener and its port."""

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while line := await reader.readline():
                writer.write(await _answer(desk, line, reader))
                await writer.drain()
        writer.close()

    server = await asyncio.start_server(converse, "127.0.0.1", port, limit=_LONGEST_LINE)
    return server, server.sockets[0].getsockname()[1]


async def _answer(desk: Desk, line: bytes, reader: asyncio.StreamReader) -> bytes:
    command = json.loads(line)
    attached = await reader.readexactly(command.get("attached", 0))
    answer: dict[str, object]
    try:
        answer = {"is": desk.answer(command["do"], command["with"], attached)}
    except Exception as error:  # whatever went wrong is the caller's to know
        answer = {"error": f"{type(error).__name__}: {error}"}
    return json.dumps(answer).encode() + b"\n"
