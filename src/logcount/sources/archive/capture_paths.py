"""Parses the path of an Event Hubs Capture file: namespace, hub, partition and time.

The operator chooses the order of the nine parameters (`archiveNameFormat`: all of them, in any order); the default is
`{Namespace}/{EventHub}/{PartitionId}/{Year}/{Month}/{Day}/{Hour}/{Minute}/{Second}`, after a container and perhaps
folders. Only certain results are used:

- the last nine segments are two names and seven numbers; numbers may also be joined by `-` or `_`;
- the partition is the only number that is not a date field (two digits, the year four); or a name separates it from
  year, month, day, hour, minute and second; or it comes before these, as in the default. Elsewhere a partition from 10
  on could be mistaken for a date field, and a wrong partition would make different events look like repeats.

It does not matter which name is which: together, in the path's order, they identify the hub.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_PARAMETERS = 9
_ENDING = re.compile(r"(?:\.(?:avro|jsonl?|ndjson|log|txt|gz))+\Z", re.IGNORECASE)
_NUMBERS = re.compile(r"[0-9]+(?:[-_][0-9]+)*")
_PARTITION = re.compile(r"0|[1-9][0-9]{0,3}")
_YEAR = re.compile(r"20[0-9]{2}")
_DATE_PART = re.compile(r"[0-9]{2}|20[0-9]{2}")


@dataclass(frozen=True, slots=True)
class CapturePath:
    """The partition that a Capture file belongs to, and its time if the path has it."""

    hub: tuple[str, ...]
    """Namespace and event hub, in the order of the path, lower case."""
    partition: str
    time: datetime | None


def read_capture_path(parts: Sequence[str]) -> CapturePath | None:
    """Parse the segments of a file's path; None if partition and hub are not certain."""
    names: list[str] = []
    runs: list[list[str]] = [[]]
    for part in reversed(parts):
        stem = part if names or runs[0] else _ENDING.sub("", part)
        if _NUMBERS.fullmatch(stem):
            runs[0][:0] = re.split("[-_]", stem)
        else:
            names.insert(0, stem.lower())
            runs.insert(0, [])
        if len(names) + sum(map(len, runs)) >= _PARAMETERS:
            break
    if len(names) != 2 or sum(map(len, runs)) != _PARAMETERS - 2:
        return None
    found = _tell_partition([run for run in runs if run])
    return CapturePath(tuple(names), *found) if found else None


def _tell_partition(runs: list[list[str]]) -> tuple[str, datetime | None] | None:
    """Return which of seven numbers, in runs between names, is the partition, and the time from the others."""
    numbers = [number for run in runs for number in run]
    odd = [at for at, number in enumerate(numbers) if not _DATE_PART.fullmatch(number)]
    apart = len(runs) == 2 and len(runs[1]) == 1
    at = odd[0] if len(odd) == 1 else len(numbers) - 1 if apart else 0
    partition, time = numbers[at], _in_order(numbers[:at] + numbers[at + 1 :])
    certain = len(odd) == 1 or (not odd and time is not None)
    return (partition, time) if certain and _PARTITION.fullmatch(partition) else None


def _in_order(numbers: Sequence[str]) -> datetime | None:
    """Return year, month, day, hour, minute and second as a time, or None if they are not one."""
    if not _YEAR.fullmatch(numbers[0]) or any(len(number) != 2 for number in numbers[1:]):
        return None
    year, month, day, hour, minute, second = map(int, numbers)
    try:
        return datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        return None
