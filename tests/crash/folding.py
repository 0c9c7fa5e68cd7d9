"""What events must come to in a record, worked out anew: nothing here is of logcount."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crash.books import Json
    from crash.stream import Outcome, Published

Place = tuple[str, str, frozenset[tuple[str, str]]]
"""A metric, a minute, and dimensions."""


def fold(events: Sequence[Published]) -> dict[Place, list[int]]:
    """Work out the points of some events: by metric, minute and dimensions, the sum, count, least and greatest."""
    cells: dict[Place, list[int]] = {}
    for published in events:
        for outcome in published.event.outcomes:
            for metric, dimensions, value in _values(outcome):
                cell = cells.setdefault((metric, published.minute, frozenset(dimensions)), [0, 0, value, value])
                cell[:] = [cell[0] + value, cell[1] + 1, min(cell[2], value), max(cell[3], value)]
    return cells


def _values(outcome: Outcome) -> list[tuple[str, tuple[tuple[str, str], ...], int]]:
    named, prompt, completion = outcome.dimensions, outcome.prompt, outcome.completion
    reasoned = (*named, ("Reason", outcome.reason))
    return {
        "counted": [
            ("Prompt Tokens", named, prompt),
            ("Completion Tokens", named, completion),
            ("Total Tokens", named, prompt + completion),
        ],
        "uncounted": [("Uncounted Exchanges", reasoned, 1)],
        "rejected": [("Rejected Events", reasoned, 1)],
        "skipped": [],
    }[outcome.word]


def points(record: Json) -> dict[Place, list[int]]:
    """Return a record's own points in the same form; two of one place are not folded, and so differ from that."""
    if len({_place(one) for one in record["points"]}) < len(record["points"]):
        return {}
    return {_place(one): [one[key] for key in ("sum", "count", "min", "max")] for one in record["points"]}


def _place(point: Json) -> Place:
    return point["metric"], point["minute"], frozenset(point["dimensions"].items())


def sums(cells: dict[Place, list[int]]) -> Counter[str]:
    """Return the sums by metric alone."""
    found: Counter[str] = Counter()
    for (metric, *_), cell in cells.items():
        found[metric] += cell[0]
    return found


def reasons(span: Sequence[Published], word: str, first: int) -> dict[str, tuple[int, set[int]]]:
    """Return by reason how many exchanges of a span came to this word, and the numbers of their events."""
    found: dict[str, tuple[int, set[int]]] = {}
    for number, published in enumerate(span, first):
        for outcome in published.event.outcomes:
            if outcome.word == word:
                count, at = found.get(outcome.reason, (0, set()))
                found[outcome.reason] = count + 1, at | {number}
    return found


def numbers(spans: Sequence[Json]) -> set[int]:
    """Return the numbers in some spans."""
    return {number for span in spans for number in range(span["from"], span["to"] + 1)}
