"""The steps of the ledger's protocol: a generator yields a step, its caller performs it and sends the answer.

A step that writes is answered with True (this call wrote), False (another process was first) or None (unknown: it may
have been written, or may still be written later). A read always has an answer in the end. The protocol is correct
whatever happens between two steps.
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
    """Read an object of the store; the answer has `data` and `tag`, or is None if there is no such object."""

    name: str


@dataclass(frozen=True, slots=True)
class Create:
    """Write an object if the name is free."""

    name: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Replace:
    """Replace an object if it still has this tag."""

    name: str
    data: bytes
    tag: str


@dataclass(frozen=True, slots=True)
class Send:
    """Send items to the sink until each is accepted or marked; the answer is the marks."""

    items: Sequence[Item]


Step = Read | Create | Replace | Send
Steps = Generator[Step, Any, Result]
