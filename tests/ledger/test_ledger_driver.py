"""The driver: what it does about a store that contradicts itself, or says nothing."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from drafts import builder, holding
from memory_store import MemoryStore

from logcount.ledger import driver
from logcount.ledger.batch import settle
from logcount.ledger.driver import FIRST_WAIT, LONGEST_WAIT, Driver
from logcount.ledger.head import Head
from logcount.ledger.log import walk
from logcount.run.troubles import Troubles

if TYPE_CHECKING:
    from logcount.ports import Stored

LOG = "eventhub:contoso/apim-logs/0"


class Contradictory(MemoryStore):
    """Says of every object that another has written it, and that it is not there."""

    async def create(self, name: str, data: bytes) -> bool:
        return False

    async def read(self, name: str) -> Stored | None:
        return None


class Silent(MemoryStore):
    """Never answers."""

    async def read(self, name: str) -> Stored | None:
        await asyncio.Event().wait()
        return None


async def test_a_store_that_contradicts_itself_is_asked_less_and_less_often_and_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    waits: list[float] = []
    troubles = Troubles()
    seen: list[str] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)
        seen.extend(trouble.why for trouble in troubles.present.values())
        if len(waits) == 12:
            raise asyncio.CancelledError

    monkeypatch.setattr("logcount.ledger.driver.asyncio.sleep", sleep)
    performing = Driver(Contradictory(), troubles).perform(settle(LOG, Head(), holding([0]), builder().draft))
    with pytest.raises(asyncio.CancelledError):
        await performing
    assert all(least / 2 <= wait <= least for wait, least in zip(waits, (FIRST_WAIT, 2 * FIRST_WAIT), strict=False))
    assert all(wait >= LONGEST_WAIT / 2 for wait in waits[8:])
    assert "was not written in 4 tries, though the store answers" in seen[0]
    assert troubles.present == {}


async def test_a_store_that_says_nothing_is_told_while_it_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(driver, "SILENCE_SECONDS", 0.01)
    troubles = Troubles()
    performing = asyncio.create_task(Driver(Silent(), troubles).perform(walk(LOG)))
    async with asyncio.timeout(30):
        while not troubles.present:
            await asyncio.sleep(0.01)
    assert "no answer within" in troubles.present["ledger"].why
    performing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await performing
    assert troubles.present == {}
