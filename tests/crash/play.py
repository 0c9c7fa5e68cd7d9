"""Plays a run: publishes, starts and ends replicas, disturbs, waits until all is settled, and judges."""

from __future__ import annotations

import json
import shutil
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING

from ingestion import ItemRule
from ingestion.server import KEY
from live_stack import Stack

from crash.books import Books
from crash.plan import HUB_TROUBLES, INGESTION_TROUBLES, make_plan
from crash.replicas import Nursery, Slot
from crash.stream import BODY_WORD, NAME_WORD, REFUSED_API, Author, Published, now
from crash.verdict import judge
from crash.watch import Watch

if TYPE_CHECKING:
    from azurite import Azurite
    from eventhub_peer import Peer
    from ingestion import Control

    from crash.plan import Disturbance, Plan
    from crash.replicas import Replica
    from crash.stream import Event

LONGEST_SECONDS = 15.0
"""How long replicas may live and die before the last one is left to itself."""
SETTLE_SECONDS = 180.0
"""How long that one may take to settle everything: many times what it needs on a machine that is busy."""
TICK_SECONDS = 0.02
_SECRETS = (BODY_WORD, NAME_WORD, KEY, "AccountKey=", "SharedAccessKey=", "bG9vcGJhY2s=")


@dataclass(slots=True)
class Result:
    """What a run came to."""

    plan: Plan
    replicas: int = 0
    kills: int = 0
    stops: int = 0
    hits: list[str] = field(default_factory=list)
    """The crash points that were reached."""
    frozen: list[str] = field(default_factory=list)
    """The steps at which replicas were frozen."""
    events: int = 0
    records: int = 0
    repeats: int = 0
    sights: int = 0
    seconds: float = 0.0
    differences: list[str] = field(default_factory=list)
    folder: Path | None = None
    """Kept where something differed."""


def play(seed: int, site: Site) -> Result:
    """Play the run of a seed."""
    began = time.monotonic()
    folder = Path(mkdtemp(prefix=f"crash-{seed}-"))
    run = Run(make_plan(seed), site, folder)
    try:
        result = run.play()
    finally:
        run.close()
    result.seconds = time.monotonic() - began
    if result.differences:
        result.folder = folder
        (folder / "differences.txt").write_text("".join(f"{line}\n" for line in result.differences))
    else:
        shutil.rmtree(folder)
    return result


@dataclass(frozen=True, slots=True)
class Site:
    """The servers that runs use one after another."""

    azurite: Azurite
    peer: Peer
    ingestion: Control


