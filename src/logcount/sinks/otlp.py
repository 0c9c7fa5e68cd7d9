"""OTLP over HTTP: points as histograms for any collector or vendor that takes OpenTelemetry's metrics."""

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
    """Sends points to an OTLP endpoint: at least once, where it says that it took them all.

    A repeat carries the same `logcount.record` and `logcount.point`. Where an endpoint takes a part of a request it
    does not say which: then all of that request are marked as refused. No age is too old, unless the terms say so.
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
        """Connect to nothing yet.

        The endpoint is the base (`https://collector:4318`) or the whole URL, which ends in /v1/metrics; `headers` may
        hold a vendor's key. `token` is asked before each request, so that it must keep what it got.

        Raises:
            Misconfigured: the endpoint is wrong, a token would travel in clear, or the extra `otlp` is not installed.

        """
        base = check_endpoint(endpoint, "the OTLP endpoint").removesuffix(_PATH)
        terms = terms or Terms()
        kept = {name: value for name, value in (headers or {}).items() if name.lower() not in _OURS}
        client = HttpClient(Route(base, _PATH), terms, {**kept, "Content-Type": "application/x-protobuf"}, token)
        super().__init__(_dialect(sender), client, clock or Clock(), terms.oldest)


def _dialect(sender: Sender) -> Dialect:
    try:
        from logcount.sinks.otlp_messages import OtlpMetrics  # noqa: PLC0415 - the messages are an extra
    except ModuleNotFoundError:
        raise Misconfigured("the OTLP sink needs a package that is not here: pip install logcount[otlp]") from None
    return OtlpMetrics(sender)
