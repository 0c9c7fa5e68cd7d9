"""The oracle: knows all that the world gave and took, and says of each write whether the ledger's promises hold.

1. A log is a chain without gaps, whose bytes never change.
2. Each number is in one record, with what its event comes to, or in one hole, whose reason is true and which stays.
3. A sink's cursor moves forward only, and only past points that the sink accepted or that are marked.
4. A checkpoint is the end of a record that every cursor has passed.
"""

from __future__ import annotations

import json
from collections import defaultdict
from typing import TYPE_CHECKING

from logcount.ledger.record import Hole, Record, decode_record, time_text
from logcount.model.points import COMPLETION, PROMPT, REJECTED, TOTAL, UNCOUNTED

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from logcount.model.points import Point
    from simulation.hubs import Broker, Event, Incarnation, PartitionEvents
    from simulation.stores import Accepted, Objects
    from simulation.world import World


class Oracle:
    """Watches what is written."""

    def __init__(self, world: World, broker: Broker, objects: Objects, sinks: Sequence[Accepted]) -> None:
        self.chains: dict[str, list[Record]] = defaultdict(list)
        """Each partition's records."""
        self._world = world
        self._broker = broker
        self._objects = objects
        self._sinks = sinks
        self._bytes: dict[str, bytes] = {}
        self._cursors: dict[str, int] = {}

    def before_write(self, name: str, data: bytes, tag: str | None) -> None:
        """See that no record is written over, and count who meets whose."""
        if name.rsplit("/", 1)[-1].isdigit():
            if tag is not None:
                self._world.fail(f"{name} is written over")
            held = self._objects.held.get(name)
            if held is not None and data == held.data:
                self._world.happened["own record met again"] += 1
            elif held is not None:
                mine, theirs = decode_record(data), decode_record(held.data)
                kept = mine.hub == theirs.hub and mine.to > theirs.to
                self._world.happened[f"another's record taken over, {'the rest kept' if kept else 'all dropped'}"] += 1

    def after_write(self, name: str, data: bytes, by: str, *, wrote: bool) -> None:
        """See that what was written may stand there."""
        kind = name.rsplit("/", 1)[-1].rsplit(".", 1)[-1]
        if not wrote:
            self._world.happened[f"{kind} met another's write"] += not kind.isdigit()
        elif kind.isdigit():
            self._bytes[name] = data
            self._see_record(name.split("/")[-2], data, by)
        elif kind == "cursor":
            self._see_cursor(name, data)

    def checkpointed(self, partition: str, number: int, offset: str) -> None:
        """See that a checkpoint is the end of a record that every sink has passed."""
        passed = min(self.cursor(partition, sink.name) for sink in self._sinks)
        ends = [(record.to, record.offset) for record in self.chains[partition][: passed + 1]]
        if (number, offset) not in ends:
            self._world.fail(f"the checkpoint of {partition} at {number} is not the end of a record up to {passed}")
        self._world.happened["checkpoint moved back"] += number < self._broker.checkpoints.get(partition, (-1,))[0]

    def cursor(self, partition: str, sink: str) -> int:
        """Return the record at which a sink's cursor stands."""
        return self._cursors.get(f"{self._broker.name}/{partition}/{sink}.cursor", -1)

    def see_end(self) -> None:
        """See that the store holds what was written, and that no sink has more or less than the ledger."""
        world = self._world
        for name, data in self._bytes.items():
            if self._objects.held[name].data != data:
                world.fail(f"{name} was changed")
        for sink in self._sinks:
            left = dict(sink.points)
            for partition, chain in self.chains.items():
                for record in chain:
                    marked = self._marked(partition, record.n, sink.name)
                    for item in record.items():
                        if left.pop((record.id, item.number), None) != item.point and item.number not in marked:
                            world.fail(f"{sink.name} lacks point {item.number} of {partition}/{record.n}")
            if left:
                world.fail(f"{sink.name} accepted what is not in the ledger")
        for chain in self.chains.values():
            for record in chain:
                for hole in record.holes:
                    self._see_recorded_elsewhere(chain, hole)

    def _see_recorded_elsewhere(self, chain: Sequence[Record], hole: Hole) -> None:
        for record in chain:
            if record.hub == hole.hub and record.first <= hole.first and hole.last <= record.to:
                return
        self._world.fail(f"the hole {hole} is in no span of the log")

    def _see_record(self, partition: str, data: bytes, by: str) -> None:
        world, chain = self._world, self.chains[partition]
        record, before = decode_record(data), chain[-1] if chain else None
        chain.append(record)
        if record.data != data:
            world.fail(f"{partition}/{record.n}: decoded and encoded, it is another")
        if (record.n, record.prev) != (len(chain) - 1, before.id if before else None):
            world.fail(f"{partition}/{record.n}: the chain is broken")
        hub = self._broker.lives.get(record.hub)
        if hub is None or partition not in hub.partitions:
            world.fail(f"{partition}/{record.n}: there was no such hub")
            return
        log = hub.partitions[partition]
        first = before.to + 1 if before and before.hub == record.hub else 0
        if before and before.hub != record.hub:
            world.happened["record of a new hub"] += 1
            if hub.created < self._broker.lives[before.hub].created:
                world.fail(f"{partition}/{record.n}: the log goes back to an older hub")
        if record.first != first or record.to < first or record.to > log.last:
            world.fail(f"{partition}/{record.n}: spans {record.first} to {record.to} where {first} is next")
            return
        self._see_span(f"{partition}/{record.n} by {by}", record, before, hub, log)

    def _see_span(
        self, what: str, record: Record, before: Record | None, hub: Incarnation, log: PartitionEvents
    ) -> None:
        world = self._world
        missing = self._see_holes(what, record, before, hub, log)
        span = range(record.first, record.to + 1)
        events = [event for number in span if number not in missing and (event := log.events[number]) is not None]
        if len(events) != len(span) - len(missing) or record.events != len(events):
            world.fail(f"{what}: {record.events} events and {len(missing)} missing numbers in {len(span)}")
        if not events or (events[-1].number, events[-1].enqueued, events[-1].offset) != (
            record.to,
            record.enqueued,
            record.offset,
        ):
            world.fail(f"{what}: its end is not an event")
        times = [event.enqueued for event in events]
        if before is not None and before.hub == record.hub:
            times.append(before.clock)
        if record.clock != max(times, default=None):
            world.fail(f"{what}: its clock is {time_text(record.clock)}")
        alone = len(events) == 1  # one that fills a record by itself may have lost its minutes
        if _sums(record.points, minutes=not alone) != _expected_sums(events, minutes=not alone):
            world.fail(f"{what}: its points are not those of its events")
        for word in ("uncounted", "rejected", "skipped"):
            told = {
                one.reason: (one.number, {n for span in one.at for n in range(span.first, span.last + 1)})
                for one in getattr(record, word)
            }
            if told != _expected_reasons(events, word):
                world.fail(f"{what}: {word} is {told}")
        if len(record.data) > world.chances.largest and len(events) > 1:
            world.fail(f"{what}: {len(record.data)} bytes")
        world.happened["records"] += 1
        world.happened["record near the size bound"] += len(record.data) > 0.6 * world.chances.largest

    def _see_holes(
        self, what: str, record: Record, before: Record | None, hub: Incarnation, log: PartitionEvents
    ) -> set[int]:
        """See that all holes from before are there, and new ones are true; return the numbers of the new ones."""
        known = _numbers(before.holes if before else ())
        stated = _numbers(record.holes)
        if known - stated:
            self._world.fail(f"{what}: holes of earlier records are left out")
        if sum(hole.last - hole.first + 1 for hole in record.holes) != len({key[:2] for key in stated}):
            self._world.fail(f"{what}: holes overlap")
        for name, number, reason in sorted(stated - known):
            self._world.happened[f"number missing: {reason}"] += 1
            if name != record.hub or not record.first <= number < record.to:
                self._world.fail(f"{what}: a hole at {number} outside its span")
            gone = number < log.first or hub.deleted is not None
            true = {
                "before": record.n == 0 and number < log.first,
                "expired": gone,
                "absent": log.events[number] is None,
            }[reason]
            if not true:
                self._world.fail(f"{what}: {number} is not {reason}; retained is {log.first} to {log.last}")
        return {number for _, number, _ in stated - known}

    def _see_cursor(self, name: str, data: bytes) -> None:
        partition, sink = name.removesuffix(".cursor").split("/")[-2:]
        before, n = self._cursors.get(name, -1), json.loads(data)["n"]
        self._cursors[name] = n
        if n < before:
            self._world.fail(f"{name} goes back from {before} to {n}")
        if n >= len(self.chains[partition]):
            self._world.fail(f"{name} is at {n}, and the log ends at {len(self.chains[partition]) - 1}")
        accepted = next(one for one in self._sinks if one.name == sink)
        for record in self.chains[partition][before + 1 : n + 1]:
            marked = self._marked(partition, record.n, sink)
            for item in record.items():
                if item.number not in marked and not accepted.times[record.id, item.number]:
                    self._world.fail(f"{name} passes point {item.number} of record {record.n}, which nobody took")
        self._world.happened["several records emitted together"] += n > before + 1

    def _marked(self, partition: str, n: int, sink: str) -> set[int]:
        stored = self._objects.held.get(f"{self._broker.name}/{partition}/{n}.{sink}.marks")
        return set() if stored is None else {row["number"] for row in json.loads(stored.data)["marks"]}


