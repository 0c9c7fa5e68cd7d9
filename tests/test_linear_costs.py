"""Ten times as much of anything in an event costs about ten times as much, not a hundred times."""

from __future__ import annotations

import gc
import time
import tracemalloc
from itertools import count as numbers
from typing import TYPE_CHECKING

import pytest
from hostile.inputs import MANY, Exchange, exchange, roles
from tiny_tokenizer import build

from logcount import count_exchange
from logcount.tokenizers import load_tokenizer

if TYPE_CHECKING:
    from logcount.tokenizers import TransformersTokenizer

SMALL = 400
SMALLER = {
    "levels": 20,  # JSON with more than some hundred is refused
    "choices after as many options": 100,
    "choices after as many messages": 100,  # each choice renders all messages, up to a bound of its own
    "keys in each of 20 messages": 60,
}
MOST_MEMORY, SPARE = 13, 2**21
"""How many times the memory ten times as much may take, and bytes that are no matter: chance may audit one of two."""
MOST_TIME, MOMENT = 25, 0.01
"""How many times the time, and seconds below which no time is told from another."""
SQUARE_BY_NATURE = {"choices after as many messages", "choices after as many options"}


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> TransformersTokenizer:
    loaded = load_tokenizer(build(tmp_path_factory.mktemp("tiny")), name="tiny")
    loaded.prepare()
    for make in MANY.values():
        _count(make(2), loaded)  # what is found out once is not a cost of the event
    return loaded


def _count(exchange: Exchange, tokenizer: TransformersTokenizer) -> None:
    count_exchange(exchange.request, exchange.response, status=200, tokenizer=tokenizer)


def _memory(exchange: Exchange, tokenizer: TransformersTokenizer) -> int:
    gc.collect()
    tracemalloc.start()
    try:
        _count(exchange, tokenizer)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def _seconds(name: str, size: int, tokenizer: TransformersTokenizer) -> float:
    taken = []
    for more in (0, 1):
        exchange = MANY[name](size + more)
        began = time.process_time()
        _count(exchange, tokenizer)
        taken.append(time.process_time() - began)
    return min(taken)


@pytest.mark.parametrize("name", MANY)
def test_ten_times_as_much_costs_about_ten_times_as_much(name: str, tokenizer: TransformersTokenizer) -> None:
    small = SMALLER.get(name, SMALL)
    if name not in SQUARE_BY_NATURE:
        few_seconds, many_seconds = (_seconds(name, size, tokenizer) for size in (small, 10 * small))
        assert many_seconds <= MOST_TIME * max(few_seconds, MOMENT)
    few_bytes, many_bytes = (_memory(MANY[name](size + 2), tokenizer) for size in (small, 10 * small))
    assert many_bytes <= MOST_MEMORY * few_bytes + SPARE


def test_events_of_many_roles_one_after_another_do_not_add_up(tokenizer: TransformersTokenizer) -> None:
    named = numbers()

    def event() -> Exchange:
        return exchange(*roles(1_000, f"a{next(named)}-"))

    peak = max(_memory(event(), tokenizer) for _ in range(3))
    kept = []
    tracemalloc.start()
    try:
        for _ in range(10):
            _count(event(), tokenizer)
            gc.collect()
            kept.append(tracemalloc.get_traced_memory()[0])
    finally:
        tracemalloc.stop()
    # Caches may remember texts and messages, within their bounds; not all that counting them took.
    assert kept[-1] - kept[0] < 9 * peak / 2
