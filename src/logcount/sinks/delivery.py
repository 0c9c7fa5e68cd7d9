"""The delivery loop of all sinks: sends points to an endpoint until each is accepted or marked.

Only one request runs at a time. While the service itself is in trouble, all senders wait, and one request at a time
tests whether the trouble is over. Items that are retried for their own reasons delay only their own send job.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

from logcount.model.points import Mark
from logcount.sinks.http_client import Silence
from logcount.sinks.outcomes import judge_silence
from logcount.sinks.pauses import RetryDelay, pause

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from logcount.model.points import Item, Point
    from logcount.sinks.clock import Clock
    from logcount.sinks.http_client import HttpClient
    from logcount.sinks.outcomes import HttpResponse, Verdict

_ENDPOINT = "endpoint"


class Dialect(Protocol):
    """A service's protocol: writes points, and interprets answers."""

    def write(self, entries: Sequence[Item | Point]) -> tuple[bytes, int]:
        """Write as many of the first entries as one request may hold; return the request and their number."""
        ...

    def judge(self, answer: HttpResponse, count: int, now: datetime) -> Verdict:
        """Return what an answer means for each of `count` entries."""
        ...


class DeliveryLoop:
    """Delivers items through an HTTP client; at least once.

    An item older than `oldest` when it is to be sent is marked `late`.
    """

    def __init__(self, dialect: Dialect, client: HttpClient, clock: Clock, oldest: timedelta | None) -> None:
        self._dialect = dialect
        self._client = client
        self._clock = clock
        self._oldest = oldest
        self._turn = asyncio.Lock()
        self._failures = 0
        self._pause = 0.0
        self._until: datetime | None = None
        self._troubles = _Troubles()

    @property
    def trouble(self) -> str | None:
        """Why nothing is accepted at present; None if there is no trouble."""
        return self._troubles.describe(self._clock.now())

    async def deliver(self, items: Sequence[Item]) -> list[Mark]:
        """Return when every item is accepted or in the marks."""
        job = _SendJob(items)
        try:
            while job.waiting or job.later:
                if not job.waiting:
                    await self._rest(job)
                await self._attempt(job)
        finally:
            self._troubles.end(job)
        return job.marks

    async def tell(self, points: Sequence[Point]) -> None:
        """Try once to send points, unless the service is known to be in trouble."""
        while points and not self._closed_seconds():
            body, count = self._dialect.write(points)
            await self._exchange(body, count)
            points = points[count:]

    async def close(self) -> None:
        """Close connections."""
        await self._client.close()

    async def _attempt(self, job: _SendJob) -> None:
        async with self._turn:
            if closed := self._closed_seconds():
                await self._clock.sleep(closed)
            batch = job.take(self._clock.now(), self._oldest)
            if not batch:
                return
            body, count = self._dialect.write(batch)
            job.put_back(batch[count:])
            verdict = await self._exchange(body, count)
        job.settle(batch[:count], verdict)

    async def _exchange(self, body: bytes, count: int) -> Verdict:
        answer = await self._client.post(body)
        now = self._clock.now()
        if isinstance(answer, Silence):
            verdict = judge_silence(answer.why, self._client.route.host, count, answer.delay)
        else:
            verdict = self._dialect.judge(answer, count, now)
        if verdict.whole:
            self._pause = pause(verdict.delay, self._failures, verdict.asked, self._clock.chance())
            self._failures += 1
            self._until = now + timedelta(seconds=self._pause)
            self._troubles.begin(_ENDPOINT, verdict.trouble or "", now, self._until)
            self._client.route.forget()  # the trouble may be with the host of a redirect
        else:
            self._failures, self._until = 0, None
            self._troubles.end(_ENDPOINT)
        return verdict

    def _closed_seconds(self) -> float:
        """Return how long to wait before a request; at most the pause, even if the clock is set back."""
        if self._until is None:
            return 0.0
        return min(max((self._until - self._clock.now()).total_seconds(), 0.0), self._pause)

    async def _rest(self, job: _SendJob) -> None:
        wait = pause(job.delay, job.vain_rounds, job.asked, self._clock.chance())
        now, count = self._clock.now(), sum(len(group) for group in job.later)
        what = f"{count} points wait: {job.trouble}"
        self._troubles.begin(job, what, now, now + timedelta(seconds=wait))
        await self._clock.sleep(wait)
        job.go_on()


