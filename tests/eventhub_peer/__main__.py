"""Runs the peer: `python -m eventhub_peer --port P --control Q`, with `tests/` on the path.

A port of 0 is chosen. Once it listens it writes one JSON line, `{"port": …, "control": …}`, to stdout. With
`--until-eof` it ends when its stdin does, and so does not outlive a parent that was killed.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import logging
import sys

from eventhub_peer.commands import Desk
from eventhub_peer.control import listen
from eventhub_peer.server import Server


async def _serve(port: int, control: int, *, until_eof: bool) -> None:
    server = Server(port)
    await server.listen()
    listener, control = await listen(Desk(server), control)
    sys.stdout.write(json.dumps({"port": server.port, "control": control}) + "\n")
    sys.stdout.flush()
    if not until_eof:
        await listener.serve_forever()
    stdin = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(stdin), sys.stdin)
    await stdin.read()


def main() -> None:
    """Run the peer until it is killed."""
    parser = argparse.ArgumentParser(prog="eventhub_peer", description="A loopback peer that speaks Event Hubs' AMQP.")
    parser.add_argument("--port", type=int, default=0, help="where AMQP is spoken (0: choose one)")
    parser.add_argument("--control", type=int, default=0, help="where commands are taken (0: choose one)")
    parser.add_argument("--until-eof", action="store_true", help="end when stdin ends")
    options = parser.parse_args()
    logging.basicConfig(level=logging.WARNING)
    gc.set_threshold(100_000, 50, 100)  # hundreds of thousands of events are no garbage: look at them seldom
    asyncio.run(_serve(options.port, options.control, until_eof=options.until_eof))


if __name__ == "__main__":
    main()
