"""The room for events that are being counted: bounded, and given in the order in which it is asked for."""

from __future__ import annotations

import asyncio

from logcount.run.context import Room


async def _pass_through(room: Room, order: list[int], size: int) -> None:
    await room.enter(size)
    order.append(size)
    await asyncio.sleep(0)
    room.leave(size)


async def test_small_pieces_do_not_pass_a_large_one() -> None:
    room, order = Room(10), list[int]()
    await room.enter(4)
    waiting = [asyncio.create_task(_pass_through(room, order, size)) for size in (8, 1, 1, 1)]
    await asyncio.sleep(0.01)
    assert order == []
    room.leave(4)
    await asyncio.gather(*waiting)
    assert order == [8, 1, 1, 1]


async def test_a_piece_that_is_larger_than_the_room_is_let_in_alone() -> None:
    room, order = Room(10), list[int]()
    await asyncio.gather(*(_pass_through(room, order, size) for size in (3, 100, 3)))
    assert order == [3, 100, 3]


async def test_a_piece_that_gives_up_waiting_lets_the_next_one_in() -> None:
    room, order = Room(10), list[int]()
    await room.enter(4)
    large, small = (asyncio.create_task(_pass_through(room, order, size)) for size in (8, 1))
    await asyncio.sleep(0.01)
    large.cancel()
    await small
    assert order == [1]
