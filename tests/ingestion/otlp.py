"""The part that takes OTLP: metric requests as protobuf, each histogram's data points taken in one by one."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING, Any

from google.protobuf.message import DecodeError  # type: ignore[import-untyped] # ships no types
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsPartialSuccess,
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.metrics.v1.metrics_pb2 import AGGREGATION_TEMPORALITY_DELTA

from ingestion.taken import Taken
from ingestion.validation import BadRequest

if TYPE_CHECKING:
    from collections.abc import Iterator

CONTENT_TYPE = "application/x-protobuf"
_MINUTE_NANOSECONDS = 60 * 1_000_000_000


def read_metrics(body: bytes, content_type: str, encoding: str) -> list[Taken]:
    """Return the data points of a request; raises BadRequest."""
    if content_type != CONTENT_TYPE:
        raise BadRequest(415, "expected protobuf")
    try:
        request = ExportMetricsServiceRequest.FromString(gzip.decompress(body) if encoding == "gzip" else body)
    except (DecodeError, OSError, EOFError) as error:
        raise BadRequest(400, "cannot be decoded") from error
    return list(_points(request))


def response(rejected: int = 0) -> bytes:
    """Return an answer that rejects so many data points."""
    partial = ExportMetricsPartialSuccess(rejected_data_points=rejected) if rejected else None
    return bytes(ExportMetricsServiceResponse(partial_success=partial).SerializeToString())


def _points(request: ExportMetricsServiceRequest) -> Iterator[Taken]:
    for resource in request.resource_metrics:
        tags = _plain(resource.resource.attributes)
        for scope in resource.scope_metrics:
            namespace = _plain(scope.scope.attributes).get("logcount.namespace", "")
            for metric in scope.metrics:
                if metric.histogram.aggregation_temporality != AGGREGATION_TEMPORALITY_DELTA:
                    raise BadRequest(400, "not a delta")
                for data in metric.histogram.data_points:
                    yield _point(metric, namespace, data, tags)


def _point(metric: Any, namespace: str, data: Any, tags: dict[str, str]) -> Taken:
    if data.time_unix_nano - data.start_time_unix_nano != _MINUTE_NANOSECONDS or data.bucket_counts:
        raise BadRequest(400, "not a minute, or in buckets")
    dimensions = _plain(data.attributes)
    record, number = dimensions.pop("logcount.record", None), dimensions.pop("logcount.point", None)
    return Taken(
        *(metric.name, namespace, str(data.start_time_unix_nano)),
        *(data.sum, data.count, data.min, data.max),
        dimensions=dimensions,
        record=record,
        number=int(number) if number is not None else None,
        tags={**tags, "unit": metric.unit},
    )


def _plain(attributes: Any) -> dict[str, str]:
    return {each.key: each.value.string_value for each in attributes}
