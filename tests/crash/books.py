"""The books of a run: what it published and what it left behind, as plain JSON."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from crash.stream import Published
    from crash.watch import Sight

Json = dict[str, Any]


@dataclass
class Books:
    """What a run left behind."""

    log: str
    """The name that all logs of the hub are under."""
    stream: dict[str, list[Published]]
    """By partition, in the order of sequence numbers, which begin at 0."""
    objects: dict[str, bytes]
    """The ledger's."""
    accepted: list[Json]
    """What ingestion took, in order, repeats included."""
    checkpoints: dict[str, int]
    sights: Sequence[Sight]
    ended: datetime

    @cached_property
    def records(self) -> dict[str, list[Json]]:
        """By partition, in order."""
        found: dict[str, list[Json]] = {partition: [] for partition in self.stream}
        for path, data in self.objects.items():
            *_, partition, name = path.split("/")
            if name.isdigit():
                found.setdefault(partition, []).append(json.loads(data))
        return {partition: sorted(records, key=lambda one: int(one["n"])) for partition, records in found.items()}

    @cached_property
    def first_taken(self) -> dict[tuple[str, int], int]:
        """By record and number, after how many items ingestion took a point for the first time."""
        found: dict[tuple[str, int], int] = {}
        for place, item in enumerate(self.accepted):
            found.setdefault((item["record"], item["number"]), place)
        return found

    @property
    def repeats(self) -> int:
        """How many items were taken more than once."""
        return sum(item["record"] is not None for item in self.accepted) - sum(
            record is not None for record, _ in self.first_taken
        )

    def each(self) -> Iterator[tuple[str, Json]]:
        """Go through all records, each with its partition."""
        for partition, records in self.records.items():
            for record in records:
                yield partition, record

    def marked(self, partition: str, record: Json) -> set[int]:
        """Return the numbers of a record's points that are marked beside it."""
        data = self.objects.get(f"{self.log}/{partition}/{record['n']}.appinsights.marks")
        document = {"record": record["id"], "marks": []} if data is None else json.loads(data)
        return {row["number"] for row in document["marks"] if document["record"] == record["id"]}

    def cursor(self, partition: str) -> int | None:
        """Return where the sink's cursor stands."""
        data = self.objects.get(f"{self.log}/{partition}/appinsights.cursor")
        return None if data is None else int(json.loads(data)["n"])

    def end(self, partition: str) -> int:
        """The last sequence number of a partition."""
        return len(self.stream[partition]) - 1
