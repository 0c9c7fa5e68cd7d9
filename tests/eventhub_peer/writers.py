"""A sender's link: takes single events and batches, to a partition, by partition key, or to each partition in turn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from eventhub_peer.conditions import DETACH_FORCED, Refused
from eventhub_peer.encoding import read_sent

if TYPE_CHECKING:
    from eventhub_peer.encoding import Sent
    from eventhub_peer.links import Link


class Inbox(Protocol):
    """Where events are put."""

    def put(self, hub: str, partition: str | None, events: list[Sent]) -> None:
        """Put the events of one message into a partition, or wherever their key or their turn leads."""


class Writer:
    """A sender's link to a hub, or to one partition of it."""

    def __init__(self, link: Link, hub: str, partition: str | None, inbox: Inbox) -> None:
        self.link = link
        self.hub = hub
        self.partition = partition
        self.attached = True
        self._inbox = inbox

    def received(self, message: bytes, message_format: int) -> None:
        """Keep the events of a message (see `links.Node`)."""
        if not self.attached:  # it was sent before the client knew
            raise Refused(DETACH_FORCED, "The link is closed.")
        self._inbox.put(self.hub, self.partition, read_sent(message, message_format))

    def pump(self) -> bool:
        """Send nothing: messages come the other way."""
        return False

    def closed(self) -> None:
        """End (see `links.Node`)."""
        self.attached = False
