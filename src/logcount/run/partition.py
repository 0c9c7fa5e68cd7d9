"""A partition that this process reads: its start position, link, emission and checkpoint.

Law: a checkpoint is the end of the last record that every sink has passed.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from logcount.errors import Halted, Unsettled
from logcount.ledger.head import Head
from logcount.ledger.intake import StartPosition, start_after, start_at_checkpoint
from logcount.ledger.log import reaches, walk
from logcount.ledger.record import time_text
from logcount.run.emission import Emission, End
from logcount.run.link import Link, Missed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from logcount.model.events import LogEvent
    from logcount.run.context import Context

_LOGGER = logging.getLogger(__name__)

HUB_SEEN_SECONDS = 5.0
"""The oldest hub state accepted at the start; it is requested again once the link is open."""

AGAIN_SECONDS, LONGEST_AGAIN_SECONDS = 1.0, 60.0
"""How long to wait before emission is begun again after an error that was not foreseen; doubled up to the longest."""

GRACE_SECONDS = 5.0
"""How long a process that lost a partition may still send, and how long its new owner waits before it sends."""


class Partition:
    """Reads one partition for as long as this process owns it."""

    def __init__(self, partition: str, context: Context) -> None:
        self.name = partition
        self.halted: str | None = None
        """Why the partition is halted until the operator decides."""
        self.link: Link | None = None
        self.emissions = [Emission(context.log(partition), sink, context.driver) for sink in context.sinks]
        self._context = context
        self._driver = context.driver
        self._missed = Missed()
        self._left = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._head = Head()
        self._checkpointed: End | None = None
        self._checkpointing = asyncio.Lock()

    @property
    def head(self) -> Head:
        """The head of the log, as far as this process knows."""
        return self._head if self.link is None else self.link.head

    async def start(self) -> str | None:
        """Find the start position, and return the offset of that event; None is the first retained event."""
        self.halted = None
        self._left.clear()
        try:
            place = await self._find_place()
        except Halted as error:
            self._halt(error)
            return None
        except Exception as error:
            raise Unsettled(self._report_unexpected(error)) from None
        self.link = Link(self.name, place, self._head, self._missed, self._context)
        self._tasks = [asyncio.create_task(self._emit(emission, self.link)) for emission in self.emissions]
        where = {"partition": self.name, "record": self._head.n, "after": place.to}
        _LOGGER.info("reading", extra={"fields": where})
        return place.offset

    async def take(self, batch: Sequence[LogEvent]) -> None:
        """Take the next events; if the partition is halted, wait until it is left.

        Raises:
            Unsettled: events that are not recorded must be delivered again.

        """
        link = self.link
        try:
            if link is not None and self.halted is None:
                await link.take(batch)
                return
        except Halted as error:
            self._halt(error)
        await self._left.wait()
        raise Unsettled("the partition is halted")

    async def leave(self) -> None:
        """Settle what is uncommitted, emit what is recorded within `GRACE_SECONDS`, and end."""
        self._left.set()
        link, self.link = self.link, None
        tasks, self._tasks = self._tasks, []
        if link is not None:
            await link.leave()
            self._head = link.head
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(GRACE_SECONDS):
                while self.halted is None and tasks and any(one.lacks(self._head) for one in self.emissions):
                    await asyncio.sleep(0.05)
                if self.halted is None and tasks:
                    await self._write_last_checkpoint()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for emission in self.emissions:
            self._context.troubles.forget(self._emission_of(emission))

    async def _find_place(self) -> StartPosition:
        decisions = self._context.decisions
        decided = decisions.begin_at != "stop"
        # read first: events before a checkpoint were in the ledger earlier
        checkpoint = await self._driver.insist("checkpoints", lambda: self._context.hub.checkpointed(self.name))
        cursors = [await emission.look(decided=decided) for emission in self.emissions]
        log = self._context.log(self.name)
        self._head = await self._driver.perform(walk(log, max(cursors, default=-1)))
        state = await self._context.hub_state(time.monotonic() - HUB_SEEN_SECONDS)
        if self._head.hub not in {None, time_text(state.created)}:  # the hub's state may be older than the ledger
            state = await self._context.hub_state(time.monotonic())
        hub = time_text(state.created)
        if checkpoint is not None and not await self._driver.perform(reaches(log, self._head, checkpoint[0])):
            if not decided:
                raise Halted(
                    f"the checkpoint is at event {checkpoint[0]}, the ledger ends at {self._head.to}: another ledger? "
                    "`logcount run --begin-at checkpoint` begins after it, `--begin-at ledger` where the ledger ends"
                )
            if decisions.begin_at == "checkpoint":
                return start_at_checkpoint(self._head, hub, *checkpoint)
        self._checkpointed = None  # another process may have changed the checkpoint meanwhile
        await self._write_checkpoint(checkpoint)
        place = start_after(self._head, hub, state.created, decisions.other_hub)
        if self._missed.same_after == self._head.n:
            return replace(place, enqueued=None, offset=None, numbers_only=True)
        return place

    def _halt(self, error: Halted) -> None:
        self.halted = str(error)
        _LOGGER.error("halted: %s", error, extra={"fields": {"partition": self.name}})

    async def _emit(self, emission: Emission, link: Link) -> None:
        """Send the sink the records that it lacks, now and whenever the head has moved."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(GRACE_SECONDS):
                await link.moved.wait()
        wait = AGAIN_SECONDS
        while True:
            try:
                await self._follow(emission, link)
            except Halted as error:
                self._halt(error)
                return
            except Exception as error:
                self._context.troubles.report_unexpected(self._emission_of(emission), error)
                await asyncio.sleep(wait * random.uniform(0.5, 1.0))  # noqa: S311 - jitter
                wait = min(2 * wait, LONGEST_AGAIN_SECONDS)

    async def _follow(self, emission: Emission, link: Link) -> None:
        await emission.look()
        while True:
            link.moved.clear()
            while emission.lacks(link.head):
                await emission.step(link.head)
                await self._write_checkpoint()
            self._context.troubles.settle(self._emission_of(emission))
            await link.moved.wait()

    def _emission_of(self, emission: Emission) -> str:
        return f"{emission.sink.name}, partition {self.name}"

    def _report_unexpected(self, error: Exception) -> str:
        return self._context.troubles.report_unexpected(f"partition {self.name}", error)

    async def _write_last_checkpoint(self) -> None:
        try:
            await self._write_checkpoint()
        except Exception as error:
            self._report_unexpected(error)

    async def _write_checkpoint(self, found: tuple[int, str] | None = None) -> None:
        """Write the end of the last record that every sink has passed, unless the checkpoint is there already."""
        async with self._checkpointing:
            ends = [emission.end for emission in self.emissions]
            if not ends or None in ends:
                return
            end = min((end for end in ends if end is not None), key=lambda end: end.n)
            if end == self._checkpointed or found == (end.to, end.offset):
                return
            hub = self._context.hub
            await self._driver.insist("checkpoints", lambda: hub.checkpoint(self.name, end.to, end.offset))
            self._checkpointed = end
