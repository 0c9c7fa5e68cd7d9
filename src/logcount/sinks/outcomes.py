"""Interprets an answer of the ingestion service for each sent item, by a table of statuses.

An item is accepted only if the service says so. Items left open by an answer are sent again: a repeat can be detected
and removed, a loss cannot. Refused items are found by halving, so that one bad item does not block others.

The protocol: ApplicationInsights-Home, EndpointSpecs/ENDPOINT-PROTOCOL.md. If no item is accepted, the status of the
answer is that of the first item, so the list of errors takes precedence over the status.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from logcount.sinks.pauses import RetryDelay, asked_pause

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

Fate = Literal["accepted", "late", "refused", "again"]
"""The result for an item; if an item has two, the later one in this order applies, so that no item is lost."""
_ORDER: tuple[Fate, ...] = ("accepted", "late", "refused", "again")


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """An HTTP answer."""

    status: int
    host: str
    """The host that answered."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """With names in lower case."""
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class ItemFate:
    """The result for one item, with the service's reason; contains no part of the item."""

    fate: Fate
    said: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The meaning of an answer, or of a missing answer."""

    items: tuple[ItemFate, ...]
    """In the order of the request."""
    delay: RetryDelay = RetryDelay.AT_ONCE
    """When to retry the items with fate `again`."""
    halve: bool = False
    """Whether to retry them in two halves."""
    whole: bool = False
    """Whether it concerns the service and not these items: then no other request is useful meanwhile."""
    asked: float | None = None
    """The pause that the service requested, in seconds."""
    trouble: str | None = None
    """What is wrong, for the operator."""


@dataclass(frozen=True, slots=True)
class Rule:
    """The meaning of a status, for a request or for an item in it."""

    alone: Fate
    """The fate of a single item with this status."""
    delay: RetryDelay
    says: str
    halves: bool = False
    """Whether a request with this status is retried in halves."""


_QUOTA = Rule("again", RetryDelay.RARELY, "the quota is used up")
_BUSY = Rule("again", RetryDelay.SOON, "throttled")
_AWAY = Rule("again", RetryDelay.SOON, "not available")
_MOVED = Rule("again", RetryDelay.SLOWLY, "configuration: redirected to where requests may not go")
_RULES = {
    200: Rule("accepted", RetryDelay.AT_ONCE, "accepted"),
    206: Rule("accepted", RetryDelay.AT_ONCE, "sampled out"),  # an item's status; a retry would be sampled out again
    307: _MOVED,  # allowed redirects are followed before an answer is judged
    308: _MOVED,
    400: Rule("refused", RetryDelay.AT_ONCE, "not valid", halves=True),
    401: Rule("again", RetryDelay.SLOWLY, "configuration: a token or key is wanted, or this one is not accepted"),
    402: _QUOTA,
    403: Rule(
        "again", RetryDelay.SLOWLY, "configuration: access is denied; Azure wants the role Monitoring Metrics Publisher"
    ),
    404: Rule("again", RetryDelay.SLOWLY, "configuration: nothing is taken at this address"),
    405: Rule("again", RetryDelay.SLOWLY, "configuration: this is no endpoint for metrics"),
    408: _AWAY,
    413: Rule("refused", RetryDelay.AT_ONCE, "too large", halves=True),
    415: Rule("again", RetryDelay.SLOWLY, "configuration: this is no endpoint for metrics"),
    429: _BUSY,
    439: _QUOTA,  # Azure's own: too many requests over an extended time
    500: _AWAY,
    502: _AWAY,
    503: _AWAY,
    504: _AWAY,
}
_UNKNOWN = Rule("again", RetryDelay.SOON, "a status that is not known")
_SPEECHLESS = Rule("again", RetryDelay.SLOWLY, "configuration: this is no answer of an ingestion service")
_WRONG_KEY = Rule("again", RetryDelay.SLOWLY, "configuration: the instrumentation key is not known there")
_WRONG_KEY_MESSAGE = "invalid instrumentation key"
"""The only refusal without a number that is not an item's fault: every item gets it."""

_TOO_OLD = "103"
_REASONS = {
    "102": "not a time",
    _TOO_OLD: "time too old",
    "104": "time too new",
    "109": "a field is missing",
}
"""Numbers at the start of messages; the rest of a message may repeat the sent data and is never kept."""
_NUMBER = re.compile(r"\s*(\d{1,4}):", re.ASCII)


def rule_of(status: int) -> Rule:
    """Return the rule of a status."""
    return _RULES.get(status, _UNKNOWN)


