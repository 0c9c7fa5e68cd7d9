"""The driver: performs the ledger's steps on a store and a sink, and waits if one does not answer.

It is the only module of this room that waits and does I/O. It works with any store.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from typing import TYPE_CHECKING, TypeVar

from logcount.errors import Unavailable
from logcount.ledger.steps import Create, Read, Replace

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from logcount.ledger.steps import Step, Steps
    from logcount.ports import Notes, Sink, Store

FIRST_WAIT, LONGEST_WAIT = 0.5, 30.0
"""Seconds between two tries; doubled from the first to the longest, with jitter."""

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
        while True:
            try:
                step = steps.send(answer)
            except StopIteration as end:
                result: Result = end.value
                return result
            answer = await self._take(step, sink)

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
                    answer = await call()
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
                answer = await call()
            except Unavailable as error:
                self._notes.rise("ledger", str(error))
                await asyncio.sleep(FIRST_WAIT * random.uniform(0.5, 1.0))  # noqa: S311 - jitter
                return None
            self._notes.settle("ledger")
            return answer

    @contextlib.contextmanager
    def _forgetting(self, what: str) -> Iterator[None]:
        """Drop the trouble if cancelled: no call would settle it; other callers record it again."""
        try:
            yield
        except asyncio.CancelledError:
            self._notes.forget(what)
            raise
