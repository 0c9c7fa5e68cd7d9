"""`logcount replay`: counts archived logs."""

from __future__ import annotations

import asyncio
import json
import sys
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import click

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable, Iterator
    from pathlib import Path

    from logcount.aggregate import Summary
    from logcount.model.counts import Outcome
    from logcount.model.events import LogEvent
    from logcount.pipeline import TimeSpan
    from logcount.replay.parts import Line
    from logcount.settings import Settings
    from logcount.sources.archive import ArchiveSource


class _Moment(click.ParamType[datetime]):
    """A time in ISO 8601; without zone it is UTC, without time of day it is midnight."""

    name = "time"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        try:
            moment = datetime.fromisoformat(str(value))
        except ValueError:
            self.fail(f"{value} is no time such as 2026-11-22 or 2026-11-22T10:00Z", param, ctx)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


@click.command()
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option(
    "--output",
    type=click.Choice(["table", "json", "csv"]),
    default="table",
    show_default=True,
    help="Form of the groups and sums.",
)
@click.option("--each", is_flag=True, help="One JSON line per exchange instead of groups, in the order of the archive.")
@click.option("--calibrate", is_flag=True, help="Where usage is reported, count by tokenizer too, and compare.")
@click.option("--by", metavar="DIMENSION,...", help="Group by these dimensions; `hour` and `day` too.")
@click.option("--since", type=_Moment(), help="Only exchanges at or after this time, in ISO 8601; UTC without a zone.")
@click.option("--until", type=_Moment(), help="Only exchanges before this time.")
@click.option(
    "--workers",
    type=click.IntRange(min=1),
    metavar="N",
    help="Processes that count.  [default: one per core, at most 8, for archives of 64 MiB and more, else 1]",
)
@click.pass_obj
def replay(config: Path | None, /, paths: tuple[str, ...], output: str, by: str | None, **options: Any) -> None:
    """Count archived logs: files, folders, globs, - for standard input, and blob URLs.

    JSON lines, JSON arrays, {"records": […]} and Event Hubs Capture (Avro), plain or gzip, are recognised by content. A
    blob URL is https://ACCOUNT.blob.core.windows.net/CONTAINER/PREFIX.
    """
    from logcount.aggregate import Summary
    from logcount.cli.wiring import make_archive
    from logcount.errors import LogcountError
    from logcount.pipeline import TimeSpan
    from logcount.settings import load_settings

    asked = _Asked(options["each"], options["calibrate"], options["workers"])
    span = TimeSpan(options["since"], options["until"])
    if asked.each and (by is not None or output != "table"):
        raise click.UsageError("--each prints one line an exchange: --by and --output are for groups")
    if span.since and span.until and span.since >= span.until:
        raise click.UsageError("--since is not before --until: no time lies between them")
    settings = load_settings(config)
    summary = Summary(_dimensions(by, settings))
    replaying = _replaying(settings, summary, span, asked)
    unfinished: LogcountError | None = None
    with _progress() as (begin, advance):
        source = make_archive(paths, settings, advance)
        begin(source)
        try:
            asyncio.run(replaying(source))
        except LogcountError as error:
            unfinished = error
    if asked.each:
        _tell_account(summary)
    else:
        _report(summary, output, by_model=by is None, calibrate=asked.calibrate)
    if asked.calibrate and (asked.each or output == "csv"):
        _tell_calibration(summary)
    _warn_of_unknown(summary, by)
    if unfinished is not None:
        raise unfinished


class _Asked(NamedTuple):
    """The options for counting: lines, calibration and the number of processes."""

    each: bool
    calibrate: bool
    workers: int | None


