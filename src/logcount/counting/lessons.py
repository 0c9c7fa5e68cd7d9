"""Lessons: what a template writes for the messages of a conversation, found out by rendering it with markers.

A template is a program that nobody here runs in the head. So a conversation of a pattern that was never met is rendered
with markers in place of its texts, and cut where counts add up (see `Tokenizer.firm_seams`): what stands between two
cuts is a message's cell. A cell is used again wherever a message of the same shape has the same surroundings.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from logcount.counting.composition import Cell, Entry, Ref
from logcount.counting.markers import count_markers, find_markers, marked
from logcount.counting.shown import shows_messages

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from logcount.counting.markers import Found
    from logcount.counting.shapes import Message
    from logcount.counting.surroundings import Turn


class Unlearnable(Exception):
    """What a template wrote cannot be cut by messages."""


def lesson(
    messages: Sequence[Message],
    turns: Sequence[Turn],
    render: Callable[[list[Message]], str],
    seams: Callable[[str], Sequence[int] | None],
    thought_end: str,
) -> tuple[list[Entry], str]:
    """Learn a conversation's cells from its template; return them, and what it wrote.

    Raises:
        Unlearnable: they cannot be told apart.
        Uncountable: the template refuses it.
    """
    slots = [turn.standing.shape.slots for turn in turns]
    plain, spaced = (
        [marked(message, number, slots[number], spaced=spaced) for number, message in enumerate(messages)]
        for spaced in (False, True)
    )
    if count_markers(json.dumps(plain)) != sum(map(len, slots)):
        raise Unlearnable
    shown = render(plain)
    found = find_markers(shown, render(spaced), slots)
    cuts = seams(shown)
    if found is None or cuts is None:
        raise Unlearnable
    cells, tail = _laid_out(shown, found, sorted(cuts), turns)
    hidden = [not shows_messages(shown, [message], thought_end) for message in plain]
    last = len(turns) - 1
    entries = [
        Entry(Cell(tuple(cells.get(number, ()))), hidden[number], tail if number == last else "")
        for number in range(len(turns))
    ]
    return entries, shown


def _laid_out(
    shown: str, found: Sequence[Found], cuts: Sequence[int], turns: Sequence[Turn]
) -> tuple[dict[int, list[str | Ref]], str]:
    """Return the pieces of each message's cell, and what follows the last one."""
    runs: list[tuple[int, int, list[Found]]] = []
    """Home, start and markers of each stretch of text between two cuts."""
    end = 0
    for one in found:
        home = max(one.message, runs[-1][0]) if runs else one.message
        cut = _cut(cuts, end, one.start) if runs and home != runs[-1][0] else None
        if not runs:
            runs.append((home, 0, [one]))
        elif cut is not None:
            runs.append((home, cut, [one]))
        else:
            _, start, others = runs.pop()
            runs.append((home, start, [*others, one]))
        end = one.end
    tail = _cut(cuts, end, len(shown)) if runs else 0
    tail = len(shown) if tail is None else tail
    _check_reach([home for home, _, _ in runs], turns)
    ends = [*(start for _, start, _ in runs[1:]), tail]
    cells = {
        home: _pieces(shown, start, stop, markers, home, turns)
        for (home, start, markers), stop in zip(runs, ends if runs else [], strict=True)
    }
    return cells, shown[tail:]


def _cut(cuts: Sequence[int], start: int, end: int) -> int | None:
    return next((cut for cut in cuts if start <= cut <= end), None)


def _check_reach(homes: Sequence[int], turns: Sequence[Turn]) -> None:
    """See that whatever stands between two cells is in the surroundings of the second."""
    last = len(turns) - 1
    reaches = [*zip([-1, *homes], homes, strict=False), (homes[-1] if homes else -1, last)]
    for before, home in reaches:
        if home - before - 1 > len(turns[home].standing.left or ()):
            raise Unlearnable


def _pieces(
    shown: str, start: int, stop: int, markers: Sequence[Found], home: int, turns: Sequence[Turn]
) -> list[str | Ref]:
    pieces: list[str | Ref] = []
    at = start
    for one in markers:
        if one.start > at:
            pieces.append(shown[at : one.start])
        pieces.append(Ref(_distance(one.message, home, turns), one.slot, one.writing))
        at = one.end
    if stop > at:
        pieces.append(shown[at:stop])
    return pieces


def _distance(message: int, home: int, turns: Sequence[Turn]) -> int | None:
    """Return how to name a message from another one's cell."""
    if home - message <= len(turns[home].standing.left or ()):
        return message - home
    if message == 0:
        return None
    raise Unlearnable
