"""Where a receiver begins: the selector of its source's filter becomes a sequence number.

The three annotations and the two operators are those that the SDKs send. What lies beyond the partition's last event is
refused with `com.microsoft:argument-error` and the service's own words, as quoted in Azure/azure-event-hubs-python#13;
what has expired begins at the first event that is retained.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from eventhub_peer.conditions import ARGUMENT, Refused

if TYPE_CHECKING:
    from collections.abc import Callable

    from eventhub_peer.hubs import Partition

_SELECTOR = re.compile(r"amqp\.annotation\.(?P<of>x-opt-[a-z-]+) (?P<operator>>=?) '(?P<value>.*)'")
_LATEST = "@latest"
_EARLIEST = "-1"


def start_of(partition: Partition, selector: str | None) -> int:
    """Return the sequence number to begin at.

    Raises:
        Refused: The selector cannot be read, or lies beyond the partition's last event.
    """
    if selector is None:  # the SDKs always send one; the service begins at the start
        return partition.begin
    found = _SELECTOR.fullmatch(selector)
    read = _POSITIONS.get(found["of"]) if found else None
    if found is None or read is None:
        raise _unreadable(selector)
    try:
        return max(read(partition, found["value"], found["operator"] == ">="), partition.begin)
    except ValueError:
        raise _unreadable(selector) from None


def _offset(partition: Partition, value: str, inclusive: bool) -> int:
    if value == _EARLIEST:
        return partition.begin
    if value == _LATEST:
        return partition.end - inclusive
    if int(value) > partition.last_offset:
        raise _beyond("offset", value, partition.last_offset)
    return partition.at_offset(int(value), inclusive=inclusive)


def _sequence(partition: Partition, value: str, inclusive: bool) -> int:
    last = partition.end - 1
    if int(value) > last:
        raise _beyond("sequence number", value, last)
    return int(value) + (not inclusive)


def _time(partition: Partition, value: str, inclusive: bool) -> int:
    return partition.at_time(int(value), inclusive=inclusive)


_POSITIONS: dict[str, Callable[[Partition, str, bool], int]] = {
    "x-opt-offset": _offset,
    "x-opt-sequence-number": _sequence,
    "x-opt-enqueued-time": _time,
}


def _beyond(what: str, value: str, last: int) -> Refused:
    return Refused(ARGUMENT, f"The supplied {what} '{value}' is invalid. The last {what} in the system is '{last}'")


def _unreadable(selector: str) -> Refused:
    return Refused(ARGUMENT, f"The filter '{selector}' is not a valid amqp filter for EventHub entities")
