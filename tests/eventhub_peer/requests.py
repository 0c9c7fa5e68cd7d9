"""The two nodes that answer requests: `$cbs` takes tokens, and `$management` tells of hubs and partitions.

A request comes over one link and its answer goes over another, of the same address and connection. Names and types of
what is told are those that the SDK reads; an empty partition tells -1 and the first day of the year 1.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Protocol

import proton  # type: ignore[import-untyped]  # it ships no types

if TYPE_CHECKING:
    from collections.abc import Callable

    from eventhub_peer.faults import Answer
    from eventhub_peer.hubs import Hub, Partition
    from eventhub_peer.links import Link

CBS = "$cbs"
MANAGEMENT = "$management"

_ACCEPTED, _OK, _BAD, _MISSING = 202, 200, 400, 404


class Answerer:
    """The link over which answers go."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._answers: deque[bytes] = deque()

    def answer(self, request: proton.Message, status: int, text: str, body: proton.PythonAMQPData = None) -> None:
        """Answer a request."""
        message = proton.Message(body=body, correlation_id=request.id)
        message.properties = {"status-code": proton.int32(status), "status-description": text}
        self._answers.append(bytes(message.encode()))
        self._link.connection.ready(self)

    def pump(self) -> bool:
        """Send the answers that there is credit for (see `links.Node`)."""
        while self._answers and self._link.credit > 0:
            self._link.send(self._answers.popleft())
        return False

    def received(self, message: bytes, message_format: int) -> None:
        """Take nothing: messages go the other way."""

    def closed(self) -> None:
        """End (see `links.Node`)."""


class World(Protocol):
    """What requests are about."""

    def hub(self, name: str) -> Hub | None:
        """Return a hub, if it is there."""

    def false_answer(self, node: str) -> Answer | None:
        """Return the answer that a fault wants given, if any."""


class Requests:
    """The link over which requests come."""

    def __init__(self, link: Link, node: str, answerer: Callable[[], Answerer | None], world: World) -> None:
        self._link = link
        self._node = node
        self._answerer = answerer
        self._world = world

    def received(self, message: bytes, message_format: int) -> None:
        """Answer a request (see `links.Node`)."""
        request = proton.Message()
        request.decode(message)
        answerer = self._answerer()
        if answerer is None:  # nobody listens for the answer
            return
        false = self._world.false_answer(self._node)
        if false is not None:
            answerer.answer(request, false.status, false.text)
        elif self._node == CBS:
            self._link.connection.authorised = True
            answerer.answer(request, _ACCEPTED, "Accepted")
        else:
            self._tell(request, answerer)

    def _tell(self, request: proton.Message, answerer: Answerer) -> None:
        asked = request.properties or {}
        hub = self._world.hub(_text(asked.get("name")))
        kind = _text(asked.get("type"))
        if hub is None:
            answerer.answer(request, _MISSING, "The messaging entity could not be found.")
        elif kind == "com.microsoft:eventhub":
            answerer.answer(request, _OK, "OK", _of_hub(hub))
        elif kind == "com.microsoft:partition":
            partition = hub.partition(_text(asked.get("partition")))
            if partition is None:
                answerer.answer(request, _BAD, "The specified partition is invalid.")
            else:
                answerer.answer(request, _OK, "OK", _of_partition(hub, partition))
        else:
            answerer.answer(request, _BAD, "The operation is not known.")

    def pump(self) -> bool:
        """Send nothing: messages come the other way."""
        return False

    def closed(self) -> None:
        """End (see `links.Node`)."""


def _of_hub(hub: Hub) -> dict[str, proton.PythonAMQPData]:
    ids = [partition.id for partition in hub.partitions]
    return {
        "name": hub.name,
        "type": "com.microsoft:eventhub",
        "created_at": proton.timestamp(hub.created),
        "partition_count": proton.int32(len(ids)),
        "partition_ids": proton.Array(proton.UNDESCRIBED, proton.Data.STRING, *ids),
    }


def _of_partition(hub: Hub, partition: Partition) -> dict[str, proton.PythonAMQPData]:
    return {
        "name": hub.name,
        "type": "com.microsoft:partition",
        "partition": partition.id,
        "begin_sequence_number": partition.begin,
        "last_enqueued_sequence_number": partition.end - 1,
        "last_enqueued_offset": str(partition.last_offset),
        "last_enqueued_time_utc": proton.timestamp(partition.last_enqueued),
        "is_partition_empty": partition.begin == partition.end,
    }


def _text(value: object) -> str:
    """Return a text that may have come as bytes."""
    if isinstance(value, bytes | memoryview):
        return bytes(value).decode()
    return "" if value is None else str(value)
