"""Chances: what may happen in one schedule, and how often; each schedule draws its own, and leaves some out."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from random import Random

ACTIONS = {
    "produce": 9.0,
    "expire": 1.5,
    "remake": 0.8,
    "add partition": 0.5,
    "rebalance": 2.5,
    "kill": 1.0,
    "stop": 0.7,
    "store outage": 0.5,
    "sink outage": 0.7,
    "hub outage": 0.5,
}
"""What the world does of itself, and its weight."""


@dataclass(frozen=True, slots=True)
class Chances:
    """Probabilities, of each operation unless said otherwise, and sizes."""

    processes: int
    partitions: int
    sinks: tuple[str, ...]
    seconds: float
    """How long the world does mischief."""
    settle_seconds: float
    settle_events: int
    largest: int
    """Bytes of a record."""
    batches: tuple[int, ...]
    """Events that are handed over together."""
    room: int
    piece: int
    together: int
    """Items that are sent together."""
    series: int
    unreachable: float
    lost: float
    late: float
    slow: float
    kill: float
    """Of the process, just before or just after an operation takes effect."""
    broken: float
    """Of a link, after each batch."""
    again: float
    """That a link goes back by some events."""
    hidden: float
    """That a link leaves some events out, which the next one gives."""
    absent: float
    """That a number is given to no event."""
    mark: float
    cancelled: float
    """That a partition is taken away in the middle of a batch, rather than between two."""
    last_event: bool
    """Whether every partition gets one more event once the mischief is over."""
    unexpected: float = 0.0
    """That it raises what no port says that it raises."""
    actions: dict[str, float] = field(default_factory=dict)


def draw(random: Random, focus: str | None = None) -> Chances:
    """Draw the chances of a schedule; a focus is an action, or a probability, that it is to be rich in."""

    def often(name: str, most: float) -> float:
        if name == focus:
            return most
        return random.choice((0.0, 0.0, most / 4, most / 2, most))

    actions = {name: weight * random.choice((0, 0.5, 1, 2)) for name, weight in ACTIONS.items()}
    actions["produce"] = ACTIONS["produce"]
    if focus in actions:
        actions[focus] = max(4.0, actions[focus])
    return Chances(
        processes=random.choice((1, 2, 2, 3) if focus is None else (2, 3)),
        partitions=random.choice((1, 1, 2)),
        sinks=random.choice((("appinsights",), ("appinsights", "otlp"))),
        seconds=random.choice((15.0, 25.0, 45.0)),
        settle_seconds=random.choice((1.0, 4.0, 15.0)),
        settle_events=random.choice((1, 2, 4, 8, 5000)),
        largest=random.choice((1800, 3000, 4 * 1024 * 1024)) if focus != "split" else 1800,
        batches=random.choice(((1, 2, 3, 6, 100), (100,))),
        room=random.choice((10, 60, 1000)),
        piece=random.choice((20, 60, 1000)),
        together=random.choice((1, 8, 500)),
        series=random.choice((1, 4, 1000)),
        unreachable=often("unreachable", 0.1),
        lost=often("lost", 0.1),
        late=often("late", 0.1),
        slow=often("slow", 0.1),
        kill=often("kill", 0.02),
        broken=often("broken", 0.15),
        again=often("again", 0.2),
        hidden=often("hidden", 0.5),
        absent=often("absent", 0.2),
        mark=often("mark", 0.1),
        cancelled=random.choice((0.0, 0.5, 1.0)),
        last_event=random.random() < 0.7,
        unexpected=0.05 if focus == "unexpected" else 0.0,
        actions=actions,
    )


def quiet(random: Random, **changes: Any) -> Chances:
    """Return the chances of a world in which nothing happens of itself."""
    never = dict.fromkeys(
        ("unreachable", "lost", "late", "slow", "kill", "broken", "again", "hidden", "absent", "mark", "cancelled"), 0.0
    )
    sizes: dict[str, Any] = {"processes": 0, "partitions": 1, "sinks": ("appinsights",), "settle_seconds": 1.0}
    sizes |= {"settle_events": 5000, "largest": 4 * 1024 * 1024, "room": 1000, "piece": 1000, "together": 500}
    return replace(draw(random), **(never | sizes | {"series": 1000, "actions": {}} | changes))
