"""Logs: their names, the walk to their end, the one way to append, and the header that says whose they are."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from drafts import HUB, LATER_HUB, anew, chain
from steps import PlainStore

from logcount.errors import Halted, Misconfigured
from logcount.ledger.head import Head, head_of
from logcount.ledger.header import Header, agree, header_name
from logcount.ledger.log import append, hub_name, log_name, reaches, read_record, record_name, walk
from logcount.ledger.steps import Create, Read, Replace

if TYPE_CHECKING:
    from logcount.ledger.record import Record

LOG = "eventhub:contoso/apim-logs/0"


def _shelf(records: list[Record]) -> PlainStore:
    store = PlainStore()
    for record in records:
        store.put(record_name(LOG, record.n), record.data)
    return store


def test_names_are_lower_case_and_know_no_domain() -> None:
    name = hub_name("Contoso.servicebus.windows.net", "APIM-Logs")
    assert name == "eventhub:contoso/apim-logs"
    assert record_name(log_name(name, "0"), 17) == f"{LOG}/17"


@pytest.mark.parametrize("length", [*range(20), 63, 64, 65, 100])
def test_the_walk_ends_at_the_last_record_wherever_it_begins(length: int) -> None:
    records = chain([1] * length)
    last = head_of(records[-1]) if records else Head()
    for known in sorted({-1, 0, length // 2, length - 1} & set(range(-1, length))):
        store = _shelf(records)
        assert store.take(walk(LOG, known)) == last
        assert store.reads() <= 3 + 2 * (length - known).bit_length()


def test_a_walk_from_a_record_that_is_not_there_halts() -> None:
    with pytest.raises(Halted, match="record 3 of"):
        _shelf(chain([1, 1])).take(walk(LOG, 3))
    with pytest.raises(Halted):
        PlainStore().take(read_record(LOG, 0))


HUBS = [HUB, HUB, HUB, LATER_HUB, LATER_HUB]
"""A log of two hubs: the first ended at number 5, the second at 1."""


@pytest.mark.parametrize(("number", "reached"), [(0, True), (1, True), (2, True), (5, True), (6, False), (99, False)])
def test_a_log_has_reached_what_it_reached_in_an_older_hub(number: int, reached: bool) -> None:
    records = chain([2, 2, 2, 1, 1], HUBS)
    assert _shelf(records).take(reaches(LOG, head_of(records[-1]), number)) is reached


def test_an_empty_log_has_reached_nothing() -> None:
    assert PlainStore().take(reaches(LOG, Head(), 0)) is False


def test_to_see_that_the_present_hub_is_enough_nothing_is_read() -> None:
    records = chain([2, 2])
    store = _shelf(records)
    assert store.take(reaches(LOG, head_of(records[-1]), 3)) is True
    assert not store.asked


def test_appending_creates_the_record_in_one_step() -> None:
    first, second = chain([2, 2])
    store = _shelf([first])
    assert store.take(append(LOG, head_of(first), second)) == head_of(second)
    assert store.asked == [Create(f"{LOG}/1", second.data)]


def test_what_is_there_already_is_taken_over() -> None:
    first, second = chain([2, 2])
    other = anew(second)
    assert _shelf([first, other]).take(append(LOG, head_of(first), second)) == head_of(other)


@pytest.mark.parametrize("answer", [False, None])
def test_a_create_without_effect_is_looked_into_and_done_again(answer: bool | None) -> None:
    (record,) = chain([1])
    steps = append(LOG, Head(), record)
    create, read = Create(f"{LOG}/0", record.data), Read(f"{LOG}/0")
    assert [next(steps), steps.send(answer), steps.send(None)] == [create, read, create]


def test_a_record_that_does_not_follow_halts() -> None:
    first, second = chain([2, 2])
    for other in (anew(second, prev="another"), anew(second, n=7)):
        store = PlainStore()
        store.put(f"{LOG}/1", other.data)
        with pytest.raises(Halted, match="chain is broken"):
            store.take(append(LOG, head_of(first), second))


HEADER = Header("eventhub:contoso/apim-logs", "$default", "here")


def test_the_first_to_come_writes_the_header_and_those_who_agree_go_on() -> None:
    store = PlainStore()
    store.take(agree(HEADER))
    stored = json.loads(store.held[header_name(HEADER.hub)].data)
    assert stored == {"hub": HEADER.hub, "consumer_group": "$default", "deployment": "here", "v": 1}
    store.asked.clear()
    store.take(agree(HEADER))
    assert store.reads() == len(store.asked) == 1


def test_who_differs_is_told_in_what_and_may_take_over() -> None:
    store, other = PlainStore(), Header(HEADER.hub, "another", "there")
    store.take(agree(HEADER))
    with pytest.raises(Misconfigured, match=r"consumer_group '\$default', and this is 'another' and .*'there'"):
        store.take(agree(other))
    store.take(agree(other, take_over=True))
    store.take(agree(other))
    assert isinstance(store.asked[-3], Replace)
    with pytest.raises(Misconfigured, match="--take-over"):
        store.take(agree(HEADER))


def test_a_header_that_cannot_be_read_is_not_gone_over() -> None:
    store = PlainStore()
    store.put(header_name(HEADER.hub), b"{")
    with pytest.raises(Misconfigured):
        store.take(agree(HEADER))
