"""What the path of an Event Hubs Capture file says: namespace, hub, partition and time.

The operator chooses the order of the nine parameters (`archiveNameFormat`: all of them, in any order); the default is
`{Namespace}/{EventHub}/{PartitionId}/{Year}/{Month}/{Day}/{Hour}/{Minute}/{Second}`, always behind a container and
perhaps folders. Only what is certain is taken:

- the last nine parts are two names and seven numbers, where numbers may also be joined by `-` or `_`;
- the partition is the one number that no date part can be (they are padded to two digits, the year to four), or else
  it stands right before or right behind year, month, day, hour, minute and second in this order.

The names need not be told apart: together, in the path's order, they identify the hub.
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
_DATE_PART = re.compile(r"[0-9]{2}|20[0-9]{2}")


@dataclass(frozen=True, slots=True)
class CapturePath:
    """The partition that a Capture file belongs to, and its time where the path tells it."""

    hub: tuple[str, ...]
    """Namespace and event hub, in the order of the path, lower case."""
    partition: str
    time: datetime | None


def read_capture_path(parts: Sequence[str]) -> CapturePath | None:
    """Read the parts of a file's path; None where they do not tell partition and hub for certain."""
    names: list[str] = []
    numbers: list[str] = []
    for part in reversed(parts):
        stem = part if names or numbers else _ENDING.sub("", part)
        if _NUMBERS.fullmatch(stem):
            numbers[:0] = re.split("[-_]", stem)
        else:
            names.insert(0, stem.lower())
        if len(names) + len(numbers) >= _PARAMETERS:
            break
    if len(names) != 2 or len(numbers) != _PARAMETERS - 2:
        return None
    found = _tell_partition(numbers)
    return CapturePath(tuple(names), *found) if found else None


def _tell_partition(numbers: list[str]) -> tuple[str, datetime | None] | None:
    """Tell which of seven numbers is the partition, and the time that the others are."""
    odd = [at for at, number in enumerate(numbers) if not _DATE_PART.fullmatch(number)]
    if len(odd) == 1:
        partition = numbers[odd[0]]
        time = _in_order(numbers[: odd[0]] + numbers[odd[0] + 1 :])
        return (partition, time) if _PARTITION.fullmatch(partition) else None
    ends = [(numbers[0], _in_order(numbers[1:])), (numbers[-1], _in_order(numbers[:-1]))]
    sound = [(partition, time) for partition, time in ends if time and _PARTITION.fullmatch(partition)]
    return sound[0] if len(sound) == 1 else None


def _in_order(numbers: Sequence[str]) -> datetime | None:
    """Return year, month, day, hour, minute and second as a time, if they can be one."""
    if len(numbers[0]) != 4 or any(len(number) != 2 for number in numbers[1:]):
        return None
    year, month, day, hour, minute, second = map(int, numbers)
    try:
        return datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        return None
