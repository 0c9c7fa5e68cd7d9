"""Parts of an archive: each is read and counted by itself, without knowledge of the parts before it."""

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
"""A line about one exchange: what stands before the position of its event, the position, what stands behind it."""

MakeLine = Callable[["LogEvent", "Outcome"], Line]


class PartReader(Protocol):
    """Reads one part by itself."""

    @property
    def tidy(self) -> bool:
        """Whether it is certain so far that no event is a repeat of another, and that the right files are read."""
        ...

    @property
    def trace(self) -> Any:
        """What the reading took for granted, for whoever puts the parts in order."""
        ...

    def batches(self, part: Any, /) -> Generator[list[LogEvent]]:
        """Give the events of the part in batches."""
        ...


class PartResult(NamedTuple):
    """What a part came to."""

    summary: Summary
    """Of the batches before the first in which something may be joined to an event of another part."""
    lines: list[Line]
    """Of the exchanges in the summary, in their order; positions are those within the part."""
    ahead: list[list[DecodedEvent]]
    """The other batches, counted ahead: what becomes of them depends on what came before."""
    trace: Any


class PartCounter:
    """Counts parts, one after another.

    Args:
        pipeline: makes the pipeline that a part is counted by.
        reader: makes what reads a part.
        summary: makes an empty summary.
        make_line: makes the line of an outcome; None where no lines are asked for.
        most_waiting: how many events and lines of one part may wait for its turn.
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
        """Read and count a part; None where it must be counted in its order."""
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
    """One way through an archive: its parts in order, each read here or elsewhere."""

    async def next_part(self) -> Any | None:
        """Return the next part; None at the end."""
        ...

    async def deliver(self, part: Any, handle: Callable[[Sequence[LogEvent]], Any], /) -> None:
        """Read a part here and now."""
        ...

    def records_before(self, part: Any, /) -> int | None:
        """Return how many records of its file lie before a part; None where it is not to be read any more."""
        ...

    def accept(self, part: Any, trace: Any, /) -> bool:
        """Take over what was read elsewhere; False, and nothing is, where the part must be read here, in order."""
        ...

    def finish(self) -> None:
        """Say what could not be read, if anything."""
        ...
