"""Which sequence numbers were handed over already, in memory that grows with the gaps and not with the events.

A number alone does not tell: a hub that was deleted and made anew counts from 0 again. Within one hub
numbers and enqueued times rise together, so a number whose time does not fit between its neighbours' belongs to another
hub of the same name, and is no repeat.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Hashable
    from datetime import datetime

_MOST_HUBS = 16
"""How many hubs of one name are told apart; beyond them nothing is called a repeat, and nothing is lost."""


class SeenNumbers:
    """Remembers sequence numbers by partition."""

    def __init__(self) -> None:
        self._hubs: defaultdict[Hashable, list[_Spans]] = defaultdict(list)

    def add(self, partition: Hashable, number: int, time: datetime | None) -> bool:
        """Remember a number, and say whether it was there before."""
        hubs = self._hubs[partition]
        for spans in reversed(hubs):  # an archive is read from the past on: the latest is the likeliest
            if (repeated := spans.add(number, time)) is not None:
                return repeated
        if len(hubs) < _MOST_HUBS:
            hubs.append(_Spans())
            hubs[-1].add(number, time)
        return False


@dataclass(slots=True)
class _Span:
    """Numbers without a gap, and the times of its ends where they are known."""

    first: int
    last: int
    since: datetime | None
    until: datetime | None


class _Spans:
    """The numbers of one hub's partition, as spans in rising order."""

    def __init__(self) -> None:
        self._firsts: list[int] = []
        self._spans: list[_Span] = []

    def add(self, number: int, time: datetime | None) -> bool | None:
        """Remember a number; say whether it was there, or None where it cannot be this hub's."""
        at = bisect_right(self._firsts, number)
        before = self._spans[at - 1] if at else None
        after = self._spans[at] if at < len(self._spans) else None
        if before and number <= before.last:
            return None if _later(before.since, time) or _later(time, before.until) else True
        if (before and _later(before.until, time)) or (after and _later(time, after.since)):
            return None
        if before and before.last == number - 1:
            before.last, before.until = number, time or before.until
            self._join(at)
        elif after and after.first == number + 1:
            self._firsts[at] = after.first = number
            after.since = time or after.since
        else:
            self._firsts.insert(at, number)
            self._spans.insert(at, _Span(number, number, time, time))
        return False

    def _join(self, at: int) -> None:
        """Join the span at `at` to the one before it, where they have come to touch."""
        if at < len(self._spans) and self._spans[at].first == self._spans[at - 1].last + 1:
            after = self._spans.pop(at)
            self._firsts.pop(at)
            self._spans[at - 1].last = after.last
            self._spans[at - 1].until = after.until or self._spans[at - 1].until


def _later(one: datetime | None, other: datetime | None) -> bool:
    return one is not None and other is not None and one > other
