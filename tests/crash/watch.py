"""Watches the checkpoints of a run all along: each that is seen must stand on what was settled when it was seen."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from live_stack import Stack

PAUSE_SECONDS = 0.07


@dataclass(frozen=True, slots=True)
class Sight:
    """A checkpoint as it was seen, and what stood in the ledger and at ingestion just after."""

    partition: str
    number: int
    records: int
    """How many records of its partition there were."""
    taken: int
    """How many items ingestion had taken in."""


class Watch(threading.Thread):
    """Looks again and again, in a thread of its own, until told to end."""

    def __init__(self, stack: Stack) -> None:
        super().__init__(name="watch of checkpoints")
        self.sights: list[Sight] = []
        self.latest: dict[str, int] = {}
        """The checkpoints as they were seen last."""
        self._stack = stack
        self._ended = threading.Event()
        self._error: Exception | None = None

    def run(self) -> None:
        try:
            while not self._ended.wait(PAUSE_SECONDS):
                # Checkpoints first: whatever they stand on was there before them, and stays.
                seen = self._stack.checkpoints()
                new = {one: number for one, number in seen.items() if self.latest.get(one) != number}
                if new:
                    self._see(new)
                self.latest = seen
        except Exception as error:  # told in the thread that waits for this one
            self._error = error

    def end(self) -> list[Sight]:
        """End, and return what was seen."""
        self._ended.set()
        self.join()
        if self._error is not None:
            raise self._error
        return self.sights

    def _see(self, new: dict[str, int]) -> None:
        records: dict[str, int] = {}
        for name in self._stack.names():
            *_, partition, last = name.split("/")
            records[partition] = records.get(partition, 0) + last.isdigit()
        taken = sum(int(one["items"] + one["repeats"]) for one in self._stack.ingestion.totals().values())
        self.sights += [Sight(one, number, records.get(one, 0), taken) for one, number in new.items()]
