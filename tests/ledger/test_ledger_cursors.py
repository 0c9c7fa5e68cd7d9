"""Cursors: what is sent, what is marked, and how far a sink has come."""

from __future__ import annotations

import json

import pytest
from drafts import chain
from steps import PlainStore

from logcount.errors import Halted
from logcount.ledger import cursor as cursors
from logcount.ledger.cursor import Cursor, cursor_name, follow, marks_name, read_cursor, reset
from logcount.ledger.log import record_name
from logcount.ledger.steps import Create, Read, Replace, Send
from logcount.model.points import Item, Mark

LOG, SINK = "eventhub:contoso/apim-logs/0", "appinsights"
RECORDS = chain([1] * 5)


def _shelf(refused: frozenset[str] = frozenset()) -> PlainStore:
    def marks(items: list[Item]) -> list[Mark]:
        return [Mark(item, "refused", "400") for item in items if item.record in refused]

    store = PlainStore(marks)
    for record in RECORDS:
        store.put(record_name(LOG, record.n), record.data)
    return store


def test_before_its_first_record_a_sink_has_no_cursor() -> None:
    assert PlainStore().take(read_cursor(LOG, SINK)) == Cursor(-1, None)


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b'{"n":"x"}'])
def test_what_is_no_cursor_halts(data: bytes) -> None:
    store = PlainStore()
    store.put(cursor_name(LOG, SINK), data)
    with pytest.raises(Halted, match="is no cursor"):
        store.take(read_cursor(LOG, SINK))


def test_records_are_read_sent_together_and_then_passed() -> None:
    store = _shelf()
    there = store.take(follow(LOG, SINK, Cursor(), 4))
    assert there.n == 4
    kinds = [type(step) for step in store.asked]
    assert kinds == [Read] * 5 + [Send, Create, Read]
    (sent,) = (step for step in store.asked if isinstance(step, Send))
    assert list(sent.items) == [item for record in RECORDS for item in record.items()]
    assert json.loads(store.held[cursor_name(LOG, SINK)].data) == {"v": 1, "n": 4}


def test_no_more_is_sent_together_than_is_meant_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cursors, "ITEMS_AT_MOST", len(RECORDS[0].points) + 1)
    store, at, steps = _shelf(), Cursor(), []
    while at.n < 4:
        at = store.take(follow(LOG, SINK, at, 4))
        steps.append(at.n)
    assert steps == [1, 3, 4]


def test_marks_stand_beside_their_record_before_the_cursor_passes_it() -> None:
    refused = RECORDS[1]
    store = _shelf(frozenset({refused.id}))
    store.take(follow(LOG, SINK, Cursor(), 2))
    written = [step.name for step in store.asked if isinstance(step, Create)]
    assert written == [marks_name(LOG, 1, SINK), cursor_name(LOG, SINK)]
    stored = json.loads(store.held[marks_name(LOG, 1, SINK)].data)
    assert stored == {
        "v": 1,
        "record": refused.id,
        "marks": [{"number": number, "why": "refused", "answer": "400"} for number in range(len(refused.points))],
    }


def test_marks_that_another_has_written_stay() -> None:
    refused = RECORDS[0]
    store = _shelf(frozenset({refused.id}))
    there = {"v": 1, "record": refused.id, "marks": [{"number": 99, "why": "late", "answer": "50 h"}]}
    store.put(marks_name(LOG, 0, SINK), json.dumps(there).encode())
    store.take(follow(LOG, SINK, Cursor(), 0))
    marks = json.loads(store.held[marks_name(LOG, 0, SINK)].data)["marks"]
    assert [row["number"] for row in marks] == [*range(len(refused.points)), 99]


def test_a_cursor_that_another_has_moved_further_stays_there() -> None:
    store = _shelf()
    mine = store.take(follow(LOG, SINK, Cursor(), 0))
    store.put(cursor_name(LOG, SINK), b'{"v": 1, "n": 3}')
    assert store.take(follow(LOG, SINK, mine, 1)).n == 3
    assert json.loads(store.held[cursor_name(LOG, SINK)].data)["n"] == 3


def test_a_cursor_whose_record_is_not_there_sends_nothing() -> None:
    store = _shelf()
    with pytest.raises(Halted, match="record 5 of"):
        store.take(follow(LOG, SINK, Cursor(4, "x"), 9))
    assert not any(isinstance(step, Send) for step in store.asked)


def test_a_cursor_is_put_back_before_the_first_record_where_the_ledger_begins_anew() -> None:
    store = _shelf()
    at = store.take(follow(LOG, SINK, Cursor(), 4))
    assert store.take(reset(LOG, SINK, at)).n == -1
    assert isinstance(store.asked[-2], Replace)
