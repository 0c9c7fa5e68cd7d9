"""What a worker says of a part, and what is needed of parts and of those who read them; satisfied by shape."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from logcount.model.events import Handler
    from logcount.replay.replay import Share

Line = tuple[str, int, str]
"""A line about one exchange: what stands before the position of its event, the position, what stands behind it."""


class Part(Protocol):
    """A piece of an archive that can be read by itself."""

    @property
    def portable(self) -> bool:
        """Whether another process can read it."""
        ...


class Answer(NamedTuple):
    """What a part came to, read and counted by itself."""

    share: Share
    lines: list[Line]
    """Of the exchanges in the share's summary, in their order; positions are those within the part."""
    trace: Any
    """What the reading took for granted, in the words of who reads."""


class Delivery(Protocol):
    """One way through an archive: its parts in order, each read here or elsewhere."""

    async def next_part(self) -> Any | None:
        """Return the next part; None at the end."""
        ...

    async def deliver(self, part: Any, handle: Handler, /) -> None:
        """Read a part here and now."""
        ...

    def place(self, part: Any, /) -> int | None:
        """Return how many records of its file lie before a part; None where it is not to be read any more."""
        ...

    def accept(self, part: Any, trace: Any, /) -> bool:
        """Take over what was read elsewhere; False, and nothing is, where the part must be read here, in order."""
        ...

    def finish(self) -> None:
        """Say what could not be read, if anything."""
        ...
