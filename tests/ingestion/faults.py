"""How the server fails: whole requests, in the order in which faults were planned, and single items, by rule."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ingestion.taken import Taken


@dataclass(frozen=True, slots=True)
class Fault:
    """One way to treat a request other than well."""

    status: int | None = None
    """Answer this, whatever was sent; None: what is due."""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""
    accepts: bool = False
    """Take the items in all the same: the answer is lost, or lies."""
    wait: float = 0.0
    """Seconds before the answer."""
    hangs: bool = False
    """Give no answer, and keep the connection open."""
    drops: bool = False
    """Cut the connection instead of answering."""

    @property
    def is_slowness_alone(self) -> bool:
        """Whether the request is answered duly, only later."""
        return self.status is None and not self.hangs and not self.drops


@dataclass(slots=True)
class ItemRule:
    """Refuse items that match, so many times or for ever."""

    status: int
    message: str = ""
    metric: str | None = None
    """Only this metric."""
    number: int | None = None
    """Only the point of this number in its record."""
    dimension: str | None = None
    """Only points that have a dimension of this value."""
    times: int | None = None

    def strikes(self, item: Taken) -> bool:
        """Whether an item is refused, which uses the rule up by one."""
        if self.times == 0 or (self.metric is not None and item.metric != self.metric):
            return False
        if self.number is not None and item.number != self.number:
            return False
        if self.dimension is not None and self.dimension not in item.dimensions.values():
            return False
        if self.times is not None:
            self.times -= 1
        return True


class Plan:
    """What is to go wrong."""

    def __init__(self) -> None:
        self.rules: list[ItemRule] = []
        self._next: deque[Fault] = deque()
        self._always: Fault | None = None

    def add(self, fault: Fault, times: int | None = 1) -> None:
        """Treat the next requests so, or (times: None) all that come after the planned ones."""
        if times is None:
            self._always = fault
        else:
            self._next.extend([fault] * times)

    def clear(self) -> None:
        """Be well again."""
        self._next.clear()
        self._always = None
        self.rules.clear()

    def take(self) -> Fault | None:
        """Return how to treat the request at hand; None: well."""
        return self._next.popleft() if self._next else self._always

    def refusal(self, item: Taken) -> dict[str, Any] | None:
        """Return the error of an item that a rule strikes."""
        for rule in self.rules:
            if rule.strikes(item):
                return {"statusCode": rule.status, "message": rule.message}
        return None
