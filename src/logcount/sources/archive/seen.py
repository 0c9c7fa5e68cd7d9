"""Remembers which sequence numbers were delivered, in memory that grows with the gaps and not with the events.

A number alone is not enough: a hub that was deleted and created again starts at 0 again. Within one hub numbers and
enqueued times rise together, so a number whose time is not between its neighbours' times belongs to another hub of the
same name, and is not a repeat.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence
    from datetime import datetime

_MOST_HUBS = 16
"""How many hubs of one name are distinguished; beyond that no event is marked as a repeat, and none is lost."""


class Numbers(Protocol):
    """The sequence numbers delivered, by partition."""

    def add(self, partition: Hashable, number: int, time: datetime | None) -> bool:
        """Remember a number, and say whether it was there before."""
        ...


class Run(NamedTuple):
    """Consecutive numbers, with the times of the first and the last if known."""

    first: int
    last: int
    since: datetime | None
    until: datetime | None


class SeenNumbers:
    """Remembers every number delivered; a `Numbers`."""

    def __init__(self) -> None:
        self._hubs: defaultdict[Hashable, list[_Spans]] = defaultdict(list)

    def add(self, partition: Hashable, number: int, time: datetime | None) -> bool:
        """Remember a number, and say whether it was there before."""
        hubs = self._hubs[partition]
        for spans in reversed(hubs):  # an archive is read in order of time: the latest hub is the most likely
            if (repeated := spans.add(number, time)) is not None:
                return repeated
        if len(hubs) < _MOST_HUBS:
            hubs.append(_Spans())
            hubs[-1].add(number, time)
        return False

    def append(self, runs: Mapping[Hashable, Sequence[Run]]) -> bool:
        """Add the runs of a `RisingNumbers`, as if each number were added.

        Return False, and add nothing, if a run is not after all known numbers of its partition: it may be a repeat.
        """
        for partition, first in ((partition, found[0]) for partition, found in runs.items()):
            hubs = self._hubs.get(partition)
            if hubs and not hubs[-1].is_before(first):
                return False
        for partition, found in runs.items():
            hubs = self._hubs[partition]
            if not hubs:
                hubs.append(_Spans())
            for run in found:
                hubs[-1].append(run)
        return True


class RisingNumbers:
    """Follows numbers that rise while their times do not fall, so that none is a repeat; a `Numbers`.

    It does not know the numbers of other parts: the caller appends `runs` to those, or reads again.
    """

    def __init__(self) -> None:
        self.tidy = True
        """Whether all numbers rose so far; if not, the results of `add` are not valid."""
        self._runs: dict[Hashable, list[Run]] = {}

    @property
    def runs(self) -> Mapping[Hashable, Sequence[Run]]:
        """The added numbers, by partition."""
        return self._runs

    def add(self, partition: Hashable, number: int, time: datetime | None) -> bool:
        """Add a number; always returns False."""
        runs = self._runs.setdefault(partition, [])
        if not runs:
            runs.append(Run(number, number, time, time))
            return False
        last = runs[-1]
        known = time is not None and last.until is not None
        self.tidy = (
            self.tidy and number > last.last and (time is last.until or (known and not _later(last.until, time)))
        )
        if number == last.last + 1:
            runs[-1] = Run(last.first, number, last.since, time)
        else:
            runs.append(Run(number, number, time, time))
        return False


@dataclass(slots=True)
class _Span:
    """Consecutive numbers, and the times of both ends if known; mutable."""

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
        """Add a number; return whether it was there before, or None if it cannot belong to this hub."""
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

    def is_before(self, run: Run) -> bool:
        """Whether a run is after every number, and its times are not before theirs."""
        last = self._spans[-1]
        return run.first > last.last and not _later(last.until, run.since)

    def append(self, run: Run) -> None:
        """Add a run that is after every number."""
        last = self._spans[-1] if self._spans else None
        if last and last.last == run.first - 1:
            last.last, last.until = run.last, run.until or last.until
        else:
            self._firsts.append(run.first)
            self._spans.append(_Span(*run))

    def _join(self, at: int) -> None:
        """Join the span at `at` to the one before it if they are adjacent now."""
        if at < len(self._spans) and self._spans[at].first == self._spans[at - 1].last + 1:
            after = self._spans.pop(at)
            self._firsts.pop(at)
            self._spans[at - 1].last = after.last
            self._spans[at - 1].until = after.until or self._spans[at - 1].until


def _later(one: datetime | None, other: datetime | None) -> bool:
    return one is not None and other is not None and one > other
