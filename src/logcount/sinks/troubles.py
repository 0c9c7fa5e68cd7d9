"""What keeps a sink from delivering just now: what, since when, and when it is tried again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class _Trouble:
    what: str
    since: datetime
    until: datetime


class Troubles:
    """Troubles by what is in trouble; the one that has lasted longest is the one to tell."""

    def __init__(self) -> None:
        self._held: dict[object, _Trouble] = {}

    def begin(self, of: object, what: str, now: datetime, until: datetime) -> None:
        """Note a trouble, or what an old one is by now; `until` is the next attempt."""
        old = self._held.get(of)
        self._held[of] = _Trouble(what, old.since if old else now, until)

    def end(self, of: object) -> None:
        """Forget a trouble."""
        self._held.pop(of, None)

    def told(self, now: datetime) -> str | None:
        """Return the trouble in words; None while all is well."""
        if not self._held:
            return None
        trouble = min(self._held.values(), key=lambda each: each.since)
        left = (trouble.until - now).total_seconds()
        coming = f"next attempt in {left:.0f} s" if left > 0 else "next attempt now"
        return f"{trouble.what}, since {trouble.since:%Y-%m-%dT%H:%M:%SZ}, {coming}"
