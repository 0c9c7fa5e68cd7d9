"""Reports for people: tables in a terminal."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from logcount.aggregate import Group, merged
from logcount.model.counts import COUNTED_BY
from logcount.reports.documents import printable, sorted_groups

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterable, Sequence

    from logcount.aggregate import Summary

_UNKNOWN = "-"
_BESIDES = ("Model", "Counted By")
"""Dimensions that the table by model already shows."""
_PIPED_WIDTH = 200
"""The width in columns without a terminal: wide enough that a pipe or a log cuts nothing."""

TableRow = tuple[tuple[str, ...], Group]


def print_summary(summary: Summary, *, by_model: bool) -> None:
    """Print the groups, the totals, how they were counted, and what was not counted and why."""
    console = make_console()
    if summary.counted:
        if by_model:
            models = {(model or "",): group for model, group in summary.models.items()}
            console.print(_table(("Model",), sorted(models.items()), total=summary.overall))
        _print_groups(console, summary, by_model=by_model)
    console.print(Text(f"  {account_of(summary)}"))
    print_reasons(console, "uncounted", _uncounted(summary))
    print_reasons(console, "rejected", _rejected(summary))
    print_reasons(console, "skipped", summary.skipped.most_common())
    print_reasons(console, "noted", _notes(summary.flags))


def print_rows(names: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a plain table of texts; none is cut."""
    table = Table(box=SIMPLE_HEAD)
    for name in names:
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*(Text(printable(cell)) for cell in row))
    make_console().print(table)


def make_console() -> Console:
    """Return the console for tables: as wide as the terminal, or `_PIPED_WIDTH` without one."""
    console = Console(highlight=False)
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = _PIPED_WIDTH
    return console


def _print_groups(console: Console, summary: Summary, *, by_model: bool) -> None:
    """Print the groups by the dimensions in which they differ; shared ones are printed in one line."""
    rows = sorted_groups(summary)
    values = {name: {dict(key).get(name) for key, _ in rows} for name in summary.by}
    if not by_model:
        shown: tuple[str, ...] = summary.by
    else:
        shown = tuple(name for name in summary.by if len(values[name]) > 1 and name != "Counted By")
        shared = {name: found.copy().pop() for name, found in values.items() if len(found) == 1}
        stated = [f"{name} {value}" for name, value in shared.items() if value is not None and name not in _BESIDES]
        if stated:
            console.print(Text(printable(f"  everywhere: {', '.join(stated)}") + "\n"))
    if shown and shown != ("Model",):
        total = None if by_model else summary.overall
        table = _table(shown, _regrouped(rows, shown), total=total, sources=not by_model)
        if console.measure(table).maximum >= console.width:
            joined = [
                ((", ".join(value or _UNKNOWN for value in key),), group) for key, group in _regrouped(rows, shown)
            ]
            table = _table((", ".join(shown),), joined, total=total, sources=not by_model)
        console.print(table)


def _regrouped(rows: Iterable[tuple[tuple[tuple[str, str], ...], Group]], by: Sequence[str]) -> list[TableRow]:
    """Add up the groups that differ only in dimensions that are not shown."""
    places = ((tuple(dict(key).get(name, "") for name in by), group) for key, group in rows)
    return sorted(merged(places).items())


def _table(names: Sequence[str], rows: Iterable[TableRow], *, total: Group | None, sources: bool = True) -> Table:
    """Return a table of groups; `sources` adds the column Counted By."""
    table = Table(box=SIMPLE_HEAD, show_footer=total is not None)
    numbers = ("Exchanges", "Prompt", "Completion", "Total")
    sums = _cells(total) if total else [""] * len(numbers)
    for order, name in enumerate(names):
        table.add_column(name, "total" if total and order == 0 else "", overflow="fold")
    for name, value in zip(numbers, sums, strict=True):
        table.add_column(name, value, justify="right", no_wrap=True)
    if sources:
        table.add_column("Counted By", _sources(total) if total else "")
    for values, group in rows:
        row = [*(Text(printable(value) or _UNKNOWN) for value in values), *map(Text, _cells(group))]
        table.add_row(*row, *([_sources(group)] if sources else []))
    return table


def _cells(group: Group) -> list[str]:
    return [f"{number:,}" for number in (group.exchanges, group.prompt, group.completion, group.total)]


def _sources(group: Group) -> str:
    return ", ".join(f"{word} {group.counted_by[word]:,}" for word in COUNTED_BY if group.counted_by[word])


def account_of(summary: Summary) -> str:
    """Return the numbers of all outcomes, in one line."""
    parts = (
        f"{summary.read:,} read",
        f"{summary.counted:,} counted",
        f"{summary.uncounted.total():,} uncounted",
        f"{summary.rejected.total():,} rejected",
        f"{summary.skipped.total():,} skipped",
        f"{summary.duplicates:,} duplicates",
    )
    outside = f" ({summary.outside:,} outside the span)" if summary.outside else ""
    return f"{parts[0]} = {' + '.join(parts[1:])}{outside}"


def _rejected(summary: Summary) -> list[tuple[str, int]]:
    """Return each reason with a position that `explain` accepts."""
    lines = []
    for reason, number in summary.rejected.most_common():
        which = "first" if number > 1 else "at"
        lines.append((f"{reason}, {which} {summary.first_rejected[reason]}", number))
    return lines


def _uncounted(summary: Summary) -> list[tuple[str, int]]:
    """Return each reason with its models: most reasons depend on the model."""
    lines = []
    for reason, number in summary.uncounted.most_common():
        found = [
            (model, many) for (why, model), many in summary.uncounted_models.most_common() if why == reason and model
        ]
        named = ", ".join(f"{model} {many:,}" for model, many in found[:5])
        more = f" and {len(found) - 5} more" if len(found) > 5 else ""
        lines.append((f"{reason}: {named}{more}" if named else reason, number))
    return lines


_MEANINGS = {
    "cut": "bodies that break off",
    "envelope-disagrees": "envelope and response report different usage: the response's was taken",
    "impossible-time": "times before 2000 or after the event arrived: the time of its arrival was taken",
    "invalid-utf8": "bytes that are no UTF-8, read as U+FFFD",
    "lone-surrogates": "half surrogate pairs, read as U+FFFD",
    "lost-chunks": "stream chunks that could not be read",
    "not-a-number": "NaN or Infinity in the place of a number, read as unknown",
    "total-mismatch": "reported totals that are not the sum of their parts: taken as reported",
    "undecodable-body": "bodies that are not in the encoding their envelope names",
    "unreadable-body": "bodies in no known format",
}


def _notes(flags: Counter[str]) -> list[tuple[str, int]]:
    ordered = sorted(flags.items(), key=lambda item: (-item[1], item[0]))
    return [(_MEANINGS.get(flag, flag), number) for flag, number in ordered]


def print_reasons(console: Console, title: str, reasons: Sequence[tuple[str, int]]) -> None:
    """Print reasons with their numbers below a title; nothing if there are none."""
    if not reasons:
        return
    table = Table(box=None, show_header=False, padding=(0, 1), pad_edge=False)
    table.add_column(justify="right", no_wrap=True, min_width=8)
    table.add_column(overflow="fold")
    for reason, number in reasons:
        table.add_row(f"{number:,}", Text(printable(reason)))
    console.print(Text(f"\n  {title}"))
    console.print(table)
