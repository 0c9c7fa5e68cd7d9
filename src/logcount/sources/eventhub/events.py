"""Converts events of Azure's SDK to log events."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from azure.eventhub.amqp import AmqpMessageBodyType

from logcount.model.events import LogEvent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from azure.eventhub import EventData
    from azure.eventhub.amqp import AmqpAnnotatedMessage

_NUMBER, _ENQUEUED, _OFFSET = b"x-opt-sequence-number", b"x-opt-enqueued-time", b"x-opt-offset"
"""The broker's annotations of an event; the time is in milliseconds since 1970."""


def log_events(source: str, events: Sequence[EventData]) -> list[LogEvent]:
    """Return the events of a batch, in its order."""
    return [_log_event(source, event) for event in events]


def _log_event(source: str, event: EventData) -> LogEvent:
    """Read the message itself: each property of `EventData` would look up the annotations again."""
    message = event.raw_amqp_message
    annotations = message.annotations or {}
    number, milliseconds = annotations.get(_NUMBER), annotations.get(_ENQUEUED)
    offset: Any = annotations.get(_OFFSET)
    data, problem = _bytes_of(message)
    return LogEvent(
        data,
        source,
        -1 if number is None else number,
        None if milliseconds is None else datetime.fromtimestamp(milliseconds / 1000, UTC),
        problem,
        offset=offset.decode() if isinstance(offset, bytes) else offset,
    )


def _bytes_of(message: AmqpAnnotatedMessage) -> tuple[bytes, str | None]:
    """Return the body, or why there is none: an AMQP body can also be a value, such as a text."""
    body: Any = message.body
    if message.body_type is AmqpMessageBodyType.DATA:
        return b"".join(body), None
    if isinstance(body, str | bytes):
        return body.encode() if isinstance(body, str) else body, None
    return b"", "the event's body is not bytes"
