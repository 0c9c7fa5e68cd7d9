"""Writes points as OTLP messages and interprets an OTLP endpoint's answers; needs the extra `otlp`.

The protocol: https://opentelemetry.io/docs/specs/otlp/ (OTLP/HTTP, binary). The convention for generative AI:
https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-metrics/. Three of its attributes are left out: a point has no
operation and no provider, and no requested model, since `Model` is the model that answered wherever that is known.
"""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING

from google.protobuf.message import DecodeError  # type: ignore[import-untyped] # ships no types
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope, KeyValue
from opentelemetry.proto.metrics.v1.metrics_pb2 import (
    AGGREGATION_TEMPORALITY_DELTA,
    Histogram,
    HistogramDataPoint,
    Metric,
    ResourceMetrics,
    ScopeMetrics,
)
from opentelemetry.proto.resource.v1.resource_pb2 import Resource

from logcount.model.points import (
    COMPLETION,
    EVENTS_BEHIND,
    EXACT,
    FOLDED,
    PROMPT,
    REJECTED,
    SECONDS_BEHIND,
    UNCOUNTED,
    Item,
)
from logcount.sinks.outcomes import ItemFate, Verdict, judge_status
from logcount.sinks.pauses import RetryDelay

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from logcount.model.points import Point
    from logcount.sinks.clock import Sender
    from logcount.sinks.outcomes import HttpResponse

_ITEMS_AT_MOST = 500
"""Per request; each may make two data points."""
_BYTES_AT_MOST = 1_000_000
"""Per request; by default, collectors accept 4 MiB or more."""
_MINUTE = timedelta(minutes=1)
_TOKENS = "{token}"
_UNITS = {
    UNCOUNTED: "{exchange}",
    FOLDED: "{exchange}",
    REJECTED: "{event}",
    EVENTS_BEHIND: "{event}",
    EXACT: "1",
    SECONDS_BEHIND: "s",
}
"""The units of metrics; all others are tokens."""
_GEN_AI = "gen_ai.client.token.usage"
_GEN_AI_TYPES = {PROMPT: "input", COMPLETION: "output"}
_GEN_AI_MODEL = "gen_ai.response.model"
_MODEL = "Model"


class OtlpMetrics:
    """The protocol: histograms with one data point per point, and one more for tokens by the convention."""

    def __init__(self, sender: Sender) -> None:
        self._version = sender.version
        named = {
            "service.name": sender.role,
            "service.instance.id": sender.instance,
            "service.version": sender.version,
        }
        self._resource = Resource(attributes=[_attribute(name, value) for name, value in named.items()])

    def write(self, entries: Sequence[Item | Point]) -> tuple[bytes, int]:
        """Write as many points as one request may hold."""
        metrics: dict[tuple[str, str], Histogram] = {}
        scopes: dict[str, ScopeMetrics] = {}
        room, count = _BYTES_AT_MOST, 0
        for entry in entries[:_ITEMS_AT_MOST]:
            made = list(_data_points(entry))
            room -= sum(data.ByteSize() for _, data in made)
            if room < 0 and count:
                break
            namespace = (entry.point if isinstance(entry, Item) else entry).namespace
            for name, data in made:
                if (namespace, name) not in metrics:
                    scope = scopes.setdefault(namespace, self._scope(namespace))
                    metrics[namespace, name] = _add_histogram(scope, name)
                metrics[namespace, name].data_points.append(data)
            count += 1
        resource = ResourceMetrics(resource=self._resource, scope_metrics=scopes.values())
        return ExportMetricsServiceRequest(resource_metrics=[resource]).SerializeToString(), count

    def judge(self, answer: HttpResponse, count: int, now: datetime) -> Verdict:
        """Judge all points of a request alike: the protocol gives no answer per point.

        If some data points are rejected, the answer does not say which, and the protocol forbids a retry: all points of
        the request are marked as refused, with the number rejected. After a configuration or server error, where the
        protocol would drop points, they are kept and sent again. After a 400 or 413 the request is sent again in
        halves.
        """
        if not 200 <= answer.status < 300:
            return judge_status(answer, count, now)
        rejected = _rejected(answer)
        if rejected is None:
            trouble = f"{answer.status} from {answer.host}: configuration: this is no answer of an OTLP endpoint"
            return Verdict((ItemFate("again"),) * count, delay=RetryDelay.SLOWLY, whole=True, trouble=trouble)
        if rejected > 0:
            said = f"{answer.status}: {rejected} data points of {count} points were rejected, and which is not said"
            return Verdict((ItemFate("refused", said),) * count)
        return Verdict((ItemFate("accepted"),) * count)

    def _scope(self, namespace: str) -> ScopeMetrics:
        attributes = [_attribute("logcount.namespace", namespace)]
        return ScopeMetrics(scope=InstrumentationScope(name="logcount", version=self._version, attributes=attributes))


def _data_points(entry: Item | Point) -> Iterator[tuple[str, HistogramDataPoint]]:
    point = entry.point if isinstance(entry, Item) else entry
    attributes = [_attribute(name, value) for name, value in point.dimensions]
    if isinstance(entry, Item):
        attributes += [_attribute("logcount.record", entry.record), _attribute("logcount.point", str(entry.number))]
    data = HistogramDataPoint(
        attributes=attributes,
        start_time_unix_nano=_nanoseconds(point.minute),
        time_unix_nano=_nanoseconds(point.minute + _MINUTE),
        count=point.count,
        sum=point.sum,
        min=point.min,
        max=point.max,
    )
    yield point.metric, data
    if point.metric in _GEN_AI_TYPES and point.set == 0:
        conventional = HistogramDataPoint()
        conventional.CopyFrom(data)
        conventional.attributes.append(_attribute("gen_ai.token.type", _GEN_AI_TYPES[point.metric]))
        model = dict(point.dimensions).get(_MODEL)
        if model is not None:
            conventional.attributes.append(_attribute(_GEN_AI_MODEL, model))
        yield _GEN_AI, conventional


def _add_histogram(scope: ScopeMetrics, name: str) -> Histogram:
    histogram = Histogram(aggregation_temporality=AGGREGATION_TEMPORALITY_DELTA)
    metric = Metric(name=_clean(name), unit=_UNITS.get(name, _TOKENS), histogram=histogram)
    scope.metrics.append(metric)
    added: Histogram = scope.metrics[-1].histogram
    return added


def _attribute(name: str, value: str) -> KeyValue:
    return KeyValue(key=_clean(name), value=AnyValue(string_value=_clean(value)))


def _clean(text: str) -> str:
    """Return a text that can be encoded as UTF-8: half a surrogate pair cannot, and a message refuses it."""
    return text.encode("utf-8", "replace").decode()


def _nanoseconds(time: datetime) -> int:
    return max(int(time.timestamp()), 0) * 1_000_000_000  # the field has no sign


def _rejected(answer: HttpResponse) -> int | None:
    """Return how many data points an answer says were rejected; None if it is no answer of the protocol."""
    if "json" in answer.headers.get("content-type", ""):  # some endpoints answer in JSON to any request
        return _rejected_by_json(answer.body)
    try:
        return int(ExportMetricsServiceResponse.FromString(answer.body).partial_success.rejected_data_points)
    except DecodeError:
        return None


def _rejected_by_json(body: bytes) -> int | None:
    try:
        document = json.loads(body or b"{}")
        partial = document.get("partialSuccess") or {}
        return int(partial.get("rejectedDataPoints") or 0)
    except (ValueError, TypeError, AttributeError, RecursionError):
        return None
