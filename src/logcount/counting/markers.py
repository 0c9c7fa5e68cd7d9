"""Markers: texts that stand in for those of a conversation, and are found again in what a template makes of them.

A conversation is rendered twice with markers. The second time they have white space around them, so that it shows what
a template strips; every place where a marker is found must explain both renderings, to the last character.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from logcount.counting.shapes import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from logcount.counting.shapes import Slot

_CORE = re.compile(r"Qx(\d{1,4})x(\d{1,3})xZ")
_ANY_CORE = re.compile(_CORE.pattern, re.IGNORECASE)
_BODY = ' a\n\n\tb  "é" \\ {1.0} &amp; Ünï東京 ☃ Z'
"""What a template would change that escapes, folds or splits: any change makes the marker unreadable."""
_LONGER = " and" * 40
_BEFORE, _AFTER = "\n \t", "\t \n"


@dataclass(frozen=True, slots=True)
class Found:
    """A marker in what a template wrote, and the text's way there."""

    message: int
    slot: int
    writing: Writing
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Writing:
    """How a template writes a text: stripped of what, and in which form."""

    form: str
    before: str = "kept"
    after: str = "kept"

    def __call__(self, value: Any) -> str:
        """Write a text."""
        if self == _AS_IS and isinstance(value, str):
            return value
        if isinstance(value, str):
            value = _AFTERS[self.after](_BEFORES[self.before](value))
        return _FORMS[self.form](value)


_AS_IS = Writing("text")

_BEFORES: dict[str, Callable[[str], str]] = {
    "kept": lambda text: text,
    "lines": lambda text: text.lstrip("\n"),
    "blank": str.lstrip,
}
_AFTERS: dict[str, Callable[[str], str]] = {
    "kept": lambda text: text,
    "lines": lambda text: text.rstrip("\n"),
    "blank": str.rstrip,
}
_COMPACT = (",", ":")
_FORMS: dict[str, Callable[[Any], str]] = {
    "text": lambda value: value if isinstance(value, str) else json.dumps(value, ensure_ascii=False),
    "inside": lambda value: json.dumps(value, ensure_ascii=False)[1:-1],
    "ascii inside": lambda value: json.dumps(value)[1:-1],
    "ascii": json.dumps,
    "compact": lambda value: json.dumps(value, ensure_ascii=False, separators=_COMPACT),
    "sorted": lambda value: json.dumps(value, ensure_ascii=False, sort_keys=True),
    "indented": lambda value: json.dumps(value, ensure_ascii=False, indent=4),
    "indented by 2": lambda value: json.dumps(value, ensure_ascii=False, indent=2),
}
"""The forms in which templates write texts and objects; the first that explains a marker is right."""
_FORMS_OF = {
    Kind.TEXT: ("text", "inside", "ascii inside"),
    Kind.JSON: ("text", "ascii", "compact", "sorted", "indented", "indented by 2"),
}


def marker(message: int, slot: int, kind: Kind, *, spaced: bool) -> Any:
    """Return what stands for a text, or for an object."""
    core = f"Qx{message}x{slot}xZ" + _BODY
    if kind is Kind.JSON:
        inner = {"b": [1, 2.5, None, True, {"é": _BODY}], "a": core}
        return inner | {"spaced": []} if spaced else inner
    return f"{_BEFORE}{core}{_AFTER}" if spaced else core + _LONGER + "."


MARKED = marker(0, 0, Kind.TEXT, spaced=True), marker(0, 0, Kind.TEXT, spaced=False)
"""Markers, to be looked at by who wants to know what is treated like them."""


def marked(message: Mapping[str, Any], number: int, slots: Sequence[Slot], *, spaced: bool) -> dict[str, Any]:
    """Return a copy of a message with markers in its slots."""
    copy = dict(message)
    for place, slot in enumerate(slots):
        _put(copy, slot.path, marker(number, place, slot.kind, spaced=spaced))
    return copy


def _put(container: Any, path: Sequence[str | int], value: Any) -> None:
    """Put a value in its place; whatever leads there is copied, for messages are shared."""
    *way, last = path
    for key in way:
        inner = container[key]
        container[key] = dict(inner) if isinstance(inner, dict) else list(inner)
        container = container[key]
    container[last] = value


def find_markers(shown: str, spaced: str, slots: Sequence[Sequence[Slot]]) -> list[Found] | None:
    """Return every marker in what a template wrote, in order; None where a rendering is not explained by them.

    `shown` holds the plain markers, `spaced` the others.
    """
    recognised: list[Found] = []
    for match in _CORE.finditer(shown):
        message, slot = int(match[1]), int(match[2])
        if message >= len(slots) or slot >= len(slots[message]):
            return None
        one = _recognised(shown, match, Found(message, slot, _AS_IS, 0, recognised[-1].end if recognised else 0), slots)
        if one is None:
            return None
        recognised.append(one)
    if len(_CORE.findall(shown)) != len(_ANY_CORE.findall(shown)):
        return None
    return _explained(shown, spaced, recognised, slots)


def count_markers(text: str) -> int:
    """Return how many markers there are in a text."""
    return len(_ANY_CORE.findall(text))


def _recognised(shown: str, match: re.Match[str], one: Found, slots: Sequence[Sequence[Slot]]) -> Found | None:
    """Return the marker with the form that it was written in; it begins where the one before ends, or after that."""
    kind = slots[one.message][one.slot].kind
    value = marker(one.message, one.slot, kind, spaced=False)
    for form in _FORMS_OF[kind]:
        text = _FORMS[form](value)
        start = match.start() - text.index(match[0])
        if start >= one.end and shown.startswith(text, start):
            return Found(one.message, one.slot, Writing(form), start, start + len(text))
    return None


def _explained(shown: str, spaced: str, found: Sequence[Found], slots: Sequence[Sequence[Slot]]) -> list[Found] | None:
    """Return the markers with what each is stripped of, which must make up the spaced rendering exactly."""
    explained = []
    ends = [*(one.start for one in found), len(shown)]
    at = ends[0]
    if not spaced.startswith(shown[:at]):
        return None
    for one, after in zip(found, ends[1:], strict=True):
        kind = slots[one.message][one.slot].kind
        literal = shown[one.end : after]
        value = marker(one.message, one.slot, kind, spaced=True)
        for writing in _writings(one.writing.form, kind):
            text = writing(value)
            if spaced.startswith(text + literal, at):
                break
        else:
            return None
        at += len(text) + len(literal)
        explained.append(Found(one.message, one.slot, writing, one.start, one.end))
    return explained if at == len(spaced) else None


def _writings(form: str, kind: Kind) -> Iterator[Writing]:
    if kind is Kind.JSON:
        yield Writing(form)
    else:
        yield from (Writing(form, before, after) for before in _BEFORES for after in _AFTERS)
