"""Troubles: which systems do not answer at present, since when and why, for the health report and the log."""

from __future__ import annotations

import logging
import traceback
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why a system does not answer, and since when."""

    why: str
    since: datetime


class Troubles:
    """Keeps the present troubles by system; each is logged when it starts, changes and ends."""

    def __init__(self, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._clock = clock
        self._present: dict[str, Trouble] = {}

    @property
    def present(self) -> dict[str, Trouble]:
        """The present troubles."""
        return dict(self._present)

    def rise(self, what: str, why: str) -> None:
        """Record that a system does not answer."""
        known = self._present.get(what)
        if known is None or known.why != why:
            self._present[what] = Trouble(why, known.since if known else self._clock())
            _LOGGER.warning("%s: %s", what, why)

    def report_unexpected(self, what: str, error: Exception) -> str:
        """Say that something ended by an error that was not foreseen, and return where; each place is logged once.

        The error's text is left out, for it may hold a piece of a body: its type and the lines of code say enough.
        """
        frames = traceback.extract_tb(error.__traceback__)
        trace = [f"{frame.filename.rpartition('logcount/')[2]}:{frame.lineno} {frame.name}" for frame in frames]
        why = f"unexpected {type(error).__name__} at {trace[-1] if trace else 'an unknown place'}"
        known = self._present.get(what)
        if known is None or known.why != why:
            self._present[what] = Trouble(why, known.since if known else self._clock())
            _LOGGER.error("%s: %s", what, why, extra={"fields": {"trace": trace}})
        return why

    def settle(self, what: str) -> None:
        """Record that it answers."""
        known = self._present.pop(what, None)
        if known is not None:
            seconds = round((self._clock() - known.since).total_seconds())
            _LOGGER.info("%s: answers again after %d s", what, seconds)

    def forget(self, what: str) -> None:
        """Drop the entry: nothing waits for an answer any more."""
        self._present.pop(what, None)
