"""Interprets the differences of one side: a verdict, and the likely cause if the pattern is clear.

A wrong tokenizer differs by many percent, by varying numbers; another revision of a template always by the same number;
a prompt cache makes some reports too small. Without a clear pattern no cause is given.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from logcount.calibration.differences import Differences

Verdict = Literal["exact", "nearly", "offset", "cache", "differs", "mismatch", "not compared"]
"""`nearly`: few differ; `offset`: always by the same number; `cache`: a prompt cache explains it; `differs`: no known
cause; `mismatch`: it looks like another tokenizer."""

CLEAN = "exact"
MISMATCH = "mismatch"

GRAVITY: tuple[Verdict, ...] = ("not compared", "exact", "nearly", "cache", "offset", "differs", "mismatch")
"""From the least to the most serious."""

_SEVERAL, _SOME, _MANY = 3, 5, 20
"""Numbers of exchanges: fewer than three are no pattern; if most are exact, more are needed."""
_NEARLY, _MOST, _HALF, _FIFTH, _TWENTIETH, _HUNDREDTH = 0.95, 0.8, 0.5, 0.2, 0.05, 0.01


@dataclass(frozen=True, slots=True)
class Finding:
    """The finding for one side of a model."""

    verdict: Verdict
    cause: str | None = None
    """The pattern and its likely cause, if clear."""
    pattern: str = ""


def find(differences: Differences, side: str, other: Differences | None = None) -> Finding:
    """Return the finding for a side (`prompt`, `completion`), also considering the other side."""
    for rule in _RULES:
        found = rule(differences, side)
        if found is not None:
            return found if other is None else _in_the_light(found, side, other)
    return Finding("differs", f"{_of(differences.differing, differences)} differ")


def _of(number: int, differences: Differences) -> str:
    return f"{number:,} of {differences.compared:,}"


def _in_the_light(found: Finding, side: str, other: Differences) -> Finding:
    """If the completions are exact, the tokenizer is not the cause of differing prompts."""
    if found.verdict != "mismatch" or side != "prompt" or other.compared < _MANY or other.differing or _alike(other):
        return found
    return Finding("mismatch", f"{found.pattern}; the completions are exact: another chat template?", found.pattern)


def _alike(sums: Differences) -> bool:
    return sums.sizes is None or sums.sizes[0] == sums.sizes[1]


def _above_its_report(sums: Differences, _side: str) -> Finding | None:
    """Find lower bounds above the report, which no doubt explains."""
    bounds = sums.unlike.total()
    if sums.exceeding < max(_SEVERAL, _FIFTH * bounds) or bounds < sums.compared:
        return None
    pattern = f"even what was counted in part is above the report in {sums.exceeding:,} of {bounds:,}"
    return Finding("mismatch", f"{pattern}: another model's tokenizer?", pattern)


def _not_compared(sums: Differences, _side: str) -> Finding | None:
    if sums.compared:
        return None
    bounds = sums.unlike.total()
    if not bounds:
        return Finding("not compared")
    reason, number = min(sums.unlike.items(), key=lambda pair: (-pair[1], pair[0]))
    pattern = f"{reason} ({number:,} of {bounds:,})"
    if sums.meeting >= max(_SEVERAL, _MOST * bounds):
        return Finding("differs", f"{pattern}, yet the count is all that was reported: another model's chat template?")
    return Finding("not compared", pattern)


def _exact(sums: Differences, _side: str) -> Finding | None:
    return None if sums.differing else Finding("exact")


def _constant(sums: Differences, side: str) -> Finding | None:
    """Find the same difference in nearly all exchanges, or in nearly all that differ."""
    (offset, number), *_ = sums.common(1) or [(0, 0)]
    alone = number >= max(_SEVERAL, _MOST * sums.compared)
    wherever = number >= max(_SOME, _NEARLY * sums.differing, _TWENTIETH * sums.compared)
    if not (alone or wherever):
        return None
    pattern = f"{offset:+,} in {_of(number, sums)}"
    if _alike(sums):
        return Finding("offset", f"{pattern}, all of one size: too alike to tell why")
    return Finding("offset", f"{pattern}: {_offset_cause(offset, side)}")


def _few_offsets(sums: Differences, side: str) -> Finding | None:
    """Find only a few distinct differences: a template writes more for some conversations than for others."""
    commonest = sums.common(_SEVERAL)
    number = sum(often for _, often in commonest)
    if side != "prompt" or sums.compared < _MANY or number < _NEARLY * sums.differing or number < _MOST * sums.compared:
        return None
    pattern = ", ".join(f"{offset:+,} in {often:,}" for offset, often in commonest)
    return Finding("offset", f"{pattern} of {sums.compared:,}: {_offset_cause(commonest[0][0], side)}")


def _offset_cause(offset: int, side: str) -> str:
    if side == "completion":
        if offset == 1:
            return "the server does not count the stop token?"
        if offset == -1:
            return "the server counts a token that the text does not show, such as a stop token"
        return "the server counts other tokens around a reply than this chat template writes"
    if offset < 0:
        return "the server's chat template, or a system text of its own, adds what this one does not"
    return "this chat template adds what the server's does not: another revision, or a default system text"


def _cache(sums: Differences, side: str) -> Finding | None:
    """Find reports that are too small if a cache was reported; or exact reports with some far too small ones."""
    below = all(offset >= 0 for offset in sums.offsets)
    if side != "prompt" or not below or sums.differing < _SEVERAL:
        return None
    of = _of(sums.differing, sums)
    if sums.cached_differing >= _MOST * sums.differing and sums.cached_exact <= _TWENTIETH * sums.exact:
        return Finding("cache", f"less reported in {of}, where a cache was reported: the report leaves it out")
    far = sums.astray / sums.differing > _HALF * sums.counted / sums.compared
    if sums.exact >= max(_SEVERAL, _FIFTH * sums.compared) and far:
        return Finding("cache", f"far less reported in {of}, the rest exact: the report leaves out what a cache held?")
    return None


def _nearly(sums: Differences, _side: str) -> Finding | None:
    if sums.compared < _MANY or sums.exact < _NEARLY * sums.compared:
        return None
    return Finding("nearly", f"{_of(sums.differing, sums)} differ")


def _scattered(sums: Differences, side: str) -> Finding | None:
    """Find many varying differences, which neither a stop token nor a system text explains."""
    kinds = sum(offset != 0 for offset in sums.offsets)
    often = sums.differing >= _HALF * sums.compared
    much = sums.differing >= _FIFTH * sums.compared and sums.astray >= _HUNDREDTH * sums.reported
    if min(sums.differing, kinds) < _SEVERAL or not (often or much):
        return None
    percent = "" if sums.astray_percent is None else f" by {sums.astray_percent:.1f} %"
    pattern = f"{_of(sums.differing, sums)}{percent}, never by the same"
    cause = f"another model's tokenizer, or a {side} that the log does not show whole"
    return Finding("mismatch", f"{pattern}: {cause}", pattern)


_Rule = Callable[["Differences", str], Finding | None]
_RULES: tuple[_Rule, ...] = (
    _above_its_report,
    _not_compared,
    _exact,
    _constant,
    _few_offsets,
    _cache,
    _nearly,
    _scattered,
)
"""The rules in order; the first finding applies."""
