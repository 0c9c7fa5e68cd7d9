"""Emission that fails is begun again after pauses that grow, and are short again after it went well."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from logcount.run.partition import Partition
from logcount.run.troubles import Troubles


async def test_a_failure_after_a_long_success_is_waited_for_briefly(monkeypatch: pytest.MonkeyPatch) -> None:
    now, waits = 0.0, list[float]()
    lasts = iter([0, 0, 0, 0, 0, 0, 0, 3600, 0])

    async def follow(*_: Any) -> None:
        nonlocal now
        seconds = next(lasts, None)
        if seconds is None:
            raise asyncio.CancelledError
        now += seconds
        raise RuntimeError

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    context: Any = SimpleNamespace(sinks=[], driver=None, troubles=Troubles())
    emission: Any = SimpleNamespace(sink=SimpleNamespace(name="sink"))
    link: Any = SimpleNamespace(moved=asyncio.Event())
    link.moved.set()
    failing = Partition("0", context)
    monkeypatch.setattr(failing, "_follow", follow)
    monkeypatch.setattr("logcount.run.partition.asyncio.sleep", sleep)
    monkeypatch.setattr("logcount.run.partition.random.uniform", lambda _low, high: high)
    monkeypatch.setattr("logcount.run.partition.time.monotonic", lambda: now)

    with pytest.raises(asyncio.CancelledError):
        await failing._emit(emission, link)

    assert waits == [1, 2, 4, 8, 16, 32, 60, 1, 2]
