"""Virtual time: the event loops of several processes are run by one scheduler, a callback at a time, without sleeping.

Callbacks of one instant run in the order in which they were asked for, as in any event loop; what makes schedules
differ is how long the world takes for each operation. A loop that has ended runs nothing any more: as after a kill, no
cleanup code sees the end.
"""

from __future__ import annotations

import asyncio
import heapq
from collections import deque
from itertools import count
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from contextvars import Context

CALLBACKS_AT_MOST = 50_000
"""At one instant: more is a loop that spins."""


class Scheduler:
    """Runs what is due, and moves the clock to what is due next."""

    def __init__(self) -> None:
        self.now = 0.0
        self._ready: deque[tuple[SimulatedLoop, asyncio.Handle]] = deque()
        self._timers: list[tuple[float, int, SimulatedLoop, asyncio.Handle]] = []
        self._order = count()

    def soon(self, loop: SimulatedLoop, handle: asyncio.Handle) -> None:
        self._ready.append((loop, handle))

    def at(self, when: float, loop: SimulatedLoop, handle: asyncio.Handle) -> None:
        heapq.heappush(self._timers, (when, next(self._order), loop, handle))

    def run(self, until: float, *, enough: Callable[[], bool]) -> None:
        """Run until that time, or until it is enough."""
        try:
            while not enough():
                self.run_ready()
                if not self._timers or self._timers[0][0] > until:
                    self.now = max(self.now, until)
                    return
                self.now, _, loop, handle = heapq.heappop(self._timers)
                self._ready.append((loop, handle))
        finally:
            asyncio._set_running_loop(None)

    def run_ready(self) -> None:
        """Run all that is due now."""
        running = None
        for _ in range(CALLBACKS_AT_MOST):
            if not self._ready:
                asyncio._set_running_loop(None)
                return
            loop, handle = self._ready.popleft()
            if loop.ended:
                loop.unrun.append(handle)
            elif not handle.cancelled():
                if loop is not running:
                    asyncio._set_running_loop(loop)
                    running = loop
                handle._run()
        raise AssertionError(f"the loop spins at {self.now:.3f}: {self._ready[0][1]}")


class SimulatedLoop(asyncio.AbstractEventLoop):
    """As much of an event loop as tasks, futures and timers need."""

    def __init__(self, scheduler: Scheduler, complain: Callable[[str], None]) -> None:
        self.tasks: list[asyncio.Task[Any]] = []
        self.unrun: list[asyncio.Handle] = []
        """What was due when the loop had ended."""
        self.ended = False
        self._scheduler = scheduler
        self._complain = complain

    def time(self) -> float:
        return self._scheduler.now

    def call_soon(  # type: ignore[override]
        self, callback: Callable[..., Any], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        handle = asyncio.Handle(callback, args, self, context)
        self._scheduler.soon(self, handle)
        return handle

    def call_later(  # type: ignore[override]
        self, delay: float, callback: Callable[..., Any], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        return self.call_at(self._scheduler.now + delay, callback, *args, context=context)

    def call_at(  # type: ignore[override]
        self, when: float, callback: Callable[..., Any], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        handle = asyncio.TimerHandle(when, callback, args, self, context)
        self._scheduler.at(when, self, handle)
        return handle

    def create_future(self) -> asyncio.Future[Any]:
        return asyncio.Future(loop=self)

    def create_task(  # type: ignore[override]
        self, coro: Coroutine[Any, Any, Any], *, name: str | None = None, context: Context | None = None
    ) -> asyncio.Task[Any]:
        task = asyncio.Task(coro, loop=self, name=name, context=context)
        self.tasks.append(task)
        return task

    def get_debug(self) -> bool:
        return False

    def is_running(self) -> bool:
        return True

    def is_closed(self) -> bool:
        return False

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        if not self.ended:
            self._complain(f"{context.get('message')}: {context.get('exception')!r}")

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """A cancelled timer is passed over when it is due."""

    def errors(self) -> list[BaseException]:
        """Return the errors with which tasks have ended."""
        done = [task for task in self.tasks if task.done() and not task.cancelled()]
        return [error for task in done if (error := task.exception()) is not None]

    def reap(self) -> None:
        """End what is left of the tasks, once nothing that they do has an effect any more."""
        self.ended = False
        for handle in self.unrun:
            self._scheduler.soon(self, handle)
        for _ in range(100):
            left = [task for task in self.tasks if not task.done()]
            if not left:
                break
            for task in left:
                task.cancel()
            self._scheduler.run_ready()
        self.errors()  # so that none is complained of as never looked at
        self.ended = True


def simulated_loop(scheduler: Scheduler, complain: Callable[[str], None]) -> SimulatedLoop:
    """Make a loop; what it lacks of a whole one (sockets, signals, threads) nothing here may use."""
    return SimulatedLoop(scheduler, complain)  # type: ignore[abstract]
