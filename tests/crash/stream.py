"""The stream of a run: seeded events of every kind, and what each must come to."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

BODY_WORD, NAME_WORD = "numbat", "quoll"
"""In every body, and in every dimension's value: neither may be in a log."""
REFUSED_API = f"{NAME_WORD}-refused"
"""Whose points ingestion refuses, in runs that have such."""

MODELS = tuple(f"{NAME_WORD}/{name}" for name in ("large", "small", "coder"))
APIS = tuple(f"{NAME_WORD}-{number}" for number in range(3))
LARGEST_NUMBER = 1_000_000
"""Token numbers are drawn up to here, so that a lost and a doubled event cannot make up for each other."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one exchange, or one event in which there is none, must come to."""

    word: str
    dimensions: tuple[tuple[str, str], ...] = ()
    reason: str = ""
    prompt: int = 0
    completion: int = 0


@dataclass(frozen=True, slots=True)
class Event:
    """A body, and what it must come to."""

    body: bytes
    outcomes: tuple[Outcome, ...]
    minute: str | None = None
    """The minute that its body says; None: that of its arrival."""


def minute_text(time: datetime) -> str:
    """Write a minute as the ledger does."""
    return time.strftime("%Y-%m-%dT%H:%MZ")


class Author:
    """Writes events."""

    def __init__(self, seed: int, base: datetime, *, refused: bool) -> None:
        self._random = random.Random(f"stream {seed}")
        self._base = base
        self._apis = (*APIS, REFUSED_API) if refused else APIS
        self._number = 0

    def event(self) -> Event:
        """Write the next event."""
        kinds, weights = zip(*_KINDS, strict=True)
        event: Event = self._random.choices(kinds, weights)[0](self)
        return event

    def reported(self, filler: int = 0, *, late: bool = False) -> Event:
        time = self._time(late=late)
        document, outcome = self._reported(filler, time)
        return Event(json.dumps(document).encode(), (outcome,), minute_text(time) if time else None)

    def late(self) -> Event:
        """Write an event older than the sink takes: its points are marked."""
        return self.reported(late=True)

    def large(self) -> Event:
        return self.reported(self._random.randrange(100_000, 200_000))

    def several(self) -> Event:
        """Write two exchanges in one event."""
        time = self._time()
        pair = [self._reported(0, time) for _ in range(2)]
        outcomes = tuple(outcome for _, outcome in pair)
        return Event(
            json.dumps([document for document, _ in pair]).encode(), outcomes, minute_text(time) if time else None
        )

    def uncounted(self) -> Event:
        api, model, time = self._random.choice(self._apis), self._random.choice(MODELS), self._time()
        asked = {"model": model, "messages": [{"role": "user", "content": BODY_WORD}]}
        answered = {"model": model, "choices": [{"message": {"content": BODY_WORD}, "finish_reason": "stop"}]}
        named: tuple[tuple[str, str], ...] = (("API ID", api),)
        reason = "neither bodies nor usage in the log"
        document = self._document(api, time)
        if self._random.random() < 0.5:
            document |= {"responseBody": json.dumps(answered), "requestBody": json.dumps(asked)}
            named, reason = (*named, ("Model", model)), "no tokenizer for this model"
        outcome = Outcome("uncounted", named, reason)
        return Event(json.dumps(document).encode(), (outcome,), minute_text(time) if time else None)

    def poison(self) -> Event:
        body, reason = self._random.choice(_POISONS)
        return Event(body, (Outcome("rejected", reason=reason),))

    def skipped(self) -> Event:
        status, time = self._random.choice((400, 429, 500)), self._time()
        document = self._document(self._random.choice(self._apis), time, status=status)
        document["responseBody"] = json.dumps({"error": {"message": BODY_WORD}})
        return Event(json.dumps(document).encode(), (Outcome("skipped", reason=f"status {status}"),))

    def _time(self, *, late: bool = False) -> datetime | None:
        if late:
            return self._base - timedelta(days=3)
        offset = self._random.randrange(-2, 2)
        return None if offset > 0 else self._base + timedelta(minutes=offset, seconds=self._random.randrange(60))

    def _document(self, api: str, time: datetime | None, status: int = 200) -> dict[str, Any]:
        self._number += 1
        document = {"v": 1, "requestId": f"r{self._number}", "apiId": api, "status": status}
        return document if time is None else document | {"time": time.strftime("%Y-%m-%dT%H:%M:%SZ")}

    def _reported(self, filler: int, time: datetime | None) -> tuple[dict[str, Any], Outcome]:
        api, model = self._random.choice(self._apis), self._random.choice(MODELS)
        prompt, completion = self._random.randint(1, LARGEST_NUMBER), self._random.randint(1, LARGEST_NUMBER)
        answered = {
            "model": model,
            "choices": [{"message": {"content": BODY_WORD + "x" * filler}, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion},
        }
        named = (("API ID", api), ("Model", model), ("Counted By", "usage"))
        document = self._document(api, time) | {"responseBody": json.dumps(answered)}
        return document, Outcome("counted", named, "", prompt, completion)


_KINDS = (
    *((Author.reported, 72), (Author.uncounted, 8), (Author.poison, 6), (Author.skipped, 8)),
    *((Author.several, 3), (Author.late, 2), (Author.large, 1)),
)
"""Kinds of events, and how many of a hundred are of each."""
_POISONS = (
    (f"{BODY_WORD} is not JSON".encode(), "not JSON"),
    (b"", "an empty event"),
    (b'{"v":1}', "no known envelope"),
    (b'{"v": 1, "requestId"', "an event that breaks off before its bodies"),
)


@dataclass(frozen=True, slots=True)
class Published:
    """An event as the hub took it."""

    event: Event
    enqueued: datetime

    @property
    def minute(self) -> str:
        """The minute that it belongs to."""
        return self.event.minute or minute_text(self.enqueued)


def now() -> datetime:
    """Return the time as the hub keeps it: in milliseconds."""
    time = datetime.now(UTC)
    return time.replace(microsecond=time.microsecond // 1000 * 1000)
