"""Reads parts, one after another, and keeps the state that a part needs from the parts before it."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from logcount.errors import Unreadable
from logcount.sources.archive.capture_paths import read_capture_path
from logcount.sources.archive.containers import read_events, read_lines
from logcount.sources.archive.files import OpenFile
from logcount.sources.archive.limits import MIB, Limits
from logcount.sources.archive.origin import Origin
from logcount.sources.archive.progress import Progress, Section, WatchedInput
from logcount.sources.archive.seen import RisingNumbers, SeenNumbers

if TYPE_CHECKING:
    from collections.abc import Generator, Hashable, Iterable, Iterator, Mapping, Sequence

    from logcount.model.events import LogEvent
    from logcount.sources.archive.inputs import Input, OpenInput
    from logcount.sources.archive.parts import Part
    from logcount.sources.archive.seen import Numbers, Run

BATCH_EVENTS = 500
_BATCH_BYTES = 8 * MIB
"""A batch holds at most this much data, or one event; this bounds memory."""
_FAILURES = 5
"""After this many unreadable files the disk or the network has failed, and reading stops."""


@dataclass(frozen=True, slots=True)
class Trace:
    """What is known after a part was read by itself; needed to put the parts in order."""

    tidy: bool
    """Whether it is certain that the right files were read, and that no event repeats another."""
    runs: Mapping[Hashable, Sequence[Run]]
    """The sequence numbers in it, by partition."""
    failures: tuple[str, ...]
    """The reasons why files could not be read."""
    records: int
    """The number of records of the last file, as far as it was read."""
    read_bytes: int


class PartReader:
    """Reads parts in the order of the archive, or one part by itself (see `read_apart`)."""

    def __init__(self, numbers: Numbers, limits: Limits, progress: Progress) -> None:
        self._numbers = numbers
        self._limits = limits
        self.progress = progress
        self.failures: list[str] = []
        self.records = 0
        """The number of records read so far from the latest file."""
        self._broken = False
        """Whether the latest file could not be read to its end."""
        self._strange = False
        """Whether an opened file was not the expected one."""

    @property
    def gives_up(self) -> bool:
        """Whether too many files could not be read."""
        return len(self.failures) >= _FAILURES

    def skips(self, part: Part) -> bool:
        """Whether an earlier part of the same file could not be read."""
        return part.continues and self._broken

    def batches(self, part: Part, most: int = BATCH_EVENTS) -> Generator[list[LogEvent]]:
        """Yield the events of a part in batches; unreadable files are added to `failures`."""
        return _batches(self._runs(part), most)

    @property
    def tidy(self) -> bool:
        """Whether it is certain so far that the right files are read, and that no event repeats another."""
        return not self._strange and (not isinstance(self._numbers, RisingNumbers) or self._numbers.tidy)

    @property
    def trace(self) -> Trace:
        """The trace of a part that was read by itself."""
        runs = self._numbers.runs if isinstance(self._numbers, RisingNumbers) else {}
        return Trace(self.tidy, runs, tuple(self.failures), self.records, self.progress.read_bytes)

    def accept(self, part: Part, trace: Trace) -> bool:
        """Take over the trace of a part read by itself; False, without any change, if it must be read in order.

        That is so if one of its events may repeat an earlier one, or if it may exceed the limit of unreadable files.
        """
        if not trace.tidy or len(self.failures) + len(trace.failures) >= _FAILURES:
            return False
        if not (isinstance(self._numbers, SeenNumbers) and self._numbers.append(trace.runs)):
            return False
        self.failures += trace.failures
        self._broken = bool(trace.failures)
        self.records = trace.records + (self.records if part.continues else 0)
        self.progress.read_bytes += trace.read_bytes
        return True

    def finish(self) -> None:
        """Raise Unreadable with the reasons of all failures, if there are any."""
        if self.failures:
            raise Unreadable("; ".join(self.failures))

    def _runs(self, part: Part) -> Iterator[list[LogEvent]]:
        if self.skips(part):
            return
        for input_, again, identity in zip(part.inputs, part.again, part.identities, strict=True):
            self._broken = False
            self.records = self.records if part.continues else 0
            try:
                yield from self._read(part, input_, identity, _origin(input_, self._numbers, again=again))
            except Unreadable as error:  # the others may well be read
                self.failures.append(str(error))
                self._broken = True
                if self.gives_up:
                    return

    def _read(self, part: Part, place: Input, identity: Hashable, origin: Origin) -> Iterator[list[LogEvent]]:
        with closing(place.open(self.progress.check)) as reading:
            self._strange |= isinstance(reading, OpenFile) and reading.identity != identity
            for events in self._events(part, reading, origin):
                self.records = events[-1].position if part.lines else 0
                yield events

    def _events(self, part: Part, reading: OpenInput, origin: Origin) -> Iterator[list[LogEvent]]:
        if not part.lines or not isinstance(reading, OpenFile):
            return read_events(WatchedInput(reading, self.progress), origin, self._limits)
        section = Section(reading, part.start, part.end, self.progress)
        return filter(None, read_lines(section, origin, self._limits, (part.start, part.end), self.records))


def read_apart(limits: Limits | None = None) -> PartReader:
    """Return a reader for one part that knows nothing of the parts before it; its `trace` says what it assumed."""
    return PartReader(RisingNumbers(), limits or Limits(), Progress())


def _batches(runs: Iterable[list[LogEvent]], most: int) -> Generator[list[LogEvent]]:
    batch: list[LogEvent] = []
    size = 0
    for events in runs:
        more = sum([len(event.data) for event in events])
        if len(batch) + len(events) <= most and size + more <= _BATCH_BYTES:
            batch += events
            size += more
            continue
        for event in events:
            if batch and (len(batch) >= most or size + len(event.data) > _BATCH_BYTES):
                yield batch
                batch, size = [], 0
            batch.append(event)
            size += len(event.data)
    if batch:
        yield batch


def _origin(input_: Input, numbers: Numbers, *, again: bool) -> Origin:
    capture = read_capture_path(input_.parts)
    source = input_.source.encode("utf-8", "surrogateescape").decode("utf-8", "replace")  # names may be any bytes
    if capture:
        return Origin(source, (capture.hub, capture.partition), numbers, capture.time, again)
    return Origin(source, None, SeenNumbers(), None, again)  # numbers count within this file alone
