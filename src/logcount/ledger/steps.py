"""The steps of the ledger's protocol: each is asked for by a generator, taken by its caller, and answered.

A step that changes something is answered with True (this call did it), False (it is not so any more: another was
there first) or None (the answer is not known: it may have been done, or may yet be). Reads are answered once there is
an answer. The protocol is sound whatever happens between two steps.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from logcount.model.points import Item

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Read:
    """Read an object of the store; the answer has `data` and `tag`, or is None where there is no such object."""

    name: str


@dataclass(frozen=True, slots=True)
class Create:
    """Write an object if there is none of that name."""

    name: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Replace:
    """Write over an object if it still has this tag."""

    name: str
    data: bytes
    tag: str


@dataclass(frozen=True, slots=True)
class Send:
    """Give items to the sink until each is accepted or marked; the answer is the marks."""

    items: Sequence[Item]


Step = Read | Create | Replace | Send
Steps = Generator[Step, Any, Result]
