"""One end of an AMQP link, with what Event Hubs reads from it, and what a link can lead to.

Messages go out settled, as the service sends them to receivers of this SDK; they leave in the bytes that they were kept
in. This and `connection` are the only modules that move Proton's engine.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

import cproton  # type: ignore[import-untyped]  # it ships no types
import proton  # type: ignore[import-untyped]

if TYPE_CHECKING:
    from eventhub_peer.conditions import Condition
    from eventhub_peer.connection import Connection

_SELECTOR = "apache.org:selector-filter:string"
_EPOCH = "com.microsoft:epoch"
_METRICS = "com.microsoft:enable-receiver-runtime-metric"
_LARGEST = 1024 * 1024
"""The largest message of the Standard tier and up, in bytes (event-hubs-quotas)."""

_send, _deliver, _settle = cproton.pn_link_send, cproton.pn_delivery, cproton.pn_delivery_settle


class Node(Protocol):
    """What a link leads to."""

    def pump(self) -> bool:
        """Send what may be sent now; return whether there is more that may go at once."""

    def received(self, message: bytes, message_format: int) -> None:
        """Take a whole message.

        Raises:
            Refused: The message is rejected.
        """

    def closed(self) -> None:
        """Learn that the link is gone."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What a client asks for when it attaches a link."""

    path: str
    """The address, without scheme and host."""
    outgoing: bool
    """Whether messages go from the peer to the client."""
    selector: str | None
    epoch: int | None
    metrics: bool
    """Whether the client desires to be told of the partition's last event."""


class Link:
    """The peer's end of a link."""

    def __init__(self, end: proton.Link, connection: Connection, capabilities: frozenset[str]) -> None:
        self.connection = connection
        self.wish = _wish(end, capabilities)
        self._end = end
        self._impl = end._impl
        self._tags = itertools.count()

    def accept(self, credit: int) -> None:
        """Attach it, and let the client send so many messages."""
        self._end.source.copy(self._end.remote_source)
        self._end.target.copy(self._end.remote_target)
        if not self.wish.outgoing:
            self._end.max_message_size = _LARGEST
        self._end.open()
        if not self.wish.outgoing:
            self._end.flow(credit)

    def close(self, condition: Condition | None = None) -> None:
        """Close it, with an error if there is a condition; without having accepted it, that refuses it."""
        if self._end.state & proton.Endpoint.LOCAL_UNINIT:
            self._end.open()
        if condition is not None:
            self._end.condition = proton.Condition(condition.name, condition.text)
        self._end.close()
        self.connection.wake()

    @property
    def credit(self) -> int:
        """How many messages the client still takes."""
        return int(self._end.credit)

    def send(self, message: bytes) -> None:
        """Send an encoded message, settled; there must be credit."""
        delivery = _deliver(self._impl, next(self._tags).to_bytes(8, "big"))
        _send(self._impl, message)
        _settle(delivery)

    def grant(self) -> None:
        """Let the client send one message more."""
        self._end.flow(1)


def _wish(end: proton.Link, capabilities: frozenset[str]) -> Wish:
    outgoing = bool(end.is_sender)
    address = (end.remote_source if outgoing else end.remote_target).address or ""
    parts = urlsplit(address)
    return Wish(
        path=(parts.path if parts.scheme else address).strip("/"),
        outgoing=outgoing,
        selector=_selector(end) if outgoing else None,
        epoch=(end.remote_properties or {}).get(_EPOCH),
        metrics=_METRICS in capabilities,
    )


def _selector(end: proton.Link) -> str | None:
    filters = end.remote_source.filter
    filters.rewind()
    if filters.next() is None:
        return None
    found = (filters.get_object() or {}).get(proton.symbol(_SELECTOR))
    return None if found is None else str(found.value if isinstance(found, proton.Described) else found)
