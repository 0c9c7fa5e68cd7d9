"""The namespace: its hubs, the links to them, and the rules by which links are had, stolen and lost.

Epochs, as the service's documents and error texts have them: a receiver with an owner level closes every receiver of
its partition and consumer group that has none or no higher one; below the level of one that is attached, or without a
level beside one that has it, a receiver is refused, with `amqp:link:stolen` too. At most five receivers without level.
"""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

from eventhub_peer.conditions import NOT_FOUND, OUT_OF_RANGE, STOLEN, TOO_MANY, Condition, Refused, no_such_entity
from eventhub_peer.faults import Faults
from eventhub_peer.positions import start_of
from eventhub_peer.readers import Reader, Sendings
from eventhub_peer.requests import CBS, MANAGEMENT, Answerer, Requests
from eventhub_peer.writers import Writer

if TYPE_CHECKING:
    from eventhub_peer.connection import Connection
    from eventhub_peer.encoding import Sent
    from eventhub_peer.faults import Answer
    from eventhub_peer.hubs import Hub, Partition
    from eventhub_peer.links import Link, Node

_MOST_READERS = 5
"""Receivers without owner level, of a partition and consumer group (event-hubs-quotas)."""
_CREDIT = 300
"""Messages that a client may send before the first is taken."""
_UNAUTHORISED = "amqp:unauthorized-access"

_READER = re.compile(r"(?P<hub>[^/]+)/ConsumerGroups/(?P<group>[^/]+)/Partitions/(?P<partition>[^/]+)", re.IGNORECASE)
_WRITER = re.compile(r"(?P<hub>[^/]+)(?:/Partitions/(?P<partition>[^/]+))?", re.IGNORECASE)
_REQUESTS = re.compile(rf"(?:[^/]+/)?(?P<node>{re.escape(CBS)}|{re.escape(MANAGEMENT)})")


def now() -> int:
    """Return the time in milliseconds since 1970."""
    return time.time_ns() // 1_000_000


