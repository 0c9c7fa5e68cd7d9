"""The verdict of the crash test sees what it must see: books that balance are tampered with."""

from __future__ import annotations

import json
from datetime import timedelta
from hashlib import sha256
from typing import Any

import pytest

from crash import folding
from crash.books import Books
from crash.stream import Author, Published, now
from crash.verdict import judge
from crash.watch import Sight

NUMBERS = ("sum", "count", "min", "max")
LOG = "eventhub:127/hub"


def test_books_that_balance_have_no_differences() -> None:
    assert judge(books()) == []


def lose_an_event(books: Books) -> None:
    books.stream["0"].insert(5, books.stream["0"][3])


def swap_two_events(books: Books) -> None:
    events = books.stream["0"]
    counted = [number for number, one in enumerate(events[:30]) if one.event.outcomes[0].word == "counted"]
    first, last = counted[0], len(events) - 1 - [one.event.outcomes[0].word for one in events[::-1]].index("counted")
    events[first], events[last] = events[last], events[first]


def lose_a_point(books: Books) -> None:
    books.accepted.pop()


def alter_a_point(books: Books) -> None:
    books.accepted[0]["sum"] += 1


def break_the_chain(books: Books) -> None:
    name = f"{LOG}/0/1"
    books.objects[name] = books.objects[name].replace(b'"prev":"', b'"prev":"0')


def see_a_checkpoint_too_far(books: Books) -> None:
    books.sights = [Sight("0", 59, records=1, taken=len(books.accepted))]


def see_a_checkpoint_too_early(books: Books) -> None:
    books.sights = [Sight("0", 59, records=2, taken=len(books.accepted) - 1)]


def leave_the_checkpoint_behind(books: Books) -> None:
    books.checkpoints["0"] = 29


def leave_the_cursor_behind(books: Books) -> None:
    books.objects[f"{LOG}/0/appinsights.cursor"] = b'{"v":1,"n":0}'


@pytest.mark.parametrize(
    "mischief",
    [
        *(lose_an_event, swap_two_events, lose_a_point, alter_a_point, break_the_chain, leave_the_checkpoint_behind),
        *(see_a_checkpoint_too_far, see_a_checkpoint_too_early, leave_the_cursor_behind),
    ],
    ids=lambda mischief: mischief.__name__,
)
def test_the_verdict_sees(mischief: Any) -> None:
    tampered = books()
    mischief(tampered)
    assert judge(tampered)


def test_a_repeat_makes_no_difference() -> None:
    repeated = books()
    repeated.accepted += repeated.accepted[:10]
    assert judge(repeated) == []
    assert repeated.repeats == 10


def books() -> Books:
    """Return books of sixty events in two records, all of them taken."""
    author, time = Author(1, now(), refused=False), now()
    events = [author.event() for _ in range(80)]
    stream = [Published(one, time) for one in events if not one.minute or one.minute > f"{time - timedelta(days=1)}"]
    records: list[dict[str, Any]] = []
    for first in (0, 30):
        records.append(record(stream[first : first + 30], first, records[-1]["id"] if records else None))
    objects = {f"{LOG}/0/{one['n']}": json.dumps(one, separators=(",", ":")).encode() for one in records}
    objects[f"{LOG}/0/appinsights.cursor"] = b'{"v":1,"n":1}'
    taken = [
        {**point, "time": point["minute"].replace("Z", ":00Z"), "record": one["id"], "number": number}
        for one in records
        for number, point in enumerate(one["points"])
    ]
    sights = [Sight("0", 59, records=2, taken=len(taken))]
    return Books(LOG, {"0": stream[:60]}, objects, taken, {"0": 59}, sights, now())


def record(span: list[Published], first: int, previous: str | None) -> dict[str, Any]:
    """Return the record of a span."""
    clock = f"{span[-1].enqueued:%Y-%m-%dT%H:%M:%S.%fZ}"
    listed = {
        word: [
            {"reason": reason, unit: count, "at": [{"from": number, "to": number} for number in sorted(numbers)]}
            for reason, (count, numbers) in folding.reasons(span, word, first).items()
        ]
        for word, unit in (("uncounted", "exchanges"), ("rejected", "events"), ("skipped", "exchanges"))
    }
    points = [
        {"metric": metric, "minute": minute, "dimensions": dict(named), **dict(zip(NUMBERS, cell, strict=True))}
        for (metric, minute, named), cell in folding.fold(span).items()
    ]
    rest = {
        **{"n": first // 30, "prev": previous, "from": first, "to": first + len(span) - 1, "events": len(span)},
        **{"holes": [], "clock": clock, "enqueued": clock, "points": points, **listed},
    }
    canonical = json.dumps(rest, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    return {**rest, "id": sha256(canonical).hexdigest()}
