"""What the differences of one side tell: a verdict in one word, and the likely cause where the pattern is a clear one.

A wrong tokenizer differs by many percent and never by the same; another revision of a template by always the same; a
prompt cache makes reports too small here and there. Where nothing is clear, nothing is said.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from logcount.calibration.differences import Differences

Verdict = Literal["exact", "nearly", "offset", "cache", "differs", "mismatch", "not compared"]
"""`nearly`: few differ; `offset`: always by the same; `cache`: a prompt cache explains it; `differs`: nothing explains
it; `mismatch`: it looks like another tokenizer."""

CLEAN = "exact"
MISMATCH = "mismatch"

GRAVITY: tuple[Verdict, ...] = ("not compared", "exact", "nearly", "cache", "offset", "differs", "mismatch")
"""From what needs no look to what needs one most."""

_SEVERAL, _SOME, _MANY = 3, 5, 20
"""Exchanges: fewer than three are no pattern; where most are exact it takes more."""
_NEARLY, _MOST, _HALF, _FIFTH, _TWENTIETH, _HUNDREDTH = 0.95, 0.8, 0.5, 0.2, 0.05, 0.01


@dataclass(frozen=True, slots=True)
class Finding:
    """What is found of one side of a model."""

    verdict: Verdict
    cause: str | None = None
    """The pattern and its likely cause, where that is clear."""
    pattern: str = ""


def find(differences: Differences, side: str, other: Differences | None = None) -> Finding:
    """Return what the differences of a side (`prompt`, `completion`) tell, in the light of those of the other side."""
    for rule in _RULES:
        found = rule(differences, side)
        if found is not None:
            return found if other is None else _in_the_light(found, side, other)
    return Finding("differs", f"{_of(differences.differing, differences)} differ")


def _of(number: int, differences: Differences) -> str:
    return f"{number:,} of {differences.compared:,}"


def _in_the_light(found: Finding, side: str, other: Differences) -> Finding:
    """Where the completions are exact, it is not the tokenizer that makes the prompts differ."""
    if found.verdict != "mismatch" or side != "prompt" or other.compared < _MANY or other.differing or _alike(other):
        return found
    return Finding("mismatch", f"{found.pattern}; the completions are exact: another chat template?", found.pattern)


def _alike(told: Differences) -> bool:
    return told.sizes is None or told.sizes[0] == told.sizes[1]


def _above_its_report(told: Differences, _side: str) -> Finding | None:
    """Find lower bounds above the report: no doubt explains that."""
    bounds = told.unlike.total()
    if told.exceeding < max(_SEVERAL, _FIFTH * bounds) or bounds < told.compared:
        return None
    pattern = f"even what was counted in part is above the report in {told.exceeding:,} of {bounds:,}"
    return Finding("mismatch", f"{pattern}: another model's tokenizer?", pattern)


def _not_compared(told: Differences, _side: str) -> Finding | None:
    if told.compared:
        return None
    bounds = told.unlike.total()
    if not bounds:
        return Finding("not compared")
    reason, number = min(told.unlike.items(), key=lambda pair: (-pair[1], pair[0]))
    pattern = f"{reason} ({number:,} of {bounds:,})"
    if told.meeting >= max(_SEVERAL, _MOST * bounds):
        return Finding("differs", f"{pattern}, yet the count is all that was reported: another model's chat template?")
    return Finding("not compared", pattern)


def _exact(told: Differences, _side: str) -> Finding | None:
    return None if told.differing else Finding("exact")


def _constant(told: Differences, side: str) -> Finding | None:
    """Find the same difference nearly everywhere, or wherever there is one."""
    (offset, number), *_ = told.common(1) or [(0, 0)]
    alone = number >= max(_SEVERAL, _MOST * told.compared)
    wherever = number >= max(_SOME, _NEARLY * told.differing, _TWENTIETH * told.compared)
    if not (alone or wherever):
        return None
    pattern = f"{offset:+,} in {_of(number, told)}"
    if _alike(told):
        return Finding("offset", f"{pattern}, all of one size: too alike to tell why")
    return Finding("offset", f"{pattern}: {_offset_cause(offset, side)}")


def _few_offsets(told: Differences, side: str) -> Finding | None:
    """Find a handful of differences and no others: a template writes more for some conversations than others."""
    commonest = told.common(_SEVERAL)
    number = sum(often for _, often in commonest)
    if side != "prompt" or told.compared < _MANY or number < _NEARLY * told.differing or number < _MOST * told.compared:
        return None
    pattern = ", ".join(f"{offset:+,} in {often:,}" for offset, often in commonest)
    return Finding("offset", f"{pattern} of {told.compared:,}: {_offset_cause(commonest[0][0], side)}")


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


def _cache(told: Differences, side: str) -> Finding | None:
    """Find reports that are too small where a cache was reported; or exact ones, and now and then far too small."""
    below = all(offset >= 0 for offset in told.offsets)
    if side != "prompt" or not below or told.differing < _SEVERAL:
        return None
    of = _of(told.differing, told)
    if told.cached_differing >= _MOST * told.differing and told.cached_exact <= _TWENTIETH * told.exact:
        return Finding("cache", f"less reported in {of}, where a cache was reported: the report leaves it out")
    far = told.astray / told.differing > _HALF * told.counted / told.compared
    if told.exact >= max(_SEVERAL, _FIFTH * told.compared) and far:
        return Finding("cache", f"far less reported in {of}, the rest exact: the report leaves out what a cache held?")
    return None


def _nearly(told: Differences, _side: str) -> Finding | None:
    if told.compared < _MANY or told.exact < _NEARLY * told.compared:
        return None
    return Finding("nearly", f"{_of(told.differing, told)} differ")


def _scattered(told: Differences, side: str) -> Finding | None:
    """Find many differences, and never the same: no stop token does that, and no system text."""
    kinds = sum(offset != 0 for offset in told.offsets)
    often = told.differing >= _HALF * told.compared
    much = told.differing >= _FIFTH * told.compared and told.astray >= _HUNDREDTH * told.reported
    if min(told.differing, kinds) < _SEVERAL or not (often or much):
        return None
    percent = "" if told.astray_percent is None else f" by {told.astray_percent:.1f} %"
    pattern = f"{_of(told.differing, told)}{percent}, never by the same"
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
"""The first that finds something says it."""
