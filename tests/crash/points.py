"""The steps of settling, and where in them a replica is killed (before, during or after) or frozen (before)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Step = Literal["header", "claim", "record", "send", "marks", "cursor", "checkpoint"]
When = Literal["before", "during", "after"]

STEPS: tuple[Step, ...] = ("record", "send", "cursor", "checkpoint", "marks", "claim", "header")
WHENS: tuple[When, ...] = ("after", "before", "during")

ALL: tuple[tuple[Step, When], ...] = tuple((step, when) for when in WHENS for step in STEPS)


@dataclass(frozen=True, slots=True)
class CrashPoint:
    """Where a replica is to kill itself."""

    step: Step
    when: When
    turn: int
    """At which of its steps of this kind, from 1."""
    delay: float
    """Seconds from the beginning of the step, for `during`."""

    @property
    def name(self) -> str:
        """What the table of coverage calls it."""
        return f"{self.step} {self.when}"


FROZEN_SECONDS = 4.5
"""How long a replica stands still: by then another has its partitions, and has recorded what it had not."""


@dataclass(frozen=True, slots=True)
class Freeze:
    """Where a replica is to stand still for a while, to go on as if nothing had happened."""

    step: Step
    turn: int
    """At which of its steps of this kind, from 1; before it."""
