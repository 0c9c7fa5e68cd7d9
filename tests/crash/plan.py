"""The plan of a run, all of it drawn from the seed: how many replicas live and die when, and what is disturbed."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from ingestion import Fault

from crash.points import ALL, FROZEN_SECONDS, CrashPoint, Freeze

if TYPE_CHECKING:
    from collections.abc import Callable

    from eventhub_peer import Peer

    from crash.points import Step

DETACHED, STOLEN, BUSY = "amqp:link:detach-forced", "amqp:link:stolen", "com.microsoft:server-busy"

POINTS_A_RUN = 4
"""Crash points that each run tries; prime to their number, so that runs of consecutive seeds try them all."""
DOOMED_SECONDS = 5.0
"""How long a replica that reads may take to come to its crash point, before it is ended from outside."""
FROZEN_STEPS: tuple[Step, ...] = ("record", "record", "record", "send", "cursor", "checkpoint")
"""Where replicas are frozen; most of all with a record that another has written by the time they thaw."""


@dataclass(frozen=True, slots=True)
class Life:
    """One replica's life: it ends by itself at a crash point, or from outside after some seconds."""

    rest: float
    """Seconds before it begins, after the one before has ended."""
    seconds: float
    """Before it is ended from outside: from its beginning if `early`, else from when it reads its first partition."""
    early: bool
    end: Literal["kill", "stop"]
    point: CrashPoint | None = None
    freeze: Freeze | None = None
    unanswered: float = 0.0


@dataclass(frozen=True, slots=True)
class Disturbance:
    """Something that goes wrong beside the replicas."""

    at: float
    what: str
    partition: str | None = None
    size: int = 0


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run does; times in seconds from its beginning."""

    seed: int
    partitions: int
    events: int
    """By partition."""
    portions: tuple[float, ...]
    """When to publish, an equal share each time; the last share comes when the last replica is there."""
    folder: bool
    """Whether the ledger is a folder and no container."""
    refused: bool
    """Whether ingestion refuses the points of one API."""
    settle_seconds: float
    settle_events: int
    slots: tuple[tuple[Life, ...], ...]
    """Replicas side by side, each a row of lives."""
    healthy_at: float | None
    """When the replica that is left at the end begins; None: when all others have ended."""
    disturbances: tuple[Disturbance, ...]


def make_plan(seed: int) -> Plan:
    """Draw the plan of a seed."""
    chance = random.Random(f"plan {seed}")
    partitions = chance.randint(1, 4)
    slots = _slots(seed, chance, most=partitions + 1)
    return Plan(
        seed=seed,
        partitions=partitions,
        events=chance.randint(1500, 4000) // partitions,
        portions=(0.0, 0.0, 0.0, *sorted(chance.uniform(1.0, 14.0) for _ in range(24))),
        folder=chance.random() < 0.3,
        refused=chance.random() < 0.3,
        settle_seconds=round(chance.uniform(0.2, 0.6), 2),
        settle_events=chance.randint(20, 150),
        slots=slots,
        healthy_at=chance.uniform(3.0, 7.0) if chance.random() < 0.7 else None,
        disturbances=tuple(_disturbances(chance, partitions)),
    )


def _slots(seed: int, chance: random.Random, most: int) -> tuple[tuple[Life, ...], ...]:
    first = seed * POINTS_A_RUN
    wanted = [ALL[(first + number) % len(ALL)] for number in range(POINTS_A_RUN)]
    wanted.sort(key=lambda point: point[0] != "header")  # only the first replica of all writes the header
    number = min(chance.choice((1, 2, 2, 3, 3)), most)
    rows: list[list[Life]] = [[] for _ in range(number)]
    for index, (step, when) in enumerate(wanted[: 2 * number]):
        turn = chance.randint(1, 3) if step in {"record", "send", "cursor", "checkpoint"} else 1
        point = CrashPoint(step, when, turn, chance.uniform(0, 0.01))
        rows[index % number].append(_life(chance, point, rest=0.7 * index if index < number else 0.0))
    for row in rows:
        if chance.random() < 0.6:
            row.append(_life(chance, None, rest=0.0))
    return tuple(tuple(row) for row in rows)


def _life(chance: random.Random, point: CrashPoint | None, rest: float) -> Life:
    end: Literal["kill", "stop"] = "stop" if chance.random() < 0.3 else "kill"
    early = point is None and chance.random() < 0.2
    seconds = chance.uniform(0.5, 3.0) if point is None else DOOMED_SECONDS
    unanswered = 0.2 if chance.random() < 0.25 else 0.0
    if early or chance.random() < (0.3 if point is None else 0.7):
        return Life(rest, seconds, early, end, point, None, unanswered)
    freeze = Freeze(chance.choice(FROZEN_STEPS), chance.randint(1, 2))
    return Life(rest, seconds + FROZEN_SECONDS, early, end, point, freeze, unanswered)


def _disturbances(chance: random.Random, partitions: int) -> list[Disturbance]:
    if chance.random() < 0.2:
        return []
    names = chance.choices(sorted(INGESTION_TROUBLES), k=chance.randint(0, 2))
    names += chance.choices(sorted(HUB_TROUBLES), k=chance.randint(1, 2))
    names += chance.choices(_REPEATERS, k=2)
    where = [None, *map(str, range(partitions))]
    return [Disturbance(chance.uniform(2, 10), name, chance.choice(where), chance.randint(1, 200)) for name in names]


HUB_TROUBLES: dict[str, Callable[[Peer, str, str | None, int], int | None]] = {
    "connections drop": lambda peer, *_: peer.drop_connections(),
    "links are detached": lambda peer, hub, partition, _: peer.detach(DETACHED, hub=hub, partition=partition),
    "links are stolen": lambda peer, hub, partition, _: peer.detach(STOLEN, hub=hub, partition=partition),
    "links are refused": lambda peer, hub, partition, _: peer.refuse_links(BUSY, hub=hub, partition=partition, times=1),
    "the hub rewinds": lambda peer, hub, partition, size: peer.rewind(hub, partition, size),
    "new links overlap": lambda peer, hub, _, size: peer.overlap(hub, size),
    "the hub is slow": lambda peer, hub, partition, _: peer.slow(hub, partition, delay=0.2),
}
"""What can go wrong at the hub: done to the peer for a hub, a partition of it (None: all) and a number of events. It
returns how many links or connections it met, where it is for those that there are."""

INGESTION_TROUBLES = {
    "ingestion throttles": Fault(status=429, headers={"Retry-After": "1"}),
    "ingestion fails": Fault(status=500),
    "ingestion takes and fails": Fault(status=503, accepts=True),
    "ingestion takes and is silent": Fault(hangs=True, accepts=True),
    "ingestion takes and hangs up": Fault(drops=True, accepts=True),
    "ingestion hangs up": Fault(drops=True),
    "ingestion is slow": Fault(wait=0.5),
}
"""What can become of the next request of the sink."""

_REPEATERS = ("the hub rewinds", "the hub rewinds", "new links overlap")
"""What brings events again."""
