"""Shapes of messages: what is left of a message when its texts are taken out, and the texts.

Two messages of one shape are treated alike by a template whose `Traits` are known: it writes out their texts, and
nothing that it does depends on them.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Mapping

    from logcount.traits import Traits

Message = dict[str, Any]
Path = tuple["str | int", ...]
"""Where a text lies in a message: keys and indices, outermost first."""

CLOSED = frozenset({"role", "type"})
"""Fields with a closed set of values: they belong to a message's shape."""
_CALLS = "arguments"
_MOST_SLOTS = 200
"""Texts of one message beyond which it has no shape: it is rendered as a whole."""
_DEEPEST = 12
"""Levels beyond which a message has no shape."""
_LONG = 64
"""Characters beyond which a text within a shape is remembered by its digest."""
_PICTURED = frozenset({"image", "images", "image_url", "video", "video_url", "audio", "input_audio", "file"})


class Kind(Enum):
    """What stands at a place that was taken out of a message."""

    TEXT = "text"
    JSON = "json"
    """The arguments of a tool call, as an object."""


class Slot(NamedTuple):
    """A place in a message that was taken out."""

    path: Path
    kind: Kind


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """A message without its texts; the same object for all messages of this shape, which is how shapes are compared."""

    form: Hashable
    outlines: frozenset[Hashable]
    """The shape, more roughly: what messages further away may depend on. A set of one, to be added to others."""
    slots: tuple[Slot, ...]
    role: Hashable


class Taken(NamedTuple):
    """A message taken apart."""

    form: Hashable
    outline: Hashable
    slots: tuple[Slot, ...]
    values: tuple[Any, ...]
    role: Hashable


class Shapeless(Exception):
    """A message that is not to be taken apart: too large, or with what templates number or look up."""


def take_apart(message: Mapping[str, Any], traits: Traits) -> Taken:
    """Take the texts out of a message.

    Raises:
        Shapeless: it has no shape.
    """
    taking = _Taking(traits)
    taking.check(message)
    forms = tuple([(key, taking.form(value, (key,), key)) for key, value in message.items()])
    role = message.get("role")
    return Taken(
        form=forms,
        outline=tuple([(key, _rough(key, message[key], form, traits)) for key, form in forms]),
        slots=tuple(taking.slots),
        values=tuple(taking.values),
        role=role if isinstance(role, str) else None,
    )


@lru_cache(1000)
def _slot(path: Path, kind: Kind) -> Slot:
    return Slot(path, kind)


def _rough(key: str, value: Any, form: Hashable, traits: Traits) -> Hashable:
    """Return what a field adds to a message's outline: whether there is text, and what a template looks for in it."""
    if isinstance(value, str):
        return form if key in CLOSED or form != Kind.TEXT.value else "text"
    if isinstance(value, list | tuple | dict):
        return type(value).__name__, bool(value), tuple(_looked_for(value, key, traits))
    return form


def _looked_for(value: Any, key: str, traits: Traits) -> Iterator[Hashable]:
    """Give the texts within a value that a template does not treat like every other."""
    if isinstance(value, str):
        if key not in CLOSED and not traits.is_plain(value):
            yield _short(value)
    elif isinstance(value, dict):
        if key == _CALLS:
            yield from _looked_for(json.dumps(value, ensure_ascii=False), "", traits)
        else:
            for name, inner in value.items():
                yield from _looked_for(inner, name, traits)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _looked_for(inner, key, traits)


class _Taking:
    """What was taken out of a message so far."""

    __slots__ = ("slots", "traits", "values")

    def __init__(self, traits: Traits) -> None:
        self.traits = traits
        self.slots: list[Slot] = []
        self.values: list[Any] = []

    def form(self, value: Any, path: Path, key: str) -> Hashable:
        """Return a value without its texts, which are taken out."""
        if isinstance(value, str):
            if key in CLOSED or not self.traits.is_plain(value):
                return "=", _short(value)
            return self._slot(path, Kind.TEXT, value)
        if len(path) > _DEEPEST:
            raise Shapeless
        if isinstance(value, dict):
            if key == _CALLS:
                return self._arguments(value, path)
            self.check(value)
            return "{", *[(name, self.form(item, (*path, name), name)) for name, item in value.items()]
        if isinstance(value, list | tuple):
            return "[", *[self.form(item, (*path, place), key) for place, item in enumerate(value)]
        return type(value).__name__, value

    def _arguments(self, value: dict[str, Any], path: Path) -> Hashable:
        written = json.dumps(value, ensure_ascii=False)
        if self.traits.takes_arguments_apart or not value or not self.traits.is_plain(written):
            return "=", _short(written)
        return self._slot(path, Kind.JSON, value)

    def _slot(self, path: Path, kind: Kind, value: Any) -> Hashable:
        if len(self.slots) >= _MOST_SLOTS:
            raise Shapeless
        self.slots.append(_slot(path, kind))
        self.values.append(value)
        return kind.value

    def check(self, value: Mapping[str, Any]) -> None:
        """Raise `Shapeless` if a template would number or look up what is in it."""
        if self.traits.pictures and (value.get("type") in _PICTURED or not _PICTURED.isdisjoint(value)):
            raise Shapeless
        if self.traits.linked and ("tool_calls" in value or "tool_call_id" in value):
            raise Shapeless


def _short(text: str) -> Hashable:
    return text if len(text) <= _LONG else blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