def _numbers(holes: Iterable[Hole]) -> set[tuple[str, int, str]]:
    return {(hole.hub, number, hole.reason) for hole in holes for number in range(hole.first, hole.last + 1)}


def _sums(points: Iterable[Point], *, minutes: bool) -> dict[tuple[str, int], list[int]]:
    """Add points up by metric and minute: what folding under a budget keeps."""
    sums: dict[tuple[str, int], list[int]] = {}
    for point in points:
        if point.metric in _SEEN:
            key = point.metric, int(point.minute.timestamp()) // 60 if minutes else 0
            _merge(sums, key, point.sum, point.count, point.min, point.max)
    return sums


_SEEN = (PROMPT, COMPLETION, TOTAL, UNCOUNTED, REJECTED)


def _expected_sums(events: Iterable[Event], *, minutes: bool) -> dict[tuple[str, int], list[int]]:
    sums: dict[tuple[str, int], list[int]] = {}
    for event in events:
        for tally in event.tallies:
            ones = {"uncounted": {UNCOUNTED: 1}, "rejected": {REJECTED: 1}}.get(tally.word, {})
            values = dict(zip((PROMPT, COMPLETION, TOTAL), tally.tokens, strict=False)) | ones
            for metric, value in values.items():
                if value is not None:
                    _merge(sums, (metric, tally.minute if minutes else 0), value, 1, value, value)
    return sums


def _merge(sums: dict[tuple[str, int], list[int]], key: tuple[str, int], *numbers: int) -> None:
    total, count, least, greatest = numbers
    cell = sums.setdefault(key, [0, 0, least, greatest])
    cell[:] = cell[0] + total, cell[1] + count, min(cell[2], least), max(cell[3], greatest)


def _expected_reasons(events: Iterable[Event], word: str) -> dict[str, tuple[int, set[int]]]:
    found: dict[str, tuple[int, set[int]]] = {}
    for event in events:
        for tally in event.tallies:
            if tally.word == word:
                number, at = found.get(tally.reason or "", (0, set()))
                found[tally.reason or ""] = number + 1, at | {event.number}
    return found
