"""Replicas as the player of a run holds them: forked from a process that has everything imported, and ended."""

from __future__ import annotations

import multiprocessing
import signal
import time
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING

import certifi

from crash import replica

if TYPE_CHECKING:
    from collections.abc import Iterable

    from live_stack import Stack

    from crash.plan import Life

STOP_SECONDS = 180.0
"""How long a replica that was asked to stop may take: twice what it allows itself."""
IDLE_SECONDS = 5.0
"""After which the clock of a life runs even if its replica has got no partition to read."""
_END = "-----END CERTIFICATE-----"

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(list(replica.PRELOADED))


class Nursery:
    """Starts the replicas of one run, and keeps count of them."""

    def __init__(self, stack: Stack, seed: int) -> None:
        self.stack = stack
        self._diary = stack.folder / "replicas.txt"
        self.all: list[Replica] = []
        self._seed = seed
        self._authority = stack.folder / "authority.pem"
        text = Path(certifi.where()).read_text(encoding="utf-8")
        self._authority.write_text(text[: text.index(_END) + len(_END)] + "\n", encoding="utf-8")

    def start(self, life: Life | None = None) -> Replica:
        """Start one to live such a life, or (None) to live on."""
        number = len(self.all)
        orders = replica.Orders(
            environment=self.stack.environment(),
            log=self.stack.folder / f"logcount-{number}.log",
            diary=self._diary,
            authority=self._authority,
            point=life.point if life else None,
            freeze=life.freeze if life else None,
            unanswered=life.unanswered if life else 0.0,
            seed=self._seed * 1000 + number,
        )
        self.all.append(Replica(orders))
        return self.all[-1]

    def told(self, what: str) -> list[str]:
        """Return where replicas `crashed`, or were `frozen`."""
        lines = self._diary.read_text().splitlines() if self._diary.exists() else []
        return [line.removeprefix(what).strip() for line in lines if line.startswith(what)]

    def close(self) -> None:
        """Kill what still lives."""
        for one in self.all:
            one.kill()
            one.wait()
            one.process.close()


class Replica:
    """One process."""

    def __init__(self, orders: replica.Orders) -> None:
        self.was_killed = False
        self.was_stopped = False
        self._log = orders.log
        self._reads = False
        self.process = _FORKS.Process(target=replica.run, args=(orders,))
        self.process.start()

    @property
    def lives(self) -> bool:
        """Whether it has not ended."""
        return self.process.is_alive()

    @property
    def reads(self) -> bool:
        """Whether it has begun to read a partition, by its log."""
        self._reads = self._reads or " reading " in self._said
        return self._reads

    @property
    def _said(self) -> str:
        return self._log.read_text(encoding="utf-8") if self._log.exists() else ""

    def kill(self) -> None:
        """Kill it, if it lives."""
        if self.lives:
            self.was_killed = True
            self.process.kill()

    def stop(self) -> None:
        """Ask it to stop, if it lives."""
        if self.lives and not self.was_stopped:
            self.was_stopped = True
            self.process.terminate()

    def wait(self) -> int | None:
        """Return its exit status; None where it does not end in time."""
        self.process.join(STOP_SECONDS)
        return self.process.exitcode

    def difference(self) -> str | None:
        """Say what is wrong about its end: it is killed, or stops with status 0 when asked to."""
        status = self.wait()
        if status == -signal.SIGKILL or (status == 0 and self.was_stopped):
            return None
        if status == -signal.SIGTERM and not self._said:  # asked to before it could listen
            return None
        return f"a replica ended with status {status}" + (", asked to stop" if self.was_stopped else "")


class Slot:
    """One place for a replica: lives follow one another."""

    def __init__(self, lives: Iterable[Life], nursery: Nursery) -> None:
        self._lives = deque(lives)
        self._nursery = nursery
        self._replica: Replica | None = None
        self._born = 0.0
        self._due = time.monotonic() + self._lives[0].rest
        """When the next life begins; while one is lived, when it is to end."""

    @property
    def is_over(self) -> bool:
        """Whether the last life has ended."""
        return not self._lives

    def turn(self) -> None:
        """See to what is due: begin a life, or end it."""
        if not self._lives:
            return
        life, now = self._lives[0], time.monotonic()
        if self._replica is None:
            if now >= self._due:
                self._replica, self._born = self._nursery.start(life), now
                self._due = now + life.seconds
        elif not self._replica.lives:
            self._lives.popleft()
            self._replica = None
            self._due = now + (self._lives[0].rest if self._lives else 0)
        elif not life.early and not self._replica.reads and now < self._born + IDLE_SECONDS:
            self._due = now + life.seconds
        elif now >= self._due:
            self._replica.stop() if life.end == "stop" else self._replica.kill()
