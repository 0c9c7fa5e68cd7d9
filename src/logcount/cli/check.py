"""`logcount check`: tests one by one what a live count needs, and says what to correct."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from logcount.errors import LogcountError, Misconfigured

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator
    from pathlib import Path

    from logcount.cli.connections import Connections
    from logcount.ports import Sink
    from logcount.settings import Settings
    from logcount.settings.run import EventHubSettings

Trial = tuple[str, "Callable[[], Awaitable[str]]"]
"""What is tested, and the test: it returns the finding, or raises an error that says what to correct."""

SINK_SECONDS = 20.0
"""How long a sink may take to accept one point."""

METRIC = "Check"
"""The metric of the point that is sent: only an accepted point proves that points are accepted."""


@click.command()
@click.pass_obj
def check(config: Path | None, /) -> None:
    """Test settings, permissions, connections and tokenizers, and say what to correct.

    Writes an object `check` to the ledger and the checkpoint container, and sends one point of a metric called Check.
    """
    from logcount.settings import load_settings

    logging.getLogger("azure").addHandler(logging.NullHandler())  # failures are reported here, once
    settings = load_settings(config)
    failed = asyncio.run(_try_all(settings))
    if failed:
        raise LogcountError(f"{failed} {'check' if failed == 1 else 'checks'} failed")


async def _try_all(settings: Settings) -> int:
    from logcount.cli.connections import Connections

    failed = 0
    async with Connections(settings) as parts:
        for what, trial in _trials(parts):
            try:
                found = await trial()
            except LogcountError as error:
                failed += 1
                click.echo(f"  ✗ {what}: {error}")
            else:
                click.echo(f"  ✓ {what}: {found}")
    return failed


def _trials(parts: Connections) -> Iterator[Trial]:
    from logcount.cli.connections import hub_identity

    yield "tokenizers", lambda: _try_tokenizers(parts.settings)
    try:
        hubs = parts.hubs
    except Misconfigured as error:
        yield "event hub", _raising(error)
        hubs = []
    for hub in hubs:
        yield f"event hub {hub_identity(hub)[1]}", lambda hub=hub: _try_hub(parts, hub)  # type: ignore[misc]
    yield "checkpoints", lambda: _try_checkpoints(parts)
    yield "ledger", lambda: _try_ledger(parts)
    try:
        sinks = parts.sinks()
    except Misconfigured as error:
        yield "sink", _raising(error)
        return
    for sink in sinks:
        yield sink.name, lambda sink=sink: _try_sink(sink, parts.settings)  # type: ignore[misc]


def _raising(error: LogcountError) -> Callable[[], Awaitable[str]]:
    async def trial() -> str:
        raise error

    return trial


async def _try_tokenizers(settings: Settings) -> str:
    from logcount.cli.wiring import make_registry

    make_registry(settings).check()
    number = len(settings.tokenizers)
    return f"{number} named, all here" if number else "none named: what reports no usage stays uncounted"


async def _try_hub(parts: Connections, settings: EventHubSettings) -> str:
    from logcount.run.troubles import Troubles

    hub = parts.hub(settings, Troubles())
    state = await hub.state()
    await hub.listen(state.partitions[0])
    return f"{len(state.partitions)} partitions, may be read; its ledger is {hub.name}"


async def _try_checkpoints(parts: Connections) -> str:
    store = await parts.checkpoint_container()
    await store.create("check", b"")
    return f"container {parts.settings.storage.checkpoint_container} may be written"


async def _try_ledger(parts: Connections) -> str:
    store = await parts.store()
    if not await store.create("check", b"checked"):
        stored = await store.read("check")
        if stored is None:
            raise LogcountError("an object that is there cannot be read")
        await store.replace("check", b"checked", stored.tag)
    return f"{parts.settings.storage.ledger} may be read and written"


async def _try_sink(sink: Sink, settings: Settings) -> str:
    from logcount.model.points import Item, Point

    minute = datetime.now(UTC).replace(second=0, microsecond=0)
    point = Point(settings.metrics.namespace, METRIC, minute, (), 1, 1, 1, 1)
    sending = asyncio.create_task(sink.send([Item("check", 0, point)]))
    try:
        async with asyncio.timeout(SINK_SECONDS):
            while not sending.done() and sink.trouble is None:
                await asyncio.wait({sending}, timeout=0.1)
    except TimeoutError:
        raise LogcountError(f"no answer within {SINK_SECONDS:.0f} s") from None
    finally:
        sending.cancel()
        await asyncio.wait({sending})
    if sending.cancelled():
        raise LogcountError(sink.trouble or "not accepted")
    if marks := sending.result():
        raise LogcountError(f"a point was refused: {marks[0].answer}")
    return "a point was accepted"