class Broker:
    """One namespace."""

    def __init__(self) -> None:
        self.faults = Faults()
        self.connections: set[Connection] = set()
        self.sendings: list[Sendings] = []
        """All that was ever sent, by link."""
        self._hubs: dict[str, Hub] = {}
        self._readers: dict[tuple[str, str], list[Reader]] = {}
        self._writers: list[Writer] = []
        self._answerers: dict[tuple[Connection, str], Answerer] = {}

    def hub(self, name: str) -> Hub | None:
        """Return a hub, if it is there; case does not matter."""
        return self._hubs.get(name.lower())

    def add(self, hub: Hub) -> None:
        """Add a hub, or put it in the place of another."""
        self._hubs[hub.name.lower()] = hub

    def remove(self, name: str) -> None:
        """Remove a hub; its links are closed."""
        del self._hubs[name.lower()]
        self.detach(Condition(NOT_FOUND, f"The messaging entity '{name}' could not be found."), name)

    def detach(self, condition: Condition, hub: str | None = None, partition: str | None = None) -> int:
        """Close the links to a hub and partition, or to every one, on a condition; return how many."""
        chosen: list[Reader | Writer] = list(self.readers(hub, partition))
        for writer in self._writers:
            if writer.attached and (hub is None or writer.hub == hub.lower()) and partition in (None, writer.partition):
                chosen.append(writer)
        for node in chosen:
            node.link.close(condition)
            node.closed()
        return len(chosen)

    def readers(self, hub: str | None = None, partition: str | None = None) -> list[Reader]:
        """Return the receivers that are attached to a hub and partition, or to every one."""
        return [
            reader
            for (its_hub, its_partition), readers in self._readers.items()
            if (hub is None or its_hub == hub.lower()) and partition in (None, its_partition)
            for reader in readers
        ]

    def published(self, hub: Hub, partition: Partition) -> None:
        """Let the receivers of a partition know that there is more."""
        for reader in self._readers.get((hub.name.lower(), partition.id), ()):
            reader.link.connection.ready(reader)

    def put(self, hub: str, partition: str | None, events: list[Sent]) -> None:
        """Put the events of one message into a partition (see `writers.Inbox`)."""
        found = self._required(hub)
        chosen = self._partition(found, partition) if partition is not None else None
        if chosen is None and events:
            key = events[0].key
            chosen = found.by_turn() if key is None else found.by_key(key)
        if chosen is not None:
            for event in events:
                chosen.append(event.payload, now(), event.key)
            self.published(found, chosen)

    def false_answer(self, node: str) -> Answer | None:
        """Return the answer that a fault wants given, if any (see `requests.World`)."""
        return self.faults.answer(node)

    def joined(self, connection: Connection) -> None:
        """Learn of a connection (see `connection.Nodes`)."""
        self.connections.add(connection)

    def left(self, connection: Connection) -> None:
        """Learn that a connection is gone (see `connection.Nodes`)."""
        self.connections.discard(connection)
        self._writers = [writer for writer in self._writers if writer.attached]
        for node in (CBS, MANAGEMENT):
            self._answerers.pop((connection, node), None)

    def attach(self, link: Link) -> Node:
        """Find what a link leads to (see `connection.Nodes`)."""
        path = link.wish.path
        if found := _REQUESTS.fullmatch(path):
            return self._attach_requests(link, found["node"])
        if not link.connection.authorised:
            raise Refused(_UNAUTHORISED, f"Unauthorized access. No token was put for '{path}'.")
        if link.wish.outgoing and (found := _READER.fullmatch(path)):
            return self._attach_reader(link, found["hub"], found["group"], found["partition"])
        if not link.wish.outgoing and (found := _WRITER.fullmatch(path)):
            return self._attach_writer(link, found["hub"], found["partition"])
        raise no_such_entity(path)

    def _attach_requests(self, link: Link, node: str) -> Node:
        link.accept(_CREDIT)
        key = link.connection, node
        if not link.wish.outgoing:
            return Requests(link, node, lambda: self._answerers.get(key), self)
        self._answerers[key] = Answerer(link)
        return self._answerers[key]

    def _attach_writer(self, link: Link, name: str, partition: str | None) -> Node:
        self._pass(name, partition)
        hub = self._required(name)
        if partition is not None:
            self._partition(hub, partition)
        writer = Writer(link, hub.name.lower(), partition, self)
        self._writers.append(writer)
        link.accept(_CREDIT)
        return writer

    def _attach_reader(self, link: Link, name: str, group: str, identity: str) -> Node:
        self._pass(name, identity)
        hub = self._required(name)
        if hub.groups is not None and group.lower() not in hub.groups:
            raise no_such_entity(link.wish.path)
        partition = self._partition(hub, identity)
        start = start_of(partition, link.wish.selector) - self.faults.overlaps.get(hub.name.lower(), 0)
        key = hub.name.lower(), partition.id
        self._contend(key, group, link.wish.epoch)
        sendings = Sendings(hub.name, partition.id, group, link.connection.client, link.wish.epoch)
        readers = self._readers.setdefault(key, [])
        reader = Reader(
            link,
            partition,
            max(start, partition.begin),
            sendings,
            lambda: self.faults.pace(*key),
            readers.remove,
        )
        self.sendings.append(sendings)
        readers.append(reader)
        link.accept(0)
        return reader

    def _contend(self, key: tuple[str, str], group: str, epoch: int | None) -> None:
        """Make place for a receiver, or refuse it."""
        rivals = [one for one in self._readers.get(key, ()) if one.sendings.group.lower() == group.lower()]
        highest = max((level for one in rivals if (level := one.link.wish.epoch) is not None), default=None)
        if highest is not None and (epoch is None or epoch < highest):
            text = f"At least one receiver for the endpoint is created with epoch of '{highest}'"
            raise Refused(STOLEN, f"{text}, and so a receiver with epoch '{epoch}' is not allowed.")
        if epoch is None:
            if len(rivals) >= _MOST_READERS:
                text = "Exceeded the maximum number of allowed receivers per partition in a consumer group which is"
                raise Refused(TOO_MANY, f"{text} {_MOST_READERS}.")
            return
        for rival in rivals:
            text = f"New receiver with higher epoch of '{epoch}' is created hence current receiver"
            old = rival.link.wish.epoch
            rival.link.close(Condition(STOLEN, f"{text} with epoch '{old}' is getting disconnected."))
            rival.closed()

    def _pass(self, hub: str, partition: str | None) -> None:
        condition = self.faults.barrier(hub.lower(), partition)
        if condition is not None:
            raise Refused(condition.name, condition.text)

    def _required(self, name: str) -> Hub:
        hub = self.hub(name)
        if hub is None:
            raise no_such_entity(name)
        return hub

    def _partition(self, hub: Hub, identity: str) -> Partition:
        partition = hub.partition(identity)
        if partition is None:
            last = len(hub.partitions) - 1
            raise Refused(OUT_OF_RANGE, f"The specified partition is invalid. It should be between 0 and {last}.")
        return partition
