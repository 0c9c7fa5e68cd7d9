"""The simulated store and sinks: what they hold is shared by all processes, and each write is shown to the oracle."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING

from logcount.errors import Unavailable
from logcount.model.points import Mark
from logcount.ports import Stored
from simulation.world import SECRET

if TYPE_CHECKING:
    from collections.abc import Sequence

    from logcount.model.events import LogEvent
    from logcount.model.points import Item, Point, Tally
    from simulation.oracle import Oracle
    from simulation.process import Process
    from simulation.world import World


class Objects:
    """What the store holds."""

    def __init__(self) -> None:
        self.held: dict[str, Stored] = {}
        self._writes = 0

    def write(self, name: str, data: bytes, tag: str | None) -> bool:
        """Write an object whose tag is this one; None: that is not there."""
        held = self.held.get(name)
        if (held.tag if held else None) != tag:
            return False
        self._writes += 1
        self.held[name] = Stored(data, f"tag {self._writes}")
        return True


class SimulatedStore:
    """The store as one process sees it; satisfies `ports.Store`."""

    def __init__(self, world: World, objects: Objects, oracle: Oracle, process: Process) -> None:
        self._world = world
        self._objects = objects
        self._oracle = oracle
        self._process = process

    async def read(self, name: str) -> Stored | None:
        held = self._objects.held
        return await self._world.call(self._process, "store", f"read {_short(name)}", lambda: held.get(name))

    async def create(self, name: str, data: bytes) -> bool:
        return await self._write("create", name, data, None)

    async def replace(self, name: str, data: bytes, tag: str) -> bool:
        return await self._write("replace", name, data, tag)

    async def delete(self, name: str, tag: str) -> bool:
        raise AssertionError(f"counting live removes {name}")

    async def names(self, prefix: str) -> list[str]:
        raise AssertionError(f"counting live lists {prefix}")

    async def _write(self, verb: str, name: str, data: bytes, tag: str | None) -> bool:
        def effect() -> bool:
            self._oracle.before_write(name, data, tag)
            wrote = self._objects.write(name, data, tag)
            self._oracle.after_write(name, data, self._process.word, wrote=wrote)
            return wrote

        kind = name.rsplit("/", 1)[-1].rsplit(".", 1)[-1]
        done = f"after writing a {'record' if kind.isdigit() else kind}"
        return await self._world.call(self._process, "store", f"{verb} {_short(name)}", effect, done=done)


class Accepted:
    """What a sink has accepted: how often each item."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.times: Counter[tuple[str, int]] = Counter()
        self.points: dict[tuple[str, int], Point] = {}


class SimulatedSink:
    """A sink as one process sees it; satisfies `ports.Sink`."""

    def __init__(self, world: World, accepted: Accepted, process: Process) -> None:
        self.name = accepted.name
        self.trouble: str | None = None
        self._world = world
        self._accepted = accepted
        self._process = process

    async def send(self, items: Sequence[Item]) -> list[Mark]:
        left, marks = list(items), list[Mark]()
        try:
            while left:
                piece = left[: self._world.random.choice((1, 3, 1000))]
                taken = await self._offer(piece)
                if taken is None:
                    await asyncio.sleep(self._world.random.uniform(0.5, 5.0))
                    continue
                marks += taken
                left = left[len(piece) :]
        finally:
            self.trouble = None
        return marks

    async def _offer(self, piece: Sequence[Item]) -> list[Mark] | None:
        what = f"send {len(piece)} items of {piece[0].record[:6]}"
        try:
            return await self._world.call(
                self._process, self.name, what, lambda: self._accept(piece), done="after sending"
            )
        except Unavailable as error:
            self.trouble = str(error)
            return None

    async def tell(self, points: Sequence[Point]) -> None:
        self._world.happened["told of its own state"] += bool(points)

    async def close(self) -> None:
        """Nothing to let go of."""

    def _accept(self, piece: Sequence[Item]) -> list[Mark]:
        marks = []
        for item in piece:
            if self._world.chance(self._world.chances.mark):
                marks.append(Mark(item, self._world.random.choice(("late", "refused")), "an answer"))
                self._world.happened["marked"] += 1
                continue
            key = item.record, item.number
            if self._accepted.points.setdefault(key, item.point) != item.point:
                self._world.fail(f"{self.name} was given two points as {key}")
            self._accepted.times[key] += 1
            self._world.happened["emitted again"] += self._accepted.times[key] == 2
        return marks


class SimulatedCounting:
    """Counts events: what each comes to was drawn when it was made; satisfies `ports.Counting`."""

    restarts = 0
    trouble = None

    def __init__(self, world: World, tallies: dict[bytes, tuple[Tally, ...]]) -> None:
        self._world = world
        self._tallies = tallies

    async def count(self, partition: str, batch: Sequence[LogEvent]) -> list[list[Tally]]:
        await asyncio.sleep(self._world.duration())
        if self._world.surprises("counting"):
            raise RuntimeError(SECRET)
        return [list(self._tallies[event.data]) for event in batch]


def _short(name: str) -> str:
    return name.split("/", 2)[-1]
