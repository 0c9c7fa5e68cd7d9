"""Points of a ledger, as sinks get them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from fast_clock import NOW

from logcount.model.points import TOTAL, Item, Point
from logcount.sinks import Sender

RECORD = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
CANARY = "CANARYcanary7319"
"""A dimension's value, which no answer, trouble or mark may show."""
SENDER = Sender("logcount", "logcount--abc-0", "0.1.0")
KEY = "00000000-0000-0000-0000-000000000001"


def point(**changes: Any) -> Point:
    """Return a point of 37 exchanges two minutes ago."""
    given = {
        "namespace": "API Management",
        "metric": TOTAL,
        "minute": datetime(NOW.year, NOW.month, NOW.day, NOW.hour, NOW.minute - 2, tzinfo=UTC),
        "dimensions": (("API ID", "openai"), ("Model", "llama3"), ("Team", CANARY)),
        "sum": 4210,
        "count": 37,
        "min": 12,
        "max": 901,
    }
    return Point(**{**given, **changes})


def items(count: int, record: str = RECORD, **changes: Any) -> list[Item]:
    """Return so many points of one record, numbered from 0."""
    return [Item(record, number, point(**changes)) for number in range(count)]
