"""What the production code finds around it in virtual time: the clocks, the dice, and sizes made small."""

from __future__ import annotations

import contextlib
import logging
from datetime import datetime
from functools import lru_cache
from random import Random
from typing import TYPE_CHECKING
from unittest.mock import patch

from logcount.ledger import cursor, driver, log
from logcount.ledger.record import decode_record
from logcount.run import context, link, partition, service

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import tzinfo

    from simulation.world import World


@contextlib.contextmanager
def surroundings(world: World) -> Iterator[None]:
    """Put the production code into this world, until the end of the block."""

    class Clock:
        @staticmethod
        def monotonic() -> float:
            return world.scheduler.now

    class WallClock(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
            return world.now().astimezone(tz)

    dice = Random(world.random.random())
    logger = logging.getLogger("logcount")
    shown = _Shown(world)
    with contextlib.ExitStack() as stack:
        for module in (link, context, service, partition):
            stack.enter_context(patch.object(module, "time", Clock))
        for dicer in (driver, service, partition):
            stack.enter_context(patch.object(dicer, "random", dice))
        stack.enter_context(patch.object(service, "datetime", WallClock))
        # records are read again and again; what equal bytes come to is worked out once, for speed
        stack.enter_context(patch.object(log, "decode_record", lru_cache(maxsize=None)(decode_record)))
        stack.enter_context(patch.object(link, "PIECE_BYTES", world.chances.piece))
        stack.enter_context(patch.object(cursor, "ITEMS_AT_MOST", world.chances.together))
        stack.enter_context(patch.object(logger, "propagate", False))
        stack.enter_context(patch.object(logger, "handlers", [shown] if world.trace is not None else []))
        before = logger.level
        logger.setLevel(logging.INFO if world.trace is not None else logging.CRITICAL + 1)
        try:
            yield
        finally:
            logger.setLevel(before)


class _Shown(logging.Handler):
    """Puts the log into the trace."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self._world = world

    def emit(self, record: logging.LogRecord) -> None:
        self._world.note("log", f"{record.getMessage()} {getattr(record, 'fields', '')}")
