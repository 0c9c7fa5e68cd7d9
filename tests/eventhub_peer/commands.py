"""What the control socket can ask for: a table of functions over the server, and their arguments by name."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eventhub_peer import arrivals
from eventhub_peer.broker import now
from eventhub_peer.conditions import Condition
from eventhub_peer.encoding import data_section
from eventhub_peer.faults import Answer, Barrier, Faults, Pace
from eventhub_peer.hubs import Hub, Partition

if TYPE_CHECKING:
    from collections.abc import Callable

    from eventhub_peer.server import Server

MARK = b"{{number}}"
"""What stands in a template for the number of the event."""


class Desk:
    """Takes commands for a server; what each does is said where it is asked for, in `client.Peer`."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._broker = server.broker
        self._progress: dict[str, arrivals.Progress] = {}

    def answer(self, command: str, arguments: dict[str, Any], attached: bytes) -> object:
        """Do what is asked, and return what is to be told, as JSON has it.

        Raises:
            Exception: It could not be done, or the arguments do not fit.
        """
        return _COMMANDS[command](self, **arguments, **({"attached": attached} if attached else {}))

    def create_hub(
        self, name: str, partitions: int, created_at: int | None = None, groups: list[str] | None = None
    ) -> None:
        known = None if groups is None else frozenset(group.lower() for group in groups)
        hub = Hub(name, now() if created_at is None else created_at, [], known)
        hub.grow(partitions)
        self._broker.add(hub)

    def delete_hub(self, name: str) -> None:
        self._broker.remove(name)

    def recreate_hub(self, name: str, created_at: int | None = None) -> None:
        old = self._hub(name)
        self._broker.remove(name)
        groups = None if old.groups is None else list(old.groups)
        self.create_hub(old.name, len(old.partitions), created_at, groups)

    def add_partitions(self, hub: str, count: int) -> None:
        self._hub(hub).grow(count)

    def publish(
        self,
        hub: str,
        partition: str | None,
        sizes: list[int],
        enqueued: int | list[int] | None = None,
        key: str | None = None,
        attached: bytes = b"",
    ) -> None:
        times = enqueued if isinstance(enqueued, list) else [now() if enqueued is None else enqueued] * len(sizes)
        bodies = memoryview(attached)
        for size, moment in zip(sizes, times, strict=True):
            self._target(hub, partition, key).append(data_section(bytes(bodies[:size])), moment, key)
            bodies = bodies[size:]
        self._tell(hub)

    def generate(self, hub: str, partition: str | None, count: int, first: int, attached: bytes = b"") -> None:
        fixed = None if MARK in attached else data_section(attached)
        moment = now()
        for number in range(first, first + count):
            payload = data_section(attached.replace(MARK, b"%d" % number)) if fixed is None else fixed
            self._target(hub, partition, None).append(payload, moment)
        self._tell(hub)

    def play(self, hub: str, schedule: str, speed: float) -> int:
        found = self._hub(hub)
        plan = arrivals.read(Path(schedule), found)
        self._progress[hub.lower()] = arrivals.Progress(len(plan))
        self._server.start(arrivals.play(self._broker, found, plan, speed, self._progress[hub.lower()]))
        return len(plan)

    def played(self, hub: str) -> object:
        return asdict(self._progress[hub.lower()])

    def expire(self, hub: str, partition: str, before_sequence: int) -> None:
        self._partition(hub, partition).expire(before_sequence)

    def drop_events(self, hub: str, partition: str, sequences: list[int]) -> int:
        return self._partition(hub, partition).drop(frozenset(sequences))

    def end(self, hub: str) -> object:
        return {partition.id: partition.end - 1 for partition in self._hub(hub).partitions}

    def delivered(self, hub: str) -> object:
        return [asdict(one) for one in self._broker.sendings if one.hub.lower() == hub.lower()]

    def connections(self) -> int:
        return len(self._broker.connections)

    def drop_connections(self) -> int:
        return self._server.drop()

    def refuse_connections(self, seconds: float) -> None:
        self._server.refuse(seconds)

    def detach(self, condition: str, text: str, hub: str | None, partition: str | None) -> int:
        return self._broker.detach(Condition(condition, text), hub, partition)

    def refuse_links(
        self, condition: str, text: str, hub: str | None, partition: str | None, times: int | None
    ) -> None:
        name = None if hub is None else hub.lower()
        self._faults.barriers.append(Barrier(Condition(condition, text), name, partition, times))

    def slow(self, hub: str | None, partition: str | None, delay: float, rate: float | None) -> None:
        self._faults.paces[None if hub is None else hub.lower(), partition] = Pace(delay, rate)
        self._poke()

    def rewind(self, hub: str, partition: str | None, events: int) -> int:
        readers = self._broker.readers(hub, partition)
        for reader in readers:
            reader.rewind(events)
        return len(readers)

    def overlap(self, hub: str, events: int) -> None:
        self._faults.overlaps[hub.lower()] = events

    def answer_falsely(self, node: str, status: int, text: str, times: int | None) -> None:
        self._faults.answers[node] = Answer(status, text, times)

    def heal(self) -> None:
        self._broker.faults = Faults()
        self._poke()

    @property
    def _faults(self) -> Faults:
        return self._broker.faults

    def _hub(self, name: str) -> Hub:
        hub = self._broker.hub(name)
        if hub is None:
            raise KeyError(name)
        return hub

    def _partition(self, hub: str, identity: str) -> Partition:
        partition = self._hub(hub).partition(identity)
        if partition is None:
            raise KeyError(identity)
        return partition

    def _target(self, hub: str, partition: str | None, key: str | None) -> Partition:
        if partition is not None:
            return self._partition(hub, partition)
        return self._hub(hub).by_turn() if key is None else self._hub(hub).by_key(key)

    def _tell(self, hub: str) -> None:
        for partition in self._hub(hub).partitions:
            self._broker.published(self._hub(hub), partition)

    def _poke(self) -> None:
        for reader in self._broker.readers():
            reader.poke()


_COMMANDS: dict[str, Callable[..., object]] = {
    command.__name__: command
    for command in (
        Desk.create_hub,
        Desk.delete_hub,
        Desk.recreate_hub,
        Desk.add_partitions,
        Desk.publish,
        Desk.generate,
        Desk.play,
        Desk.played,
        Desk.expire,
        Desk.drop_events,
        Desk.end,
        Desk.delivered,
        Desk.connections,
        Desk.drop_connections,
        Desk.refuse_connections,
        Desk.detach,
        Desk.refuse_links,
        Desk.slow,
        Desk.rewind,
        Desk.overlap,
        Desk.answer_falsely,
        Desk.heal,
    )
}
