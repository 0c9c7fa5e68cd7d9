"""Runs the server as a process: says `ready PORT CONTROL` once it listens, and goes on until it is ended."""

from __future__ import annotations

import argparse
import asyncio

from aiohttp import web

from ingestion.control import control_application
from ingestion.server import IngestionServer


async def _serve(port: int, control_port: int) -> None:
    async with IngestionServer(port=port) as server:
        runner = web.AppRunner(control_application(server))
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", control_port).start()
        print("ready", server.port, runner.addresses[0][1], flush=True)  # noqa: T201 - what the starter waits for
        await asyncio.Event().wait()


def main() -> None:
    """Read the ports from the command line and serve."""
    parser = argparse.ArgumentParser(prog="ingestion", description="A loopback ingestion server")
    parser.add_argument("--port", type=int, default=0, help="where telemetry is taken; 0: any free port")
    parser.add_argument("--control", type=int, default=0, help="where it is steered and asked; 0: any free port")
    asked = parser.parse_args()
    asyncio.run(_serve(asked.port, asked.control))


main()
