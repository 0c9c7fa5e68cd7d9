"""A replica of logcount in a process of its own that may kill itself at a step, or lose answers of its stores.

It runs the command line as it is; only the parts that it makes are wrapped on their way out.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
import subprocess
import sys
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from crash.points import FROZEN_SECONDS
from logcount.cli import connections, main, sinks
from logcount.errors import Unavailable
from logcount.sinks import Terms

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from pathlib import Path

    from crash.points import CrashPoint, Freeze, Step
    from logcount.ports import Sink, Store
    from logcount.run.troubles import Troubles
    from logcount.settings.run import EventHubSettings
    from logcount.sources.eventhub.source import EventHub

PRELOADED = (
    *("crash.replica", "logcount.cli.run", "logcount.health", "logcount.sinks", "logcount.metrics.tallies"),
    *("logcount.sources.eventhub.source", "logcount.stores", "logcount.stores.blob", "logcount.run.service"),
    *("azure.eventhub.aio", "azure.eventhub.extensions.checkpointstoreblobaio", "logcount.settings"),
)
"""What a replica would import: done once, in the process that all replicas are forked from."""

OWNERSHIP_SECONDS = 2.0
"""After which a dead replica's partitions are free; six balance intervals would be most of a run."""
ANSWER_SECONDS = 1.5
"""How long the sink waits for an answer: an outage of a minute cannot be played."""


@dataclass(frozen=True, slots=True)
class Orders:
    """How one replica is to live."""

    environment: dict[str, str]
    log: Path
    diary: Path
    """Where a replica that kills or freezes itself says so first."""
    authority: Path
    """A file with one certificate."""
    point: CrashPoint | None = None
    freeze: Freeze | None = None
    unanswered: float = 0.0
    """The share of writes to the stores that are not answered: not done, done, or done later."""
    seed: int = 0


def run(orders: Orders) -> None:
    """Be a replica, until told to stop or dead."""
    log = os.open(orders.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(log, sys.stdout.fileno())
    os.dup2(log, sys.stderr.fileno())
    os.chdir(orders.log.parent)
    os.environ.clear()
    os.environ.update(orders.environment)
    setattr(sinks, "_terms", lambda rate: Terms(rate=rate, answer_seconds=ANSWER_SECONDS))  # noqa: B010
    setattr(connections, "Connections", partial(WatchedParts, orders))  # noqa: B010
    sys.argv = ["logcount", "run"]
    main()


class WatchedParts(connections.Connections):
    """The real parts, each with its steps under the reaper's eyes."""

    def __init__(self, orders: Orders, *told: Any) -> None:
        super().__init__(*told)
        self._reaper = Reaper(orders)
        self._authority = str(orders.authority)

    def hub(self, settings: EventHubSettings, troubles: Troubles) -> EventHub:
        hub = super().hub(settings, troubles)
        # The SDK reads the authorities anew for every connection, TLS or not, and all of them take it 50 ms.
        told = {"partition_ownership_expiration_interval": OWNERSHIP_SECONDS, "connection_verify": self._authority}
        hub._connect = partial(hub._connect, **told)
        self._reaper.over(hub, checkpoint=lambda *_: "checkpoint")
        return hub

    async def store(self) -> Store:
        store = await super().store()
        self._reaper.over(store, create=step_of, replace=step_of)
        return store

    def sinks(self, named: Sequence[str] = ()) -> list[Sink]:
        sinks = super().sinks(named)
        for sink in sinks:
            self._reaper.over(sink, send=lambda *_: "send")
        return sinks

    def _checkpoints(self) -> Any:
        blobs = super()._checkpoints()
        self._reaper.over(blobs, claim_ownership=lambda *_: "claim")
        return blobs


def step_of(name: str, *_: object) -> Step:
    """Say which step of settling writes an object of this name."""
    last = name.rpartition("/")[2]
    if last == "header":
        return "header"
    return "marks" if last.endswith(".marks") else "cursor" if last.endswith(".cursor") else "record"


class Reaper:
    """Stands around the steps of one replica, and ends it at its crash point."""

    def __init__(self, orders: Orders) -> None:
        self._orders = orders
        self._random = random.Random(orders.seed)
        self._turns: dict[Step, int] = {}
        self._late: list[asyncio.Task[None]] = []

    def over(self, part: object, **steps: Callable[..., Step]) -> None:
        """Stand around a part's methods; what is given for each says which step a call is."""
        for method, kind in steps.items():
            setattr(part, method, partial(self._around, kind, getattr(part, method)))

    async def _around(
        self, kind: Callable[..., Step], call: Callable[..., Awaitable[Any]], *told: Any, **more: Any
    ) -> Any:
        step, orders = kind(*told), self._orders
        turn = self._turns[step] = self._turns.get(step, 0) + 1
        if orders.freeze is not None and (orders.freeze.step, orders.freeze.turn) == (step, turn):
            self._freeze(step)
        point = orders.point
        if point is None or (point.step, point.turn) != (step, turn):
            return await self._do(step, partial(call, *told, **more))
        if point.when == "before":
            self._die(point)
        doing = asyncio.ensure_future(call(*told, **more))
        if point.when == "during":
            await asyncio.sleep(point.delay)
            self._die(point)
        await doing
        return self._die(point)

    async def _do(self, step: Step, call: Callable[[], Awaitable[Any]]) -> Any:
        if step in {"send", "claim"} or self._random.random() >= self._orders.unanswered:
            return await call()
        fate = self._random.choice(("not done", "done", "done later"))
        if fate == "done" or step == "checkpoint":  # nothing guards a checkpoint from one that comes late
            await call()
        elif fate == "done later":
            self._late.append(asyncio.create_task(self._do_later(call)))
        raise Unavailable("the answer was lost on the way")

    async def _do_later(self, call: Callable[[], Awaitable[Any]]) -> None:
        await asyncio.sleep(self._random.uniform(0.1, 2.0))
        with contextlib.suppress(Unavailable, RuntimeError, ValueError):  # the replica has closed its store by now
            await call()

    def _die(self, point: CrashPoint) -> None:
        self._note(f"crashed {point.name}")
        os.kill(os.getpid(), signal.SIGKILL)

    def _freeze(self, step: Step) -> None:
        self._note(f"frozen {step}")
        subprocess.Popen(["/bin/sh", "-c", f"sleep {FROZEN_SECONDS}; kill -CONT {os.getpid()}"])
        os.kill(os.getpid(), signal.SIGSTOP)

    def _note(self, what: str) -> None:
        with self._orders.diary.open("a") as diary:
            diary.write(f"{what}\n")
