"""The ports: protocols that sources, hubs, stores, sinks and tokenizers implement, and the values they exchange.

Law: a port imports no adapter and no event loop; adapters know only the ports.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from datetime import datetime

    from logcount.model.events import Handler, LogEvent
    from logcount.model.points import Item, Mark, Point, Tally


class Source(Protocol):
    """Where log events come from."""

    async def deliver(self, handle: Handler) -> None:
        """Pass every event to `handle`, batch by batch, and return when there are no more."""
        ...


class Notes(Protocol):
    """Records which systems do not answer, and when they answer again."""

    def rise(self, what: str, why: str) -> None:
        """Record that a system does not answer."""
        ...

    def settle(self, what: str) -> None:
        """Record that it answers."""
        ...

    def forget(self, what: str) -> None:
        """Drop the entry: nothing waits for an answer any more."""
        ...


class Reader(Protocol):
    """Takes the events of a hub's partitions; the hub's source calls it.

    Calls for one partition follow each other, never two at once; calls for different partitions run concurrently.
    """

    async def start(self, partition: str) -> str | None:
        """Return the offset of the first event to deliver (inclusive); None: the first retained event."""
        ...

    async def take(self, partition: str, batch: Sequence[LogEvent]) -> None:
        """Take the next uncommitted events; they are read again from `start` if this raises or the process ends.

        While a partition is quiet, an empty batch is delivered every few seconds, so that the reader can raise.
        """
        ...

    async def leave(self, partition: str) -> None:
        """Settle what is uncommitted, if possible; nothing more is delivered before the next `start`."""
        ...


@dataclass(frozen=True, slots=True)
class HubState:
    """The state of a hub."""

    created: datetime
    """When the hub was created; a hub that is deleted and created again under the same name has another."""
    partitions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PartitionState:
    """The state of one partition."""

    first: int
    """The first sequence number that is retained."""
    last: int
    """The last sequence number assigned; -1 where there is none yet."""


class Hub(Protocol):
    """A hub of partitions; every method raises `Unavailable` if the hub does not answer."""

    @property
    def name(self) -> str:
        """The name of the hub's logs in the ledger."""
        ...

    async def state(self) -> HubState:
        """Return the present state of the hub."""
        ...

    async def partition(self, partition: str) -> PartitionState:
        """Return the present state of a partition."""
        ...

    async def checkpointed(self, partition: str) -> tuple[int, str] | None:
        """Return the sequence number and offset of the partition's checkpoint, or None where there is none."""
        ...

    async def checkpoint(self, partition: str, number: int, offset: str) -> None:
        """Write the partition's checkpoint."""
        ...

    async def deliver(self, reader: Reader) -> None:
        """Deliver the partitions assigned to this process to the reader, until cancelled.

        Raises:
            Unavailable: partitions were added, or the hub was created again: call `deliver` again.

        """
        ...


@dataclass(frozen=True, slots=True)
class Stored:
    """An object of a store: its content and the tag of this content."""

    data: bytes
    tag: str


class Store(Protocol):
    """Keeps small named objects (4 MiB at most); strongly consistent: all readers see a created object at once.

    Names are segments joined by `/`, as `eventhub:contoso/apim-logs/0/17`. Every method raises `Unavailable` if the
    store does not answer clearly: the object may then have been written, or may still be written later.
    """

    async def read(self, name: str) -> Stored | None:
        """Return the object of this name, or None."""
        ...

    async def create(self, name: str, data: bytes) -> bool:
        """Write the object atomically and durably if the name is free; return whether this call wrote it."""
        ...

    async def replace(self, name: str, data: bytes, tag: str) -> bool:
        """Replace the object if it still has this tag; return whether this call wrote it."""
        ...

    async def delete(self, name: str, tag: str) -> bool:
        """Delete the object if it still has this tag; return whether this call deleted it."""
        ...

    async def names(self, prefix: str) -> list[str]:
        """Return the names with this prefix, in code point order; the prefix may end within a segment, or be empty.

        Objects that exist before and after the call are included. Objects created or deleted during it may be.
        """
        ...


class Counting(Protocol):
    """Counts events, in this process or in others."""

    @property
    def restarts(self) -> int:
        """How many worker processes had to be started again."""
        ...

    @property
    def trouble(self) -> str | None:
        """Why nothing is counted just now, for health; None while all is well."""
        ...

    async def count(self, partition: str, batch: Sequence[LogEvent]) -> list[list[Tally]]:
        """Return the tallies of each event; never raises because of the content of an event."""
        ...


class Sink(Protocol):
    """Takes points, at least once each, and gives a reason for each point that it refuses."""

    @property
    def name(self) -> str:
        """The name of its cursor in the ledger: `appinsights`, `otlp`."""
        ...

    @property
    def trouble(self) -> str | None:
        """Why nothing is accepted at present, for the health report; None if there is no trouble."""
        ...

    async def send(self, items: Sequence[Item]) -> list[Mark]:
        """Return when every item is accepted or in the marks; retry until then, for hours if necessary."""
        ...

    async def tell(self, points: Sequence[Point]) -> None:
        """Try once to send points that are not in the ledger, such as the consumer's own state; never raises."""
        ...

    async def close(self) -> None:
        """Close connections."""
        ...


class Tokenizer(Protocol):
    """A model's own tokenizer and chat template; both raise `Uncountable` if they refuse an input."""

    @property
    def name(self) -> str:
        """The label of its counts."""
        ...

    @property
    def fingerprint(self) -> str:
        """A short hash of the tokenizer and template in use."""
        ...

    def count(self, text: str, *, special: bool = False) -> int:
        """Return the number of tokens of a text; `special` adds those that servers put around bare texts."""
        ...

    def render(
        self,
        messages: Sequence[Mapping[str, Any]],
        *,
        tools: Sequence[Any] | None = None,
        open_reply: bool = True,
        options: Mapping[str, Any] = ...,
        date: datetime,
    ) -> str:
        """Return the conversation as text for the model; templates that ask for the date get `date`."""
        ...


TokenizerFor = Callable[[str | None], Tokenizer | None]
"""Finds the tokenizer of a model by its name; None if there is none: counts are never guessed."""
