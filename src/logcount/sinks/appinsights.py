"""Application Insights: posts each point as one metric envelope to the ingestion endpoint.

OpenCensus is retired; only the protocol classes of its Azure exporter are used, which open no connection and start no
thread. One metric per envelope: the service keeps the first and drops the others.
"""

from __future__ import annotations

import json
import sys
from datetime import UTC, timedelta
from typing import TYPE_CHECKING, Any

from opencensus.ext.azure.common.protocol import (  # type: ignore[import-untyped] # ships no types
    Data,
    DataPoint,
    Envelope,
    MetricData,
)

from logcount.model.points import Item
from logcount.sinks.clock import Clock, Terms
from logcount.sinks.connection_string import parse_connection_string
from logcount.sinks.delivery import DeliveringSink
from logcount.sinks.http_client import HttpClient
from logcount.sinks.outcomes import judge
from logcount.sinks.routes import Route

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Sequence
    from datetime import datetime

    from logcount.model.points import Point
    from logcount.sinks.clock import Sender
    from logcount.sinks.outcomes import HttpResponse, Verdict

OLDEST = timedelta(hours=47)
"""The service accepts points up to 48 hours old; one hour is left for clock differences and waiting requests."""
AZURE_DOMAINS = (
    *("applicationinsights.azure.com", "applicationinsights.azure.us", "applicationinsights.azure.cn"),
    *("monitor.azure.com", "monitor.azure.us", "monitor.azure.cn", "services.visualstudio.com"),
)
"""Domains to which Azure's own exporter follows redirects (azure-monitor-opentelemetry-exporter 1.0.0b58)."""
ITEMS_AT_MOST = 500
"""Per request. The service accepts 64,000, but failed items are sent again, and refused ones are found by halving."""
BYTES_AT_MOST = 1_000_000
"""Per request, uncompressed. No limit is documented; the log ingestion endpoint's is 1 MB."""

_PATH = "/v2.1/track"
_NAME = "Microsoft.ApplicationInsights.Metric"
_INTERVAL = {"_MS.AggregationIntervalMs": "60000"}
"""A point is the sum of one minute."""


class AppInsightsSink(DeliveringSink):
    """Sends points to Application Insights: at least once.

    Every item is accepted by the service or returned in a mark: `late` if it is older than 47 hours when it is sent. A
    lost answer causes a repeat, which a query can detect and remove: the item's record is `ai.operation.id`, its number
    `ai.operation.parentId`.
    """

    name = "appinsights"

    def __init__(
        self,
        connection_string: str,
        *,
        sender: Sender,
        token: Callable[[], Awaitable[str]] | None = None,
        terms: Terms | None = None,
        allowed_redirects: Iterable[str] = AZURE_DOMAINS,
        clock: Clock | None = None,
    ) -> None:
        """Prepare the sink, without connecting.

        `token` is called before each request, so it must cache tokens; `allowed_redirects` are domains.

        Raises:
            Misconfigured: the connection string is wrong, or a token would be sent unencrypted.

        """
        where, terms = parse_connection_string(connection_string), terms or Terms()
        route = Route(where.endpoint, _PATH, allowed_redirects)
        client = HttpClient(route, terms, {"Content-Type": "application/json"}, token)
        super().__init__(_Track(where.key, sender), client, clock or Clock(), terms.oldest or OLDEST)


class _Track:
    """The protocol: a JSON array of envelopes."""

    def __init__(self, key: str, sender: Sender) -> None:
        self._key = key
        python = f"py{sys.version_info.major}.{sys.version_info.minor}"
        self._tags = {
            "ai.cloud.role": sender.role,
            "ai.cloud.roleInstance": sender.instance,
            "ai.internal.sdkVersion": f"{python}:logcount{sender.version}",
        }

    def write(self, entries: Sequence[Item | Point]) -> tuple[bytes, int]:
        """Write as many envelopes as one request may hold."""
        written: list[bytes] = []
        room = BYTES_AT_MOST - len("[]")
        for entry in entries[:ITEMS_AT_MOST]:
            envelope = _encode(self._envelope(entry))
            room -= len(envelope) + len(",")
            if room < 0 and written:
                break
            written.append(envelope)
        return b"[" + b",".join(written) + b"]", len(written)

    def judge(self, answer: HttpResponse, count: int, now: datetime) -> Verdict:
        """Judge each item."""
        return judge(answer, count, now)

    def _envelope(self, entry: Item | Point) -> Any:
        point = entry.point if isinstance(entry, Item) else entry
        tags = self._tags
        if isinstance(entry, Item):
            tags = {**tags, "ai.operation.id": entry.record, "ai.operation.parentId": str(entry.number)}
        metric = DataPoint(
            ns=point.namespace,
            name=point.metric,
            kind="Aggregation",
            value=point.sum,
            count=point.count,
            min=point.min,
            max=point.max,
        )
        properties = {**dict(point.dimensions), **_INTERVAL}
        return Envelope(
            name=_NAME,
            time=f"{point.minute.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
            iKey=self._key,
            tags=tags,
            data=Data(baseType="MetricData", baseData=MetricData(metrics=[metric], properties=properties)),
        )


def _encode(envelope: Any) -> bytes:
    # Half a surrogate pair has no UTF-8: write a question mark, else the service refuses the whole request.
    return json.dumps(envelope, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