def _replaying(
    settings: Settings, summary: Summary, span: TimeSpan, asked: _Asked
) -> Callable[[ArchiveSource], Coroutine[None, None, None]]:
    """Return a function that replays an archive; raises Misconfigured if a tokenizer is not fetched."""
    from logcount.cli.memory import settle_memory
    from logcount.cli.wiring import make_recipe
    from logcount.cli.workers import PartCounting, choose_workers
    from logcount.pipeline import Pipeline
    from logcount.replay.replay import Replay

    recipe = make_recipe(settings)
    writer = _LineWriter(recipe.dimensions) if asked.each else None
    counter = recipe.make_counter()
    pipeline = Pipeline(counter, mappings=recipe.mappings, span=span, calibrate=float(asked.calibrate))
    settle_memory()
    replay = Replay(pipeline, summary, writer)

    async def run(source: ArchiveSource) -> None:
        number = choose_workers(asked.workers, source)
        if number == 1:
            await source.deliver(replay.handle)
            return
        from logcount.replay.ordering import PartWorkers, replay_parts

        make = PartCounting(recipe, summary.by, span, asked.each, asked.calibrate)
        with source.begin() as delivery:
            async with PartWorkers(make, number) as workers:
                await replay_parts(delivery, replay, workers, writer.write if writer else _write_nothing)

    return run


def _dimensions(by: str | None, settings: Settings) -> tuple[str, ...]:
    """Return the dimensions to group by, under their proper names."""
    from logcount.settings.dimensions import dimension_names

    if by is None:
        return settings.metrics.dimensions
    names = [name.strip() for name in by.split(",") if name.strip()]
    if not names:
        raise click.BadParameter("name at least one dimension", param_hint="--by")
    return dimension_names(names, settings.metrics.dimensions)


class _LineWriter:
    """Writes one line per exchange: each as it is counted, or all lines of a part together."""

    def __init__(self, dimensions: tuple[str, ...]) -> None:
        from logcount.reports.documents import line_of

        self._line_of = line_of
        self._dimensions = dimensions

    def __call__(self, event: LogEvent, outcome: Outcome) -> None:
        sys.stdout.write(self._line_of(event, outcome, self._dimensions) + "\n")

    def write(self, lines: Iterable[Line], records: int) -> None:
        sys.stdout.write("".join([f"{head}{position + records}{tail}\n" for head, position, tail in lines]))


def _write_nothing(lines: Iterable[Line], records: int) -> None:
    """Ignore the lines of a part: none are wanted."""


def _tell_calibration(summary: Summary) -> None:
    """Write calibration differences to stderr, if the output on stdout cannot contain them."""
    from logcount.reports.calibrations import calibration_lines
    from logcount.reports.documents import printable

    for line in calibration_lines(summary.calibration):
        click.echo(printable(line), err=True)


def _tell_account(summary: Summary) -> None:
    """Say on stderr how many events had each outcome, where the output on stdout has no place for it."""
    from logcount.reports.tables import account_of

    click.echo(account_of(summary), err=True)


def _report(summary: Summary, output: str, *, by_model: bool, calibrate: bool) -> None:
    if output == "table":
        from logcount.reports.tables import print_summary

        print_summary(summary, by_model=by_model)
        if calibrate:
            from logcount.reports.calibrations import print_calibration

            print_calibration(summary.calibration)
        return
    from logcount.reports.documents import document_of, write_csv

    if output == "csv":
        from logcount.reports.tables import account_of

        write_csv(summary, sys.stdout)
        click.echo(account_of(summary), err=True)  # not part of the groups
    else:
        document = document_of(summary)
        if calibrate:
            from logcount.reports.calibrations import calibration_rows

            document["calibration"] = calibration_rows(summary.calibration)
        sys.stdout.write(json.dumps(document, ensure_ascii=False, indent=2) + "\n")


def _warn_of_unknown(summary: Summary, by: str | None) -> None:
    """Warn of requested dimensions that no exchange has: the name may be misspelt."""
    from logcount.settings.dimensions import DIMENSION_NAMES

    groups = summary.groups
    for name in summary.by if groups else ():
        asked = by is not None or name not in DIMENSION_NAMES  # default dimensions may well be unknown
        if asked and not any(name in dict(key) for key in groups):
            click.echo(f"no counted exchange has the dimension {name}", err=True)


@contextmanager
def _progress() -> Iterator[tuple[Callable[[ArchiveSource], None], Callable[[int], None] | None]]:
    """Show the progress of reading, only if stderr is a terminal."""
    if not sys.stderr.isatty():
        yield (lambda _source: None), None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    columns = (TextColumn("reading"), BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("reading", total=None)
        yield (lambda source: bar.update(task, total=source.total_bytes)), (lambda read: bar.advance(task, read))
