"""Worker processes of `replay`: their number, and the function with which each counts a part of the archive."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from logcount.cli.memory import settle_memory
from logcount.sources.archive import MIB, read_apart

if TYPE_CHECKING:
    from logcount.cli.wiring import Recipe
    from logcount.pipeline import TimeSpan
    from logcount.replay.parts import PartCounter
    from logcount.sources.archive import ArchiveSource
    from logcount.workers.progress import Progress

_LARGE_BYTES = 64 * MIB
"""From this size on, an archive is worth the 1 to 2 s for starting a process and loading tokenizers."""
_MOST_BY_DEFAULT = 8
"""Each may hold some hundred megabytes of tokenizers; more workers only on request."""
_MOST_WAITING = 100_000
"""The most exchanges of one part whose lines or results wait for its turn: some 50 MB; else it is counted in order."""


def choose_workers(asked: int | None, source: ArchiveSource) -> int:
    """Return the number of counting processes; 1 is this process alone."""
    if asked is not None:
        return asked
    large = source.total_bytes is not None and source.total_bytes >= _LARGE_BYTES
    return min(usable_cores(), _MOST_BY_DEFAULT) if large else 1


def usable_cores() -> int:
    """Return how many cores this process may use, as far as the system says."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    with suppress(OSError, ValueError):  # Linux's cgroup v2: microseconds of quota and period, or `max`
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text(encoding="ascii").split()
        cores = min(cores, max(int(quota) // int(period), 1))
    return cores


@dataclass(frozen=True, slots=True)
class PartCounting:
    """How the parts of an archive are counted; fit to be sent to a worker, which makes a counter of parts of it."""

    recipe: Recipe
    by: tuple[str, ...]
    span: TimeSpan
    each: bool = False
    calibrate: bool = False
    most_waiting: int = _MOST_WAITING

    def __call__(self, progress: Progress) -> PartCounter:
        """Make what reads a part and counts it by itself.

        Raises:
            Misconfigured: a tokenizer is not fetched.
        """
        from logcount.aggregate import Summary
        from logcount.pipeline import Pipeline
        from logcount.replay.parts import PartCounter
        from logcount.reports.documents import pieces_of

        recipe = self.recipe
        counter = recipe.make_counter(progress.loading)
        settle_memory()
        return PartCounter(
            lambda: Pipeline(counter, mappings=recipe.mappings, span=self.span, calibrate=float(self.calibrate)),
            read_apart,
            lambda: Summary(self.by),
            (lambda event, outcome: pieces_of(event, outcome, recipe.dimensions)) if self.each else None,
            self.most_waiting,
        )
