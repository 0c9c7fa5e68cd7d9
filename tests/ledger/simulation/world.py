"""The world around the processes: its clock, its chances, what is recorded of it, and how every operation goes.

An operation takes effect at one moment between its call and its answer, or not at all, or after its caller has been
told that nobody knows; the caller may be killed at any moment between.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, Any, TypeVar

from logcount.errors import Unavailable
from simulation.virtual_time import Scheduler, simulated_loop

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulation.chances import Chances
    from simulation.process import Process

Answer = TypeVar("Answer")

SECRET = "a piece of a body"
"""What an unexpected error says."""

BASE = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)


class World:
    """What all parts of the simulated world share."""

    def __init__(self, random: Random, chances: Chances, *, traced: bool = False) -> None:
        self.random = random
        self._surprises = Random(chances.seconds + chances.unexpected)
        self.chances = chances
        self.scheduler = Scheduler()
        self.loop = simulated_loop(self.scheduler, self.fail)
        """The world's own: it outlives every process."""
        self.mischief = True
        self.over = False
        self.pending = 0
        """Writes that will take effect though nobody waits for them."""
        self.away: dict[str, float] = {}
        """Until when a part of the world does not answer at all."""
        self.happened: Counter[str] = Counter()
        self.failures: list[str] = []
        self.trace: list[str] | None = [] if traced else None

    def now(self) -> datetime:
        """Return the wall clock's time."""
        return BASE + timedelta(milliseconds=round(self.scheduler.now * 1000))

    def fail(self, why: str) -> None:
        """Record that a promise is broken."""
        self.failures.append(why)
        self.note("!!", why)

    def note(self, who: str, what: str) -> None:
        """Write a line of the trace, where there is one."""
        if self.trace is not None:
            self.trace.append(f"{self.scheduler.now:9.3f}  {who:<6} {what}")

    def chance(self, probability: float) -> bool:
        """Draw whether something happens; once the mischief is over, nothing does."""
        return self.mischief and probability > 0 and self.random.random() < probability

    def surprises(self, part: str) -> bool:
        """Draw whether an operation raises what no port says that it raises; drawn apart, so that all else stays."""
        surprised = self.mischief and self._surprises.random() < self.chances.unexpected
        self.happened[f"unexpected error of the {part}"] += surprised
        return surprised

    def later(self, seconds: float, what: Callable[[], Any]) -> None:
        """Have the world do something, whatever becomes of the processes."""
        self.loop.call_later(seconds, what)

    async def call(
        self, process: Process, part: str, what: str, effect: Callable[[], Answer], *, done: str = ""
    ) -> Answer:
        """Carry out an operation of a process, as the chances have it; `done` names a kill just after the effect."""
        if self.over:
            raise asyncio.CancelledError
        if self.chance(self.chances.kill / 2):
            self.happened["killed before an operation"] += 1
            process.kill(f"before {what}")
        return await _Operation(self, process, part, what, effect, done).answer  # type: ignore[no-any-return]

    def duration(self) -> float:
        """Draw how long half of an operation takes, in seconds."""
        if self.chance(self.chances.slow):
            return self.random.uniform(0.1, 8.0)
        return self.random.uniform(0.001, 0.03)


class _Operation:
    """One operation on its way: to its effect, and from there back to its caller."""

    def __init__(
        self, world: World, process: Process, part: str, what: str, effect: Callable[[], Any], done: str
    ) -> None:
        self.answer: asyncio.Future[Any] = process.loop.create_future()
        self._world = world
        self._process = process
        self._what = what
        self._effect = effect
        self._done = done
        self._fault = self._draw_fault(part)
        if self._fault == "late":
            world.pending += 1
            world.later(world.random.uniform(1.0, 40.0), self._land_late)
        world.later(
            world.duration(), self._unheard if self._fault in {"unreachable", "late", "unexpected"} else self._land
        )

    def _draw_fault(self, part: str) -> str | None:
        world = self._world
        if world.away.get(part, 0.0) > world.scheduler.now:
            return "unreachable"
        for fault in ("unreachable", "lost", "late"):
            if world.chance(getattr(world.chances, fault)):
                return fault
        started = "header" not in self._what  # one that cannot start ends with an error
        return "unexpected" if started and world.surprises(part) else None

    def _unheard(self) -> None:
        self._world.note(self._process.word, f"{self._what}: {self._fault}")
        if self._fault == "unexpected":
            self._fail(RuntimeError(SECRET))
        else:
            self._fail(Unavailable(f"{self._what} is not answered"))

    def _land_late(self) -> None:
        world = self._world
        world.pending -= 1
        try:
            came = self._effect()
        except Unavailable:
            return
        world.note(self._process.word, f"{self._what}: took effect late, {_shown(came)}")
        world.happened["took effect late"] += 1
        world.happened["took effect when there was peace"] += not world.mischief
        if self._process.loop.ended:
            world.happened["took effect after the caller's death"] += 1

    def _land(self) -> None:
        world, process = self._world, self._process
        if process.loop.ended and world.random.random() < 0.5:
            return  # it was not on its way yet
        try:
            came = self._effect()
        except Unavailable as error:
            self._fail(error)
            return
        world.note(process.word, f"{self._what}: {_shown(came)}{' (answer lost)' if self._fault else ''}")
        if world.chance(world.chances.kill / 2):
            world.happened[f"killed {self._done or 'after an operation'}"] += 1
            process.kill(f"after {self._what}")
        if self._fault == "lost":
            world.happened["answer lost"] += 1
            world.later(world.duration(), lambda: self._fail(Unavailable(f"the answer to {self._what} is lost")))
        elif world.random.random() < 0.5:
            self._succeed(came)
        else:
            world.later(world.duration(), lambda: self._succeed(came))

    def _succeed(self, came: Any) -> None:
        if not self.answer.done() and not self._process.loop.ended:
            self.answer.set_result(came)

    def _fail(self, error: Exception) -> None:
        if not self.answer.done() and not self._process.loop.ended:
            self.answer.set_exception(error)


def _shown(came: object) -> str:
    text = repr(came)
    return text if len(text) < 100 else text[:100] + "…"
