"""The budget of active time series: Azure Monitor counts those with a value in the last twelve hours."""

from __future__ import annotations

from datetime import datetime, timedelta

ACTIVE = timedelta(hours=12)
"""How long a series counts as active after its last value (Azure Monitor, custom metrics overview)."""


class SeriesBudget:
    """Admits combinations of dimension values while their series fit; admitted ones stay while they are used."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._used: dict[object, tuple[datetime, int]] = {}
        self._active = 0

    def admits(self, combination: object, series: int, now: datetime) -> bool:
        """Return whether a combination, which makes `series` time series, may be emitted unchanged.

        Combinations are kept in the order of their last use, oldest first.
        """
        known = self._used.pop(combination, None)
        if known is None:
            if self._active + series > self._most:
                self._forget(now)
            if self._active + series > self._most:
                return False
            self._active += series
        self._used[combination] = now, series
        return True

    def _forget(self, now: datetime) -> None:
        """Drop the combinations that were not used for twelve hours."""
        for combination, (used, series) in list(self._used.items()):
            if now - used < ACTIVE:
                break
            del self._used[combination]
            self._active -= series
