"""What the ingestion endpoint takes: the shape of requests and envelopes, their limits, and the window of time.

Messages are those that the service gives, where they are known.
"""

from __future__ import annotations

import gzip
import json
import re
import zlib
from datetime import UTC, datetime, timedelta
from typing import Any

from ingestion.taken import Taken

OLDEST = timedelta(hours=48)
NEWEST = timedelta(hours=2)
ITEM_BYTES = 64 * 1024
ITEMS_AT_MOST = 64_000
NAME_AT_MOST = 150
VALUE_AT_MOST = 8192
TAG_AT_MOST = {"ai.operation.id": 128, "ai.operation.parentId": 512, "ai.cloud.role": 256, "ai.cloud.roleInstance": 256}
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,7})?Z")


class BadRequest(Exception):
    """The request as such cannot be read: its status and why."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


class BadItem(Exception):
    """An item is refused: its status and message."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


def read_request(body: bytes, content_type: str, encoding: str) -> list[Any]:
    """Return the envelopes of a request; raises BadRequest."""
    if encoding not in {"", "gzip"}:
        raise BadRequest(415, "Unsupported content encoding")
    try:
        text = (gzip.decompress(body) if encoding else body).decode()
        if content_type.startswith("application/x-json-stream"):
            items = [json.loads(line) for line in text.splitlines() if line]
        elif content_type.startswith("application/json"):
            items = json.loads(text)
        else:
            raise BadRequest(415, "Unsupported content type")
    except (OSError, EOFError, zlib.error, ValueError) as error:
        raise BadRequest(400, "Invalid JSON") from error
    items = items if isinstance(items, list) else [items]
    if len(items) > ITEMS_AT_MOST:
        raise BadRequest(413, "Too many items")
    return items


def read_item(envelope: Any, keys: frozenset[str] | None, now: datetime) -> Taken:
    """Return what an envelope holds; raises BadItem."""
    _require(isinstance(envelope, dict), "109: Field 'envelope' is required")
    _require(len(json.dumps(envelope, ensure_ascii=False).encode()) <= ITEM_BYTES, "108: Item is too large")
    key = envelope.get("iKey")
    _require(isinstance(key, str) and (keys is None or key in keys), "Invalid instrumentation key")
    _require(bool(envelope.get("name")), "109: Field 'name' on type 'Envelope' is required but missing or empty.")
    _check_time(envelope.get("time"), now)
    data = envelope.get("data")
    _require(isinstance(data, dict) and data.get("baseType") == "MetricData", "109: Field 'baseType' is required")
    base = data.get("baseData")
    _require(isinstance(base, dict) and base.get("ver") == 2, "109: Field 'ver' on type 'MetricData' is required")
    tags = envelope.get("tags") or {}
    for name, value in tags.items():
        _require(isinstance(value, str) and len(value) <= TAG_AT_MOST.get(name, 1024), "105: Field 'tags' is too long")
    return _read_metric(envelope["time"], base, tags)


def _read_metric(time: str, base: dict[str, Any], tags: dict[str, str]) -> Taken:
    metrics = base.get("metrics")
    _require(isinstance(metrics, list) and len(metrics) == 1, "109: Field 'metrics' on type 'MetricData' is required")
    metric, properties = base["metrics"][0], dict(base.get("properties") or {})
    name = metric.get("name")
    _require(
        isinstance(name, str) and 0 < len(name) <= NAME_AT_MOST, "109: Field 'name' on type 'DataPoint' is required"
    )
    for field in ("value", "count", "min", "max"):
        _require(isinstance(metric.get(field), int | float), f"101: Field '{field}' on type 'DataPoint' is no number")
    for key, value in properties.items():
        _require(0 < len(key) <= NAME_AT_MOST, "105: Field 'properties' has a key that is too long")
        _require(isinstance(value, str) and len(value) <= VALUE_AT_MOST, "105: Field 'properties' has a long value")
    _require(properties.pop("_MS.AggregationIntervalMs", None) == "60000", "109: the interval is no minute")
    record, number = tags.get("ai.operation.id"), tags.get("ai.operation.parentId")
    return Taken(
        *(name, metric.get("ns") or "", time),
        *(metric["value"], metric["count"], metric["min"], metric["max"]),
        dimensions=properties,
        record=record,
        number=int(number) if number is not None else None,
        tags=tags,
    )


def _check_time(text: Any, now: datetime) -> None:
    field = "Field 'time' on type 'Envelope'"
    _require(isinstance(text, str) and _TIME.fullmatch(text) is not None, f"102: {field} is not a valid time string.")
    time = datetime.fromisoformat(text[:19]).replace(tzinfo=UTC)
    actual = int((now - time).total_seconds() * 1000)
    told = f"Expected: now {{}}ms, Actual: now {-actual:+}ms"
    old, new = int(OLDEST.total_seconds() * 1000), int(NEWEST.total_seconds() * 1000)
    _require(actual <= old, f"103: {field} is older than the allowed min date. {told.format(f'- {old}')}")
    _require(actual >= -new, f"104: {field} is newer than the max date. {told.format(f'+ {new}')}")


def _require(holds: bool, message: str) -> None:
    if not holds:
        raise BadItem(message)