def judge_status(answer: HttpResponse, count: int, now: datetime, rule: Rule | None = None) -> Verdict:
    """Judge a request by its status alone, or by the given rule."""
    rule = rule or rule_of(answer.status)
    if rule.alone == "refused" and count == 1:
        return Verdict((ItemFate("refused", f"{answer.status}: {rule.says}"),))
    return Verdict(
        items=(ItemFate("again"),) * count,
        delay=rule.delay,
        halve=rule.halves and count > 1,
        whole=rule.delay > RetryDelay.AT_ONCE,
        asked=asked_pause(answer.headers.get("retry-after"), now),
        trouble=f"{answer.status} from {answer.host}: {rule.says}",
    )


def judge_silence(why: str, host: str, count: int, delay: RetryDelay = RetryDelay.SOON) -> Verdict:
    """Judge a request without an answer: it is sent again in any case."""
    return Verdict((ItemFate("again"),) * count, delay=delay, whole=True, trouble=f"no answer from {host}: {why}")


def judge(answer: HttpResponse, count: int, now: datetime) -> Verdict:
    """Judge an answer of the ingestion service to `count` items.

    A 200 or 206 with another body than the service's accepts nothing: a server at a wrong address may answer 200.
    """
    report = _read_report(answer.body)
    if answer.status in {200, 206} and report is None:
        return judge_status(answer, count, now, _SPEECHLESS)
    if report is None or (answer.status not in {200, 206} and not report.errors):
        return judge_status(answer, count, now)
    return _judge_items(answer, report, count, now)


@dataclass(frozen=True, slots=True)
class _Report:
    accepted: int | None
    errors: Sequence[Any]


def _read_report(body: bytes) -> _Report | None:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(document, dict):
        return None
    accepted, errors = _whole_number(document.get("itemsAccepted")), document.get("errors")
    if isinstance(errors, list):
        return _Report(accepted, errors)
    return _Report(accepted, ()) if accepted is not None else None


def _judge_items(answer: HttpResponse, report: _Report, count: int, now: datetime) -> Verdict:
    fates: dict[int, ItemFate] = {}
    paces, said, stray = [RetryDelay.AT_ONCE], "", False
    for entry in report.errors:
        index = _index_of(entry, count)
        if index is None:
            stray = True
            continue
        fate, rule, code = _judge_entry(entry, answer.status)
        fates[index] = max(fates.get(index, fate), fate, key=lambda each: _ORDER.index(each.fate))
        if rule.delay >= max(paces) and fate.fate == "again":
            said = f"{code} from {answer.host}: {rule.says}"
            paces.append(rule.delay)
    rest = _judge_unlisted(answer.status, report.accepted, count - len(fates), stray=stray, alone=count == 1)
    items = tuple(fates.get(index, rest) for index in range(count))
    again = [item for item in items if item.fate == "again"]
    return Verdict(
        items,
        delay=max(paces),
        halve=rest.fate == "again" and len(fates) < count and len(again) > 1,
        whole=len(fates) == count == len(again) > 1,
        asked=asked_pause(answer.headers.get("retry-after"), now),
        trouble=(said or f"{answer.status} from {answer.host}: items are left open") if again else None,
    )


def _judge_unlisted(status: int, accepted: int | None, unlisted: int, *, stray: bool, alone: bool) -> ItemFate:
    """Judge the items that no error names: accepted if the numbers agree."""
    if status in {200, 206} and (accepted >= unlisted if accepted is not None else not stray):
        return ItemFate("accepted")
    return ItemFate("refused", f"{status}: not accepted, and no reason given") if alone else ItemFate("again")


def _judge_entry(entry: Any, status: int) -> tuple[ItemFate, Rule, int]:
    entry = entry if isinstance(entry, dict) else {}
    code, message = _whole_number(entry.get("statusCode")), entry.get("message")
    rule = rule_of(status if code is None else code)
    if code is None:
        code, rule = status, _UNKNOWN if status in {200, 206} else rule
    text = message if isinstance(message, str) else ""
    if rule.alone == "refused" and text.strip().lower().startswith(_WRONG_KEY_MESSAGE):
        rule = _WRONG_KEY
    if rule.alone != "refused":
        return ItemFate(rule.alone), rule, code
    numbered = _NUMBER.match(text)
    number = numbered[1] if numbered else ""
    said = f"{code} {number}".rstrip() + f": {_REASONS.get(number, rule.says)}"
    return ItemFate("late" if number == _TOO_OLD else "refused", said), rule, code


def _index_of(entry: Any, count: int) -> int | None:
    """Return the item that an error is about; None if unknown. If there is only one item, every error is about it."""
    if count == 1:
        return 0
    index = _whole_number(entry.get("index")) if isinstance(entry, dict) else None
    return index if index is not None and 0 <= index < count else None


def _whole_number(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
