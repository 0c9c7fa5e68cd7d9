"""`logcount run`: counts live, from Event Hubs, until a signal stops it."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
import threading
import time
from typing import TYPE_CHECKING, Any, TypeVar

import click

from logcount.cli.sinks import SINKS

if TYPE_CHECKING:
    from collections.abc import Coroutine, Sequence
    from pathlib import Path

    from logcount.run.context import Decisions
    from logcount.run.service import Service
    from logcount.settings import Settings

_LOGGER = logging.getLogger(__name__)

Result = TypeVar("Result")

_FOLDER_THREADS = "folder-store"
"""The name prefix of the threads of `stores.FolderStore`."""

_SINKS = click.Choice(list(SINKS))


@click.command()
@click.option("--sink", "sinks", type=_SINKS, multiple=True, help="Where points go.  [default: all that are set]")
@click.option("--logs", type=click.Choice(["plain", "json"]), help="Form of the log lines on stderr.")
@click.option("--take-over", is_flag=True, help="Go on with a ledger of another deployment or consumer group.")
@click.option(
    "--other-hub",
    type=click.Choice(["stop", "go-on", "anew"]),
    default="stop",
    show_default=True,
    help="What to do if the hub is not the ledger's (a failover): go on by its numbers, or begin at its first event.",
)
@click.option(
    "--begin-at",
    type=click.Choice(["stop", "ledger", "checkpoint"]),
    default="stop",
    show_default=True,
    help="Where to begin if there is a checkpoint or cursor without its record in the ledger.",
)
@click.pass_obj
def run(
    config: Path | None, /, sinks: tuple[str, ...], logs: str | None, *, take_over: bool, other_hub: Any, begin_at: Any
) -> None:
    """Count live, from Event Hubs: into the ledger first, from there to Application Insights, then the checkpoint.

    SIGTERM settles what is uncommitted, within 20 seconds, and ends with status 0.
    """
    from logcount.cli.logs import set_up_logs
    from logcount.run.context import Decisions
    from logcount.settings import load_settings

    settings = load_settings(config)
    form: Any = logs or settings.run.logs
    set_up_logs(form, settings.run.log_level)
    decisions = Decisions("go on" if other_hub == "go-on" else other_hub, begin_at)
    status = 0
    if asyncio.run(_serve(settings, sinks, decisions, take_over=take_over)) == signal.SIGINT:
        click.echo("interrupted", err=True)
        status = 130
    if _disk_hangs():  # the interpreter would wait for its threads at exit
        sys.stderr.flush()
        os._exit(status)
    if status:
        sys.exit(status)


def _disk_hangs() -> bool:
    """Return whether threads of a folder ledger still wait for the disk after one second."""
    waiting = [thread for thread in threading.enumerate() if thread.name.startswith(_FOLDER_THREADS)]
    deadline = time.monotonic() + 1.0
    for thread in waiting:
        thread.join(max(deadline - time.monotonic(), 0.0))
    return any(thread.is_alive() for thread in waiting)


async def _serve(settings: Settings, sinks: Sequence[str], decisions: Decisions, *, take_over: bool) -> int | None:
    """Count until a signal, and return its number."""
    from logcount.cli.connections import Connections
    from logcount.cli.memory import settle_memory
    from logcount.cli.services import make_services, make_workers
    from logcount.health import HealthServer

    stop, signals = asyncio.Event(), _listen()
    services: list[Service] = []
    health = HealthServer(lambda: _report(services), host=settings.run.health_host, port=settings.run.health_port)
    async with health, Connections(settings) as parts, make_workers(settings) as workers:
        making = make_services(parts, workers, sinks=sinks, decisions=decisions, take_over=take_over)
        made = await _unless(signals, making)
        if isinstance(made, int):
            return made
        services += made
        _LOGGER.info("counting", extra={"fields": {"hubs": len(services), "health": health.port}})
        settle_memory()
        counting = asyncio.gather(*(service.run(stop) for service in services))
        stopping = asyncio.create_task(_stop_at(signals, stop))
        try:
            await counting
        finally:
            stopping.cancel()
    _LOGGER.info("stopped")
    return stopping.result() if stopping.done() and not stopping.cancelled() else None


async def _stop_at(signals: asyncio.Queue[int], stop: asyncio.Event) -> int:
    number = await signals.get()
    stop.set()
    return number


async def _unless(signals: asyncio.Queue[int], work: Coroutine[Any, Any, Result]) -> Result | int:
    """Return the result of the work, or the signal if one comes first."""
    working, got = asyncio.ensure_future(work), asyncio.ensure_future(signals.get())
    pair: set[asyncio.Future[Any]] = {working, got}
    await asyncio.wait(pair, return_when=asyncio.FIRST_COMPLETED)
    if got.done():
        working.cancel()
        await asyncio.wait({working})
        return got.result()
    got.cancel()
    return working.result()


def _listen() -> asyncio.Queue[int]:
    """Return a queue of the signals SIGTERM and SIGINT."""
    signals: asyncio.Queue[int] = asyncio.Queue()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, signals.put_nowait, number)
    return signals


def _report(services: Sequence[Service]) -> tuple[bool, bool, dict[str, Any]]:
    """Return the state of all hubs: ready and alive if each is; before there are any, alive and not ready."""
    if not services:
        return False, True, {"ready": False, "status": "starting"}
    reports = [service.report() for service in services]
    ready, alive = all(one[0] for one in reports), all(one[1] for one in reports)
    return ready, alive, {"ready": ready, "hubs": [document for _, _, document in reports]}