class DeliveringSink:
    """The base class of sinks that send over HTTP: at least once, by a delivery loop.

    A subclass has its `name` and a constructor that passes its dialect and its client.
    """

    name: str

    def __init__(self, dialect: Dialect, client: HttpClient, clock: Clock, oldest: timedelta | None) -> None:
        self._delivery = DeliveryLoop(dialect, client, clock, oldest)

    @property
    def trouble(self) -> str | None:
        """Why nothing is accepted at present; None if there is no trouble."""
        return self._delivery.trouble

    async def send(self, items: Sequence[Item]) -> list[Mark]:
        """Return when every item is accepted or in the marks."""
        return await self._delivery.deliver(items)

    async def tell(self, points: Sequence[Point]) -> None:
        """Try once to send points that are not in the ledger; never raises."""
        await self._delivery.tell(points)

    async def close(self) -> None:
        """Close connections."""
        await self._delivery.close()


class _SendJob:
    """One send job: items still to be sent, now or after a pause, and the marks so far."""

    def __init__(self, items: Sequence[Item]) -> None:
        self.waiting = deque([list(items)] if items else [])
        self.later: list[list[Item]] = []
        self.marks: list[Mark] = []
        self.vain_rounds = 0
        """Consecutive rounds, before this one, in which no item was accepted or marked."""
        self._begin_round()

    def _begin_round(self) -> None:
        self.delay = RetryDelay.SOON
        self.asked: float | None = None
        self.trouble = ""

    def take(self, now: datetime, oldest: timedelta | None) -> list[Item]:
        """Return the next items to send; items that are too old are marked instead."""
        batch = self.waiting.popleft()
        if oldest is None:
            return batch
        fresh = []
        for item in batch:
            age = now - item.point.minute
            if age > oldest:
                self.marks.append(Mark(item, "late", f"{age.total_seconds() / 3600:.1f} h old when it was to be sent"))
            else:
                fresh.append(item)
        return fresh

    def put_back(self, items: list[Item]) -> None:
        """Put items back for the next request."""
        if items:
            self.waiting.appendleft(items)

    def settle(self, sent: list[Item], verdict: Verdict) -> None:
        """Sort sent items by their fate."""
        again = []
        for item, became in zip(sent, verdict.items, strict=True):
            if became.fate == "again":
                again.append(item)
            elif became.fate != "accepted":
                self.marks.append(Mark(item, became.fate, became.said))
        if len(again) < len(sent):
            self.vain_rounds = 0
        middle = (len(again) + 1) // 2 if verdict.halve else len(again)
        groups = [group for group in (again[:middle], again[middle:]) if group]
        if verdict.whole or verdict.delay == RetryDelay.AT_ONCE:
            self.waiting.extendleft(reversed(groups))
        else:
            self.later += groups
            self.delay, self.trouble = max(self.delay, verdict.delay), verdict.trouble or ""
            self.asked = max((each for each in (self.asked, verdict.asked) if each is not None), default=None)

    def go_on(self) -> None:
        """Begin a new round with the items that were put off."""
        self.vain_rounds += 1
        self.waiting.extend(self.later)
        self.later = []
        self._begin_round()


@dataclass(frozen=True, slots=True)
class _Trouble:
    what: str
    since: datetime
    until: datetime


class _Troubles:
    """The present troubles, by what is in trouble; the oldest one is reported."""

    def __init__(self) -> None:
        self._held: dict[object, _Trouble] = {}

    def begin(self, of: object, what: str, now: datetime, until: datetime) -> None:
        """Record a new trouble, or the present state of an old one; `until` is the next attempt."""
        old = self._held.get(of)
        self._held[of] = _Trouble(what, old.since if old else now, until)

    def end(self, of: object) -> None:
        """Remove a trouble."""
        self._held.pop(of, None)

    def describe(self, now: datetime) -> str | None:
        """Return the oldest trouble as text; None if there is none."""
        if not self._held:
            return None
        trouble = min(self._held.values(), key=lambda each: each.since)
        left = (trouble.until - now).total_seconds()
        coming = f"next attempt in {left:.0f} s" if left > 0 else "next attempt now"
        return f"{trouble.what}, since {trouble.since:%Y-%m-%dT%H:%M:%SZ}, {coming}"
