"""The faults that are in force: what is slowed, what is answered falsely, what is refused."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from eventhub_peer.conditions import Condition


@dataclass(frozen=True, slots=True)
class Pace:
    """How slowly events are delivered."""

    delay: float = 0.0
    """Seconds that pass before what could be sent is sent."""
    rate: float | None = None
    """Events a second, at most, to each receiver."""


@dataclass(slots=True)
class Answer:
    """A false answer to requests, for so many of them; None for all."""

    status: int
    text: str
    times: int | None


@dataclass(slots=True)
class Barrier:
    """A condition on which links are refused, for so many of them; None for all."""

    condition: Condition
    hub: str | None
    partition: str | None
    times: int | None


@dataclass(slots=True)
class Faults:
    """All faults that are in force; a hub or partition of None means every one."""

    paces: dict[tuple[str | None, str | None], Pace] = field(default_factory=dict)
    answers: dict[str, Answer] = field(default_factory=dict)
    """By node: `$cbs` or `$management`."""
    barriers: list[Barrier] = field(default_factory=list)
    overlaps: dict[str, int] = field(default_factory=dict)
    """Hub → how many events before the place that it asked for a receiver is given again."""

    def pace(self, hub: str, partition: str) -> Pace:
        """Return how slowly a partition is delivered; the more particular setting counts."""
        for key in ((hub, partition), (hub, None), (None, None)):
            if key in self.paces:
                return self.paces[key]
        return Pace()

    def answer(self, node: str) -> Answer | None:
        """Return the false answer that a request gets, if any."""
        found = self.answers.get(node)
        if found is None or not _takes(found):
            return None
        return found

    def barrier(self, hub: str, partition: str | None) -> Condition | None:
        """Return why a new link is refused, if it is."""
        for barrier in self.barriers:
            fits = barrier.hub in (None, hub) and barrier.partition in (None, partition)
            if fits and _takes(barrier):
                return barrier.condition
        return None


def _takes(fault: Answer | Barrier) -> bool:
    """Return whether a fault still strikes, and count that it did."""
    if fault.times is None:
        return True
    fault.times -= 1
    return fault.times >= 0
