"""The ports: what the program asks of the systems around it, and the values that pass; satisfied by shape.

Law: a port imports no adapter and no loop, so that each adapter knows the port alone.
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
        """Hand every event to `handle`, batch by batch, and return when there are no more."""
        ...


class Notes(Protocol):
    """Takes down what does not answer, and when it does again."""

    def rise(self, what: str, why: str) -> None:
        """Say that something does not answer."""
        ...

    def settle(self, what: str) -> None:
        """Say that it answers."""
        ...

    def forget(self, what: str) -> None:
        """Say that nobody waits for it to answer any more."""
        ...


class Reader(Protocol):
    """Reads the partitions of a hub: what a hub's source asks and tells, partition by partition.

    A source calls these for one partition in turn, never two at once; for different partitions they run side by side.
    """

    async def start(self, partition: str) -> str | None:
        """Return the offset of the event with which to begin, itself included; None: the first that is retained."""
        ...

    async def take(self, partition: str, batch: Sequence[LogEvent]) -> None:
        """Take the next uncommitted events; they are read again from `start` where this raises, or the process ends.

        While a partition is quiet, an empty batch is handed over every few seconds: what has ended the link in the
        meantime can be told only so.
        """
        ...

    async def leave(self, partition: str) -> None:
        """Settle what is uncommitted, if that can be: nothing more will be handed over before the next `start`."""
        ...


@dataclass(frozen=True, slots=True)
class HubState:
    """What a hub says of itself."""

    created: datetime
    """When it was made: a hub that is deleted and made again under its name has another."""
    partitions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PartitionState:
    """What a hub says of one partition."""

    first: int
    """The first sequence number that is retained."""
    last: int
    """The last one that was given; -1 where there is none yet."""


class Hub(Protocol):
    """A hub of partitions; every method raises `Unavailable` where it does not answer."""

    @property
    def name(self) -> str:
        """The name of the hub's logs in the ledger."""
        ...

    async def state(self) -> HubState:
        """Return what the hub is now."""
        ...

    async def partition(self, partition: str) -> PartitionState:
        """Return what a partition holds now."""
        ...

    async def checkpointed(self, partition: str) -> tuple[int, str] | None:
        """Return the sequence number and offset of the partition's checkpoint, or None where there is none."""
        ...

    async def checkpoint(self, partition: str, number: int, offset: str) -> None:
        """Write the partition's checkpoint."""
        ...

    async def deliver(self, reader: Reader) -> None:
        """Hand the partitions that fall to this process to the reader, until cancelled.

        Raises:
            Unavailable: it cannot go on as it was set up (partitions were added, the hub was made again): start again.

        """
        ...


@dataclass(frozen=True, slots=True)
class Stored:
    """What a store holds under a name, with the tag that this content has there."""

    data: bytes
    tag: str


class Store(Protocol):
    """Keeps named, small objects (4 MiB at most); strongly consistent: what was created is read by all at once.

    Names are made of segments between `/`, as `eventhub:contoso/apim-logs/0/17`. Every method raises `Unavailable`
    where the store does not answer, or does not say what it did: then the object may have been written, or may yet be.
    """

    async def read(self, name: str) -> Stored | None:
        """Return what is there under the name, or None where nothing is."""
        ...

    async def create(self, name: str, data: bytes) -> bool:
        """Write the object whole and lastingly if there is none of that name; say whether this call wrote it."""
        ...

    async def replace(self, name: str, data: bytes, tag: str) -> bool:
        """Write over the object if it still has this tag; say whether this call wrote it."""
        ...

    async def delete(self, name: str, tag: str) -> bool:
        """Remove the object if it still has this tag; say whether this call removed it."""
        ...

    async def names(self, prefix: str) -> list[str]:
        """Return, in order of code points, the names that begin so; the prefix may end within a segment, or be empty.

        What stood before the call and after it is in the answer. What is written or removed meanwhile may be.
        """
        ...


class Counting(Protocol):
    """Counts events, wherever that is done."""

    @property
    def restarts(self) -> int:
        """How often what counts had to be started anew."""
        ...

    @property
    def trouble(self) -> str | None:
        """Why nothing is counted just now, for health; None while all is well."""
        ...

    async def count(self, partition: str, batch: Sequence[LogEvent]) -> list[list[Tally]]:
        """Return what each event came to; never raises for what is in an event."""
        ...


class Sink(Protocol):
    """Takes points; at least once, and says of each that it does not take why not."""

    @property
    def name(self) -> str:
        """The name of its cursor in the ledger: `appinsights`, `otlp`."""
        ...

    @property
    def trouble(self) -> str | None:
        """Why nothing is accepted just now, for health; None while all is well."""
        ...

    async def send(self, items: Sequence[Item]) -> list[Mark]:
        """Return when every item is accepted or in the marks; until then try again, for hours if need be."""
        ...

    async def tell(self, points: Sequence[Point]) -> None:
        """Try once to hand over points that stand in no ledger, as the consumer's own state; never raises."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...


class Tokenizer(Protocol):
    """A model's own tokenizer and chat template; both raise `Uncountable` where they refuse an input."""

    @property
    def name(self) -> str:
        """What counts are labelled with."""
        ...

    @property
    def fingerprint(self) -> str:
        """A short hash of the tokenizer and template that really run."""
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
        """Return the conversation as the model is shown it; templates that ask for the date get `date`."""
        ...


TokenizerFor = Callable[[str | None], Tokenizer | None]
"""Finds the tokenizer of a model by its name; None where there is none, for a count is never guessed."""
