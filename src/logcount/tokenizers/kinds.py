"""Kinds of values in a chat template's program, by what they may hold of a conversation."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class Kind(IntEnum):
    """What an expression may hold of a conversation; of two, the greater includes the other."""

    FIXED = 0
    """Nothing."""
    PLACE = 1
    """A number of messages, or a verdict on something."""
    MESSAGES = 2
    """A list of messages."""
    WHOLE = 3
    """Something as it was given."""
    PART = 4
    """A piece of a text, or something as it was given."""
    JOINED = 5
    """Texts and pieces of them, put together."""
    CHANGED = 6
    """Anything that is made of texts."""


GIVEN = frozenset({Kind.MESSAGES, Kind.WHOLE, Kind.PART})

STRIPS = frozenset({"strip", "lstrip", "rstrip"})
SPLITS = frozenset({"split", "rsplit", "partition", "rpartition", "removeprefix", "removesuffix", "replace"})
VERDICTS = frozenset({"startswith", "endswith", "find", "rfind", "index", "count"})
_SAME_METHODS = frozenset({"items", "keys", "values", "copy", "append", "pop", "update"})
_SAME_FILTERS = frozenset({"list", "items", "select", "reject", "selectattr", "rejectattr", "safe", "dictsort"})


def either(kinds: Iterable[Kind]) -> Kind:
    """Return the least kind that includes all of some."""
    found = {kind for kind in kinds if kind}
    if len(found) > 1:
        return max(Kind.WHOLE, *found)
    return found.pop() if found else Kind.FIXED


def put_together(kinds: Iterable[Kind], *, changed: bool = False) -> Kind:
    """Return the kind of texts that stand one after the other; of a number among them, nobody knows the digits."""
    found = {kind for kind in kinds if kind}
    if not found:
        return Kind.FIXED
    return Kind.CHANGED if changed or found & {Kind.PLACE, Kind.CHANGED} else Kind.JOINED


def within(kind: Kind) -> Kind:
    """Return the kind of what a list, a text or an object consists of."""
    return {Kind.MESSAGES: Kind.WHOLE, Kind.WHOLE: Kind.PART}.get(kind, kind)


def field_within(kind: Kind) -> Kind:
    """Return the kind of a field: a text has none, so that it is one of something as it was given."""
    return Kind.WHOLE if kind in GIVEN else kind


def piece(kind: Kind) -> Kind:
    """Return the kind of a piece of a text."""
    return Kind.PART if Kind.FIXED < kind <= Kind.PART else kind


def filtered(name: str, kind: Kind, others: Sequence[Kind], *, by_field: bool) -> Kind:
    """Return the kind of what a filter gives of a value; `by_field` says that a field of each is asked for."""
    if not kind and not any(others):
        return Kind.FIXED
    if name in {"length", "count"}:
        return Kind.PLACE if kind is Kind.MESSAGES else Kind.CHANGED
    if name in {"trim", "replace"}:
        return Kind.CHANGED if any(others) else piece(kind)
    results = {
        **dict.fromkeys(_SAME_FILTERS, kind),
        **dict.fromkeys(("default", "d"), either((kind, *others))),
        **dict.fromkeys(("first", "last"), within(kind)),
        **dict.fromkeys(("join", "string"), put_together((kind, *others))),
        "reverse": kind if kind is Kind.MESSAGES else Kind.CHANGED,
        "map": max(kind, Kind.PART) if by_field else Kind.CHANGED,
    }
    return results.get(name, Kind.CHANGED)


def called(name: str, kind: Kind, arguments: Kind) -> Kind:
    """Return the kind of what a method of a value gives."""
    if not kind and not arguments:
        return Kind.FIXED
    if name == "get":
        return either((field_within(kind), arguments if kind else Kind.CHANGED))
    if name in VERDICTS:
        return Kind.PLACE
    if name in STRIPS or name in SPLITS:
        return Kind.CHANGED if arguments else piece(kind)
    return either((kind, arguments)) if name in _SAME_METHODS else Kind.CHANGED
