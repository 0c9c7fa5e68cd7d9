"""Reports for programs: the JSON document, the CSV of groups, and one JSON line per exchange."""

from __future__ import annotations

import csv
from datetime import UTC
from typing import TYPE_CHECKING, Any, TextIO

import msgspec

from logcount.model.counts import COUNTED_BY, TOKEN_KINDS

if TYPE_CHECKING:
    from collections import Counter
    from datetime import datetime

    from logcount.aggregate import Group, Key, Summary
    from logcount.calibration import Comparison
    from logcount.model.counts import Outcome
    from logcount.model.events import LogEvent

VERSION = 1


def iso(time: datetime | None) -> str | None:
    """Return a time as UTC in ISO 8601 with Z."""
    return None if time is None else time.astimezone(UTC).isoformat().replace("+00:00", "Z")


def line_of(event: LogEvent, outcome: Outcome, dimensions: tuple[str, ...]) -> str:
    """Return the JSON line of one exchange; unknown counts are null."""
    head, position, tail = pieces_of(event, outcome, dimensions)
    return f"{head}{position}{tail}"


def pieces_of(event: LogEvent, outcome: Outcome, dimensions: tuple[str, ...]) -> tuple[str, int, str]:
    """Return the JSON line of one exchange in three pieces: before the position, the position, and after it."""
    count = outcome.count
    shown = {name: outcome.dimensions[name] for name in dimensions if name in outcome.dimensions}
    line: dict[str, Any] = {
        "id": outcome.id,
        "time": iso(outcome.time),
        "model": outcome.model,
        "outcome": outcome.word,
        **{part: getattr(count, part, None) for part in TOKEN_KINDS},
        "counted_by": count.counted_by if count else None,
        "tokenizer": count.tokenizer if count else None,
        "reason": outcome.reason,
        "flags": sorted(outcome.flags),
        "source": event.source,
    }
    head = msgspec.json.encode(line).decode().removesuffix("}")
    last: dict[str, Any] = {"dimensions": shown}
    if outcome.comparison is not None:
        last["calibration"] = _compared(outcome.comparison)
    return f'{head},"position":', event.position, "," + msgspec.json.encode(last).decode().removeprefix("{")


def _compared(comparison: Comparison) -> dict[str, Any]:
    """Return the reported and the counted tokens; `reason` says why a side cannot be compared."""
    sides: dict[str, Any] = {
        name: {"reported": side.reported, "counted": side.counted, "difference": side.difference, "reason": side.doubt}
        for name, side in comparison.sides
    }
    return {"tokenizer": comparison.tokenizer, **sides}


def document_of(summary: Summary) -> dict[str, Any]:
    """Return the whole summary as one JSON document."""
    return {
        "v": VERSION,
        "events": {
            "read": summary.read,
            "counted": summary.counted,
            "uncounted": summary.uncounted.total(),
            "rejected": summary.rejected.total(),
            "skipped": summary.skipped.total(),
            "duplicates": summary.duplicates,
        },
        "outside_span": summary.outside,
        "tokens": _numbers(summary.overall),
        "groups": [_group(key, group) for key, group in sorted_groups(summary)],
        "uncounted": _reasons(summary.uncounted, "exchanges"),
        "rejected": [
            row | {"first": summary.first_rejected.get(row["reason"])} for row in _reasons(summary.rejected, "events")
        ],
        "skipped": _reasons(summary.skipped, "exchanges"),
        "flags": [{"flag": flag, "exchanges": number} for flag, number in sorted(summary.flags.items())],
    }


def sorted_groups(summary: Summary) -> list[tuple[Key, Group]]:
    """Return the groups sorted by their values, unknown ones first."""
    return sorted(summary.groups.items(), key=lambda item: tuple(dict(item[0]).get(name, "") for name in summary.by))


def write_csv(summary: Summary, stream: TextIO) -> None:
    """Write the groups as CSV: the dimensions, then the numbers."""
    writer = csv.writer(stream)
    numbers = ("exchanges", *TOKEN_KINDS)
    writer.writerow([*summary.by, *numbers, *COUNTED_BY])
    for key, group in sorted_groups(summary):
        values = dict(key)
        counted_by = (group.counted_by[word] for word in COUNTED_BY)
        row = [_cell(values.get(name, "")) for name in summary.by]
        writer.writerow([*row, *(getattr(group, number) for number in numbers), *counted_by])


def _cell(value: str) -> str:
    """Prevent spreadsheets from running a value as a formula."""
    value = printable(value)
    return f"'{value}" if value.startswith(("=", "+", "-", "@")) else value


def printable(text: str) -> str:
    """Return a text from a log so that a terminal can show it safely."""
    return text if text.isprintable() else "".join(char if char.isprintable() else "\ufffd" for char in text)


def _group(key: Key, group: Group) -> dict[str, Any]:
    return {
        "dimensions": dict(key),
        "exchanges": group.exchanges,
        **_numbers(group),
        "counted_by": {word: group.counted_by[word] for word in COUNTED_BY},
    }


def _numbers(group: Group) -> dict[str, int]:
    return {part: getattr(group, part) for part in TOKEN_KINDS}


def _reasons(reasons: Counter[str], noun: str) -> list[dict[str, Any]]:
    return [{"reason": reason, noun: number} for reason, number in reasons.most_common()]
