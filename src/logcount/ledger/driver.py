"""The driver: performs the ledger's steps on a store and a sink, and waits if one does not answer.

It is the only module of this room that waits and does I/O. It works with any store.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections import Counter
from typing import TYPE_CHECKING, TypeVar

from logcount.errors import Unavailable
from logcount.ledger.steps import Create, Read, Replace

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from logcount.ledger.steps import Step, Steps
    from logcount.ports import Notes, Sink, Store

FIRST_WAIT, LONGEST_WAIT = 0.5, 30.0
"""Seconds between two tries; doubled from the first to the longest, with jitter."""

SILENCE_SECONDS = 20.0
"""After how long without an answer a call is told as a trouble, while it is waited for."""

_WRITES, _TRIES = "ledger's writes", 4

Result = TypeVar("Result")
Value = TypeVar("Value")


class Driver:
    """Performs steps one after another; systems that do not answer are recorded in the notes."""

    def __init__(self, store: Store, notes: Notes) -> None:
        self._store = store
        self._notes = notes

    async def perform(self, steps: Steps[Result], sink: Sink | None = None) -> Result:
        """Perform every step, and return the result of the protocol."""
        answer: object = None
        writes: Counter[str] = Counter()
        with self._forgetting(_WRITES):
            while True:
                try:
                    step = steps.send(answer)
                except StopIteration as end:
                    self._notes.settle(_WRITES)
                    result: Result = end.value
                    return result
                if isinstance(step, Create | Replace):
                    writes[step.name] += 1
                    await self._pause(step.name, writes[step.name])
                answer = await self._take(step, sink)

    async def _pause(self, name: str, tries: int) -> None:
        """Wait before a write that was tried before: others write too, or the store contradicts itself."""
        if tries > _TRIES:
            self._notes.rise(_WRITES, f"{name} was not written in {_TRIES} tries, though the store answers")
        if tries > 1:
            wait = min(FIRST_WAIT * 2 ** min(tries - 2, 10), LONGEST_WAIT)
            await asyncio.sleep(wait * random.uniform(0.5, 1.0))  # noqa: S311 - jitter

    async def _take(self, step: Step, sink: Sink | None) -> object:
        if isinstance(step, Read):
            return await self.insist("ledger", lambda: self._store.read(step.name))
        if isinstance(step, Create):
            return await self._attempt(lambda: self._store.create(step.name, step.data))
        if isinstance(step, Replace):
            return await self._attempt(lambda: self._store.replace(step.name, step.data, step.tag))
        if sink is None:
            raise TypeError("what sends is performed with a sink")
        return await sink.send(step.items)

    async def insist(self, what: str, call: Callable[[], Awaitable[Value]]) -> Value:
        """Call until there is an answer; meanwhile the health report shows what does not answer, and why."""
        wait = FIRST_WAIT
        with self._forgetting(what):
            while True:
                try:
                    answer = await self._watched(what, call)
                except Unavailable as error:
                    self._notes.rise(what, str(error))
                    await asyncio.sleep(wait * random.uniform(0.5, 1.0))  # noqa: S311 - jitter
                    wait = min(2 * wait, LONGEST_WAIT)
                else:
                    self._notes.settle(what)
                    return answer

    async def _attempt(self, call: Callable[[], Awaitable[bool]]) -> bool | None:
        """Call once; an unclear answer is None, and the protocol then reads to find out."""
        with self._forgetting("ledger"):
            try:
                answer = await self._watched("ledger", call)
            except Unavailable as error:
                self._notes.rise("ledger", str(error))
                await asyncio.sleep(FIRST_WAIT * random.uniform(0.5, 1.0))  # noqa: S311 - jitter
                return None
            self._notes.settle("ledger")
            return answer

    async def _watched(self, what: str, call: Callable[[], Awaitable[Value]]) -> Value:
        silent = f"no answer within {SILENCE_SECONDS:.0f} s"
        timer = asyncio.get_running_loop().call_later(SILENCE_SECONDS, self._notes.rise, what, silent)
        try:
            return await call()
        finally:
            timer.cancel()

    @contextlib.contextmanager
    def _forgetting(self, what: str) -> Iterator[None]:
        """Drop the trouble if cancelled: no call would settle it; other callers record it again."""
        try:
            yield
        except BaseException:
            self._notes.forget(what)
            raise
