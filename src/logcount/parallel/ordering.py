"""Puts what workers make of the parts of an archive in order, and counts in order what only then can be counted."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Any

from logcount.errors import LogcountError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from concurrent.futures import Future

    from logcount.parallel.answers import Answer, Delivery, Line
    from logcount.parallel.workers import Workers
    from logcount.replay.replay import Replay

_WAITING = 4
"""How many parts for each worker are handed out before their turn: what they came to waits in memory."""
_WAKE_SECONDS = 0.25
"""How often a waiting loop looks about: a signal that comes as it lies down would else be seen with the next answer."""


async def replay_parts(
    delivery: Delivery, replay: Replay, workers: Workers, write: Callable[[Iterable[Line], int], None]
) -> None:
    """Replay an archive whose parts the workers count; `write` takes the lines of a part, and the records before it.

    Raises:
        Unreadable: something could not be read; everything else is counted.
        Misconfigured: a tokenizer or a path is wrong; what comes before it is counted.
        Unavailable: a worker ended.
    """
    ahead = _Ahead(delivery, workers)
    while turn := await ahead.next():
        part, asked = turn
        records = delivery.place(part)
        if records is None:
            continue
        answer = await _answer(asked) if asked else None
        if answer is None or not delivery.accept(part, answer.trace):
            await delivery.deliver(part, replay.handle)
        else:
            write(answer.lines, records)
            replay.accept(answer.share, records)
    delivery.finish()


class _Ahead:
    """Takes parts before their turn and hands them out, as far as what they come to may wait."""

    def __init__(self, delivery: Delivery, workers: Workers) -> None:
        self._delivery = delivery
        self._workers = workers
        self._waiting: deque[tuple[Any, Future[Answer | None] | None]] = deque()
        self._ended = False
        self._error: LogcountError | None = None

    async def next(self) -> tuple[Any, Future[Answer | None] | None] | None:
        """Return the part whose turn it is, and what was asked of it; None at the end, raising what ended it."""
        while self._takes_more():
            try:
                part = await self._delivery.next_part()
            except LogcountError as error:  # it is its turn when all before it are counted
                self._error, part = error, None
            if part is None:
                self._ended = True
            else:
                self._waiting.append((part, self._workers.ask(part) if part.portable else None))
        if self._waiting:
            return self._waiting.popleft()
        if self._error:
            raise self._error
        return None

    def _takes_more(self) -> bool:
        if self._ended or len(self._waiting) >= _WAITING * self._workers.number:
            return False
        return not self._waiting or self._waiting[-1][1] is not None  # what is read here may not be passed over


async def _answer(asked: Future[Answer | None]) -> Answer | None:
    answer = asyncio.wrap_future(asked)
    try:
        while not answer.done():
            await asyncio.wait([answer], timeout=_WAKE_SECONDS)
        return answer.result()
    finally:
        answer.cancel()  # or what becomes of it would be missed where nobody waits any more
