"""The verdict on a run: ledger, checkpoints and what ingestion took, read as plain JSON, against the stream.

Nothing here is of logcount: the folding of events into points, the chain of ids and the marks are worked out anew.
"""

from __future__ import annotations

import json
from collections import Counter
from datetime import datetime
from hashlib import sha256
from typing import TYPE_CHECKING

from crash import folding
from crash.stream import REFUSED_API

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crash.books import Books, Json

_OWN = {"Seconds Behind", "Events Behind"}
"""Metrics of the consumer's own state, which are of no record."""
_MOST_SHOWN = 12
_WORDS = (("uncounted", "exchanges"), ("rejected", "events"), ("skipped", "exchanges"))
"""What a record lists by reason, and in what unit."""


def judge(books: Books) -> list[str]:
    """Return what differs from what must be."""
    found: list[str] = []
    for check in (_totals, _chains, _contents, _sink, _ends, _sights):
        differences = list(check(books))
        found += differences[:_MOST_SHOWN]
        if len(differences) > _MOST_SHOWN:
            found.append(f"… and {len(differences) - _MOST_SHOWN} more of that kind")
    return found


def _totals(books: Books) -> Iterator[str]:
    """Compare the sums of whole partitions."""
    for partition, events in books.stream.items():
        wanted = folding.sums(folding.fold(events))
        there: Counter[str] = Counter()
        for record in books.records[partition]:
            there.update(folding.sums(folding.points(record)))
        if wanted != there:
            yield f"partition {partition}: totals are {dict(there)} and must be {dict(wanted)}"


def _chains(books: Books) -> Iterator[str]:
    """See that each partition's records are a whole chain over all of its events, with nothing missing."""
    for partition, records in books.records.items():
        before: Json = {"n": -1, "id": None, "to": -1, "clock": ""}
        for record in records:
            at = f"partition {partition}, record {record['n']}"
            rest = {key: value for key, value in record.items() if key != "id"}
            if sha256(_canonical(rest)).hexdigest() != record["id"]:
                yield f"{at}: its id is not the sha256 of the rest"
            if (record["n"], record["prev"]) != (before["n"] + 1, before["id"]):
                yield f"{at}: does not follow on record {before['n']}"
            if record["from"] != before["to"] + 1 or record["events"] != record["to"] - record["from"] + 1:
                yield f"{at}: {record['from']} to {record['to']} ({record['events']} events) after {before['to']}"
            if record["holes"]:
                yield f"{at}: has holes: {record['holes']}"
            if record["clock"] < before["clock"]:
                yield f"{at}: its clock goes back"
            before = record
        if before["to"] != books.end(partition):
            yield f"partition {partition}: recorded up to {before['to']}, and the stream ends at {books.end(partition)}"


def _contents(books: Books) -> Iterator[str]:
    """Compare each record with the events of its span."""
    for partition, record in books.each():
        at = f"partition {partition}, record {record['n']}"
        span = books.stream[partition][record["from"] : record["to"] + 1]
        wanted, there = folding.fold(span), folding.points(record)
        for place in sorted(wanted.keys() | there.keys(), key=str):
            if wanted.get(place) != there.get(place):
                yield f"{at}: {place} is {there.get(place)} and must be {wanted.get(place)}"
        for word, unit in _WORDS:
            reasons = {one["reason"]: (one[unit], folding.numbers(one["at"])) for one in record[word]}
            if reasons != (must := folding.reasons(span, word, record["from"])):
                yield f"{at}: {word} are {reasons} and must be {must}"
        if span and record["enqueued"] != (must_be := _time(span[-1].enqueued)):
            yield f"{at}: its last event came at {record['enqueued']} and must have at {must_be}"


def _sink(books: Books) -> Iterator[str]:
    """See that every point was taken, or is marked as it must be; and that what was taken is the ledger's."""
    wanted: dict[tuple[str | None, int | None], Json] = {}
    for partition, record in books.each():
        marked = books.marked(partition, record)
        unfit = {number for number, point in enumerate(record["points"]) if _is_unfit(books, point)}
        if marked != unfit:
            yield f"partition {partition}, record {record['n']}: marked are {marked} and must be {unfit}"
        wanted |= {(record["id"], n): point for n, point in enumerate(record["points"]) if n not in unfit}
    missing = wanted.keys() - books.first_taken.keys()
    if missing:
        yield f"{len(missing)} points were never taken: {sorted(missing, key=str)[:3]}"
    for item in books.accepted:
        if item["metric"] in _OWN and item["record"] is None:
            continue
        point = wanted.get((item["record"], item["number"]))
        if point is None:
            yield f"taken without a point in the ledger: record {item['record']}, number {item['number']}"
        elif _as_point(item) != {key: point[key] for key in _as_point(item)}:
            yield f"taken other than recorded: record {item['record']}, number {item['number']}"


def _ends(books: Books) -> Iterator[str]:
    """See that cursors and checkpoints stand at the end."""
    for partition, records in books.records.items():
        if books.cursor(partition) != len(records) - 1:
            yield f"partition {partition}: its cursor is at {books.cursor(partition)}, and {len(records)} records are"
    ends = {partition: books.end(partition) for partition in books.stream}
    if books.checkpoints != ends:
        yield f"checkpoints are {books.checkpoints} and must be {ends}"


def _sights(books: Books) -> Iterator[str]:
    """See that no checkpoint, whenever it was looked at, stood beyond what was recorded and taken by then."""
    for sight in books.sights:
        at = f"the checkpoint of partition {sight.partition} at {sight.number}"
        records = books.records[sight.partition][: sight.records]
        if sight.number not in [record["to"] for record in records]:
            yield f"{at}: was seen when no record ended there"
            continue
        for record in (record for record in records if record["to"] <= sight.number):
            for number, point in enumerate(record["points"]):
                first = books.first_taken.get((record["id"], number), len(books.accepted))
                if first >= sight.taken and not _is_unfit(books, point):
                    yield f"{at}: was seen when point {number} of record {record['n']} was not taken yet"


def _is_unfit(books: Books, point: Json) -> bool:
    """Say whether the sink can never take a point: it is days old, or of the API that ingestion refuses."""
    age = books.ended - datetime.fromisoformat(point["minute"])
    return age.days >= 2 or point["dimensions"].get("API ID") == REFUSED_API


def _as_point(item: Json) -> Json:
    numbers = {key: int(item[key]) for key in ("sum", "count", "min", "max")}
    minute = item["time"].removesuffix(":00Z") + "Z"
    return {"metric": item["metric"], "minute": minute, "dimensions": item["dimensions"], **numbers}


def _canonical(document: Json) -> bytes:
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _time(time: datetime) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