class Run:
    """One run."""

    def __init__(self, plan: Plan, site: Site, folder: Path) -> None:
        self.plan = plan
        self._stack = _stack(plan, site, folder)
        self._nursery = Nursery(self._stack, plan.seed)
        self._watch = Watch(self._stack)
        self._began = time.monotonic()
        self._waiting = self._write()
        self._stream: dict[str, list[Published]] = {partition: [] for partition in self._waiting}
        self._diary: list[str] = []
        self._watch.start()

    def play(self) -> Result:
        """Play it to its end."""
        healthy = self._live_and_die()
        if healthy is None:
            self._forget_owners()
            self._note("the last replica begins")
            healthy = self._nursery.start()
        self._stack.peer.heal()
        self._publish(self._left())
        differences = self._settle()
        healthy.stop()
        differences += [wrong for one in self._nursery.all if (wrong := one.difference())]
        self._note("over")
        books = self._close_books()
        differences += [*judge(books), *self._leaks()]
        if differences:
            self._keep(books)
        return self._result(books, differences)

    def _close_books(self) -> Books:
        stack = self._stack
        return Books(
            log=f"eventhub:127/{stack.hub}",
            stream=self._stream,
            objects=stack.objects(),
            accepted=stack.ingestion.accepted(),
            checkpoints=stack.checkpoints(),
            sights=self._watch.end(),
            ended=datetime.now(UTC),
        )

    def _result(self, books: Books, differences: list[str]) -> Result:
        replicas, hits = self._nursery.all, self._nursery.told("crashed")
        return Result(
            plan=self.plan,
            replicas=len(replicas),
            kills=sum(one.was_killed for one in replicas) + len(hits),
            stops=sum(one.was_stopped for one in replicas),
            hits=hits,
            frozen=self._nursery.told("frozen"),
            events=sum(map(len, self._stream.values())),
            records=sum(map(len, books.records.values())),
            repeats=books.repeats,
            sights=len(books.sights),
            differences=differences,
        )

    def close(self) -> None:
        """Leave nothing behind but the folder."""
        self._nursery.close()
        self._stack.peer.heal()
        self._stack.peer.delete_hub(self._stack.hub)
        self._stack.ingestion.recover()
        self._stack.ingestion.forget()
        self._watch.end()

    def _live_and_die(self) -> Replica | None:
        """Play all but the end; return the replica that is left, if there is one."""
        plan, healthy = self.plan, None
        self._began = time.monotonic()
        portions, troubles = list(plan.portions), list(plan.disturbances)
        share = max(self._left() // (len(portions) + 1), 1)
        slots = [Slot(lives, self._nursery) for lives in plan.slots]
        while not all(slot.is_over for slot in slots) and self._now() < LONGEST_SECONDS:
            while portions and portions[0] <= self._now():
                portions.pop(0)
                self._publish(share)
            troubles = [one for one in troubles if one.at > self._now() or not self._disturb(one)]
            if healthy is None and plan.healthy_at is not None and plan.healthy_at <= self._now():
                healthy = self._nursery.start()
            for slot in slots:
                slot.turn()
            time.sleep(TICK_SECONDS)
        for one in self._nursery.all:
            if one is not healthy and not one.was_stopped:
                one.kill()
        return healthy

    def _now(self) -> float:
        return time.monotonic() - self._began

    def _write(self) -> dict[str, list[Event]]:
        """Write all events, those of each partition in their order."""
        plan = self.plan
        author = Author(plan.seed, now().replace(second=0, microsecond=0), refused=plan.refused)
        return {str(one): [author.event() for _ in range(plan.events)] for one in range(plan.partitions)}

    def _left(self) -> int:
        """Return how many events of each partition are not published yet."""
        return max(map(len, self._waiting.values()))

    def _publish(self, share: int) -> None:
        """Publish the next events of every partition."""
        for partition, events in self._waiting.items():
            time, portion = now(), events[:share]
            del events[:share]
            self._stack.peer.publish(self._stack.hub, partition, [one.body for one in portion], enqueued=time)
            self._stream[partition] += [Published(event, time) for event in portion]

    def _disturb(self, trouble: Disturbance) -> bool:
        """Let something go wrong; say whether there was anything to disturb, else it is to be tried again."""
        met: int | None = None
        if trouble.what in HUB_TROUBLES:
            met = HUB_TROUBLES[trouble.what](self._stack.peer, self._stack.hub, trouble.partition, trouble.size)
        else:
            self._stack.ingestion.fail(INGESTION_TROUBLES[trouble.what])
        if met != 0:
            self._note(f"{trouble.what}: partition {trouble.partition or 'any'}, {trouble.size} events")
        return met != 0

    def _forget_owners(self) -> None:
        """Take dead owners away where nobody lives, rather than wait until what they own expires."""
        with self._stack.container_client() as client:
            for name in client.list_blob_names(name_starts_with="127.0.0.1"):
                if "/ownership/" in name:
                    client.delete_blob(name)

    def _settle(self) -> list[str]:
        """Wait until every checkpoint stands at its partition's end, which is the last that comes of settling."""
        ends = {partition: len(events) - 1 for partition, events in self._stream.items()}
        deadline = time.monotonic() + SETTLE_SECONDS
        while self._watch.latest != ends:
            if time.monotonic() > deadline or not self._watch.is_alive():
                return [f"not settled within {SETTLE_SECONDS:.0f} s: checkpoints are {self._watch.latest}, of {ends}"]
            time.sleep(TICK_SECONDS)
        return []

    def _leaks(self) -> list[str]:
        """Look for what must not be in any log."""
        logs = self._stack.logs()
        found = [f"the logs hold {secret!r}" for secret in _SECRETS if secret in logs]
        return [*found, *(f"the logs say: {line}" for line in logs.splitlines() if _is_odd(line))]

    def _note(self, what: str) -> None:
        self._diary.append(f"{datetime.now(UTC):%H:%M:%S.%f} {self._now():.2f} {what}")

    def _keep(self, books: Books) -> None:
        """Keep what a reader needs to find out what happened."""
        folder = self._stack.folder
        for name, data in books.objects.items():
            path = folder / "objects" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        (folder / "accepted.jsonl").write_text("".join(json.dumps(item) + "\n" for item in books.accepted))
        (folder / "sights.txt").write_text("".join(f"{sight}\n" for sight in books.sights))
        (folder / "diary.txt").write_text("".join(f"{line}\n" for line in [str(self.plan), *self._diary]))


def _stack(plan: Plan, site: Site, folder: Path) -> Stack:
    """Make what is a run's own: a container, a hub, a folder, and the settings of its replicas."""
    name = f"crash-{plan.seed}-{time.monotonic_ns()}"
    settings = {
        "run__settle_seconds": plan.settle_seconds,
        "run__settle_events": plan.settle_events,
        "appinsights__requests_per_second": 100,
    }
    stack = Stack(site.azurite, site.peer, site.ingestion, folder, container=name, hub=name, settings=settings)
    if plan.folder:
        stack.ledger = str(folder / "ledger")
    with stack.container_client() as client:
        client.create_container()
    site.peer.create_hub(name, plan.partitions)
    if plan.refused:
        site.ingestion.refuse(ItemRule(status=400, dimension=REFUSED_API))
    return stack


def _is_odd(line: str) -> bool:
    """Whether a line of a log tells of an error that nobody expected."""
    return "Traceback" in line or "never retrieved" in line or " ERROR " in line or " FATAL " in line
