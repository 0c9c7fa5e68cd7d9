"""Counts one part of an archive by itself, without knowledge of the parts before it."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from logcount.pipeline import DecodedEvent, Pipeline, stands_alone
from logcount.replay.replay import Replay

if TYPE_CHECKING:
    from logcount.aggregate import Summary
    from logcount.model.counts import Outcome
    from logcount.model.events import LogEvent

Line = tuple[str, int, str]
"""A line about one exchange: the text before its event's position, the position, and the text after it."""

MakeLine = Callable[["LogEvent", "Outcome"], Line]


class PartReader(Protocol):
    """Reads one part by itself."""

    @property
    def tidy(self) -> bool:
        """Whether it is certain so far that no event repeats another, and that the right files are read."""
        ...

    @property
    def trace(self) -> Any:
        """What the reading assumed; needed to put the parts in order."""
        ...

    def batches(self, part: Any, /) -> Generator[list[LogEvent]]:
        """Yield the events of the part in batches."""
        ...


class PartResult(NamedTuple):
    """The result of a part."""

    summary: Summary
    """The summary of the batches before the first one that may be joined with an event of another part."""
    lines: list[Line]
    """The lines of the exchanges in the summary, in order; positions count within the part."""
    ahead: list[list[DecodedEvent]]
    """The other batches, counted ahead: their outcomes depend on earlier events."""
    trace: Any


class PartCounter:
    """Counts parts, one after another.

    Args:
        pipeline: makes the pipeline for a part.
        reader: makes the reader of a part.
        summary: makes an empty summary.
        make_line: makes the line of an outcome; None if no lines are wanted.
        most_waiting: the most events and lines of one part that may wait for its turn.
    """

    def __init__(
        self,
        pipeline: Callable[[], Pipeline],
        reader: Callable[[], PartReader],
        summary: Callable[[], Summary],
        make_line: MakeLine | None,
        most_waiting: int,
    ) -> None:
        self._pipeline = pipeline
        self._reader = reader
        self._summary = summary
        self._make_line = make_line
        self._most_waiting = most_waiting

    def __call__(self, part: Any) -> PartResult | None:
        """Read and count a part; None if it must be counted in order."""
        reader, pipeline = self._reader(), self._pipeline()
        result = PartResult(self._summary(), [], [], None)
        replay = Replay(pipeline, result.summary, self._each(result.lines))
        waiting = 0
        for batch in reader.batches(part):
            decoded = [pipeline.decode(event) for event in batch]
            if result.ahead or not all(map(stands_alone, decoded)):
                result.ahead.append([pipeline.count_ahead(one) for one in decoded])
                waiting += len(batch)
            else:
                replay.add(batch, pipeline.join(decoded))
            if not reader.tidy or waiting + len(result.lines) > self._most_waiting:
                return None
        return result._replace(trace=reader.trace)

    def _each(self, lines: list[Line]) -> Callable[[LogEvent, Outcome], None] | None:
        make_line = self._make_line
        return None if make_line is None else lambda event, outcome: lines.append(make_line(event, outcome))


class Delivery(Protocol):
    """One delivery of an archive: its parts in order, each read here or in another process."""

    async def next_part(self) -> Any | None:
        """Return the next part; None at the end."""
        ...

    async def deliver(self, part: Any, handle: Callable[[Sequence[LogEvent]], Any], /) -> None:
        """Read a part in this process."""
        ...

    def records_before(self, part: Any, /) -> int | None:
        """Return how many records of its file come before a part; None if the part must be skipped."""
        ...

    def accept(self, part: Any, trace: Any, /) -> bool:
        """Take over a part read elsewhere; return False, and change nothing, if it must be read here, in order."""
        ...

    def finish(self) -> None:
        """Report what could not be read; raises Unreadable."""
        ...
