"""The sinks that a live count can send to: for each, the setting that selects it and the function that makes it."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from logcount import __version__
from logcount.errors import Misconfigured

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from azure.core.credentials_async import AsyncTokenCredential

    from logcount.ports import Sink
    from logcount.settings import Settings


@dataclass(frozen=True, slots=True)
class SinkEntry:
    """One sink."""

    make: Callable[[Settings, Callable[[], AsyncTokenCredential]], Sink]
    """Makes it from the settings and the identity; raises Misconfigured if a setting is missing or wrong."""
    wanted: Callable[[Settings], bool]
    """Whether the settings select it if no sink is named."""


def make_sinks(settings: Settings, named: Sequence[str], credential: Callable[[], AsyncTokenCredential]) -> list[Sink]:
    """Return the sinks with these names, else those of the settings.

    Raises:
        Misconfigured: there is no such sink, or its settings are missing.

    """
    names = named or settings.run.sinks or [name for name, row in SINKS.items() if row.wanted(settings)]
    if not names:
        raise Misconfigured(
            "no sink is set: APPLICATIONINSIGHTS_CONNECTION_STRING or otlp.endpoint; "
            'for none, `sinks = ["none"]` in [run]'
        )
    for name in names:
        if name not in SINKS:
            raise Misconfigured(f"run.sinks: {name!r} is no sink; expected {', '.join(SINKS)}")
    return [SINKS[name].make(settings, credential) for name in dict.fromkeys(names)]


def _appinsights(settings: Settings, credential: Callable[[], AsyncTokenCredential]) -> Sink:
    from logcount.sinks import AppInsightsSink, scope_of

    own = settings.appinsights
    if own.connection_string is None:
        raise Misconfigured("appinsights.connection_string (or APPLICATIONINSIGHTS_CONNECTION_STRING) is missing")
    secret = own.connection_string.get_secret_value()
    token = _token(credential(), scope_of(secret)) if own.identity else None
    return AppInsightsSink(secret, sender=_sender(settings), token=token, terms=_terms(own.requests_per_second))


def _otlp(settings: Settings, credential: Callable[[], AsyncTokenCredential]) -> Sink:
    from logcount.sinks import OtlpSink

    own = settings.otlp
    if own.endpoint is None:
        raise Misconfigured("otlp.endpoint is missing")
    headers = {name: value.get_secret_value() for name, value in own.headers.items()}
    return OtlpSink(own.endpoint, sender=_sender(settings), headers=headers, terms=_terms(own.requests_per_second))


def _none(settings: Settings, credential: Callable[[], AsyncTokenCredential]) -> Sink:
    from logcount.sinks.none import NoSink

    return NoSink()


SINKS = {
    "appinsights": SinkEntry(_appinsights, lambda settings: settings.appinsights.connection_string is not None),
    "otlp": SinkEntry(_otlp, lambda settings: settings.otlp.endpoint is not None),
    "none": SinkEntry(_none, lambda settings: False),
}
"""By the name used in `--sink`, `run.sinks` and the sink's cursor."""


def _token(credential: AsyncTokenCredential, scope: str) -> Callable[[], Awaitable[str]]:
    async def token() -> str:
        return (await credential.get_token(scope)).token

    return token


def _sender(settings: Settings) -> Any:
    from logcount.sinks import Sender

    instance = os.environ.get("CONTAINER_APP_REPLICA_NAME") or socket.gethostname()
    return Sender(role=settings.appinsights.role, instance=instance, version=__version__)


def _terms(rate: int) -> Any:
    from logcount.sinks import Terms

    return Terms(rate=rate)
