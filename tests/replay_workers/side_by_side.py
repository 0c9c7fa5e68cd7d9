"""Replays an archive in one process and over several, and shows what each makes of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from logcount.aggregate import Summary
from logcount.calibration import Calibration
from logcount.cli.wiring import make_recipe
from logcount.cli.workers import PartCounting
from logcount.errors import LogcountError
from logcount.pipeline import Pipeline, TimeSpan
from logcount.replay.ordering import PartWorkers, replay_parts
from logcount.replay.replay import Replay
from logcount.reports.documents import document_of, line_of
from logcount.settings import Settings
from logcount.settings.dimensions import DEFAULT_DIMENSIONS
from logcount.sources.archive import ArchiveSource

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from logcount.model.counts import Outcome
    from logcount.model.events import LogEvent
    from logcount.replay.parts import Line

BY = (*DEFAULT_DIMENSIONS, "hour")


@dataclass
class Came:
    """What a replay came to, as reports tell it."""

    document: dict[str, Any]
    orders: list[list[Any]]
    """What is in the order in which it came."""
    lines: list[str]
    calibration: Calibration = field(default_factory=Calibration)
    error: str | None = None
    read_bytes: list[int] = field(default_factory=list, compare=False)
    in_order: int = field(default=0, compare=False)
    """How many events this process counted itself."""


class Watched(Replay):
    """Knows how many events were counted here."""

    handled = 0

    async def handle(self, batch: Sequence[LogEvent]) -> None:
        self.handled += len(batch)
        await super().handle(batch)


@dataclass(frozen=True)
class Way:
    """How archives are replayed."""

    part_bytes: int = 2000
    span: TimeSpan = TimeSpan()  # noqa: RUF009 - a frozen value
    settings: Settings = field(default_factory=Settings)
    most_waiting: int = 100_000

    async def came(self, paths: Sequence[Path | str], workers: PartWorkers | None) -> Came:
        """Replay with these workers, or without any."""
        summary, came = Summary(BY), Came({}, [], [])
        source = ArchiveSource(
            [str(path) for path in paths], part_bytes=self.part_bytes, progress=came.read_bytes.append
        )

        def each(event: LogEvent, outcome: Outcome) -> None:
            came.lines.append(line_of(event, outcome, BY))

        def write(lines: Iterable[Line], records: int) -> None:
            came.lines += [f"{head}{position + records}{tail}" for head, position, tail in lines]

        recipe = make_recipe(self.settings)
        pipeline = Pipeline(recipe.make_counter(), mappings=recipe.mappings, span=self.span, calibrate=1.0)
        replay = Watched(pipeline, summary, each)
        try:
            if workers is None:
                await source.deliver(replay.handle)
            else:
                with source.begin() as delivery:
                    await replay_parts(delivery, replay, workers, write)
        except LogcountError as error:
            came.error = f"{type(error).__name__}: {error}"
        came.in_order = replay.handled
        came.document = document_of(summary)
        came.calibration = summary.calibration
        counters = (summary.uncounted, summary.skipped, summary.rejected, summary.flags, summary.uncounted_models)
        came.orders = [list(one) for one in (summary.cells, *counters)]
        return came

    def workers(self, number: int = 2) -> PartWorkers:
        """Return workers that count this way."""
        make = PartCounting(make_recipe(self.settings), BY, self.span, True, True, self.most_waiting)
        return PartWorkers(make, number)
