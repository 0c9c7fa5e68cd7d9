"""OTLP over HTTP: sends points as histograms to any collector or vendor that accepts OpenTelemetry metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING

from logcount.errors import Misconfigured
from logcount.sinks.clock import Clock, Terms
from logcount.sinks.delivery import DeliveringSink
from logcount.sinks.http_client import HttpClient
from logcount.sinks.routes import Route, check_endpoint

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from logcount.sinks.clock import Sender
    from logcount.sinks.delivery import Dialect

_PATH = "/v1/metrics"
_OURS = {"content-type", "content-encoding", "content-length", "host"}


class OtlpSink(DeliveringSink):
    """Sends points to an OTLP endpoint: at least once, if the endpoint accepts whole requests.

    A repeat carries the same `logcount.record` and `logcount.point`. An endpoint that accepts only some points of a
    request does not say which: all points of that request are marked as refused. By default there is no age limit.
    """

    name = "otlp"

    def __init__(
        self,
        endpoint: str,
        *,
        sender: Sender,
        headers: Mapping[str, str] | None = None,
        token: Callable[[], Awaitable[str]] | None = None,
        terms: Terms | None = None,
        clock: Clock | None = None,
    ) -> None:
        """Prepare the sink, without connecting.

        The endpoint is the base URL (`https://collector:4318`) or the whole URL, which ends in /v1/metrics; `headers`
        may contain a vendor's key. `token` is called before each request, so it must cache tokens.

        Raises:
            Misconfigured: the endpoint is wrong, a token would be unencrypted, or the extra `otlp` is not installed.

        """
        base = check_endpoint(endpoint, "the OTLP endpoint").removesuffix(_PATH)
        terms = terms or Terms()
        kept = {name: value for name, value in (headers or {}).items() if name.lower() not in _OURS}
        client = HttpClient(Route(base, _PATH), terms, {**kept, "Content-Type": "application/x-protobuf"}, token)
        super().__init__(_dialect(sender), client, clock or Clock(), terms.oldest)


def _dialect(sender: Sender) -> Dialect:
    try:
        from logcount.sinks.otlp_messages import OtlpMetrics  # noqa: PLC0415 - an optional extra
    except ModuleNotFoundError:
        raise Misconfigured("the OTLP sink needs a package that is not here: pip install logcount[otlp]") from None
    return OtlpMetrics(sender)
