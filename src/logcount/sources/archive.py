"""The source of archived logs: files, folders, globs, standard input and blobs become log events, in order."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from threading import Event
from typing import TYPE_CHECKING

from logcount.errors import Misconfigured, Unreadable
from logcount.sources.blob_urls import BlobAccess, BlobUrl, is_blob_url, parse_blob_url
from logcount.sources.capture_paths import read_capture_path
from logcount.sources.containers import read_events
from logcount.sources.files import STDIN, find_files
from logcount.sources.limits import MIB, Limits
from logcount.sources.origin import Origin
from logcount.sources.places import Stopped
from logcount.sources.seen import SeenNumbers

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Hashable, Iterable, Iterator, Sequence
    from concurrent.futures import Executor

    from logcount.events import Handler, LogEvent
    from logcount.sources.places import Place, Reading

_BATCH_BYTES = 8 * MIB
"""A batch holds no more data than this, or one event: what is in memory at a time."""


class ArchiveSource:
    """Reads archived logs of any container, in the order of `paths` and in constant memory.

    Delivery: every event that the archive holds, once for each time that its file is reached, in the order of the
    archive, in batches of at most `batch_events` events. What cannot be read as an event is one with a `problem`.
    An event whose identity (hub, partition and sequence number; or file and position) was delivered before is
    marked `duplicate`. No batch is repeated: if the handler raises, delivery stops and the error goes on to the
    caller. Nothing is remembered between two deliveries; the next starts from the beginning.

    Args:
        paths: files, folders, globs, `-` for standard input, blob URLs (a query is taken as a SAS, and never shown).
        limits: what one file may ask for.
        blobs: how blobs without a SAS are authorised; anonymously if None.
        progress: called after each batch with the bytes, packed as they lie, that were read since its last call.
        batch_events: the most events in a batch.

    Raises:
        Misconfigured: there is no such path, or a glob matches nothing; for blobs, not before `deliver`.
    """

    def __init__(
        self,
        paths: Sequence[str],
        *,
        limits: Limits = Limits(),  # noqa: B008 - a frozen value
        blobs: BlobAccess | None = None,
        progress: Callable[[int], None] | None = None,
        batch_events: int = 500,
    ) -> None:
        self._access = blobs or BlobAccess()
        self._found = [parse_blob_url(path) if is_blob_url(path) else find_files(path) for path in paths]
        if list(paths).count(STDIN) > 1:
            raise Misconfigured("standard input can be read only once")
        self._limits = limits
        self._progress = progress
        self._batch_events = batch_events
        self.total_bytes = _total(self._found)
        """The size of all files, packed as they lie; None where standard input or blobs are among them."""

    async def deliver(self, handle: Handler) -> None:
        """Hand every event to `handle`, batch by batch.

        Raises:
            Unreadable: a file or a container cannot be read.
            Misconfigured: a blob URL matches nothing.
        """
        pace = _Pace(self._progress)
        batches = self._batches(pace)
        # One thread and not the loop's many: each would keep a heap of its own.
        with ThreadPoolExecutor(1, "archive") as reader, closing(batches):
            while batch := await pace.next(batches, reader):
                pace.report()
                await handle(batch)
                del batch  # or it would be held while the next one is made
            pace.report()

    def events(self) -> Iterator[LogEvent]:
        """Give every event, synchronously and without batches; raises as `deliver` does."""
        return self._events(_Pace(None))

    def _events(self, pace: _Pace) -> Iterator[LogEvent]:
        seen = SeenNumbers()
        read: set[Hashable] = set()
        failures: list[Unreadable] = []
        for place in (place for found in self._found for place in self._places(found)):
            try:
                with closing(place.open(pace.check)) as reading:
                    origin = _origin(place, reading.identity, seen, again=reading.identity in read)
                    read.add(reading.identity)
                    yield from read_events(_Paced(reading, pace), origin, self._limits)
            except Unreadable as error:  # the others may well be read
                failures.append(error)
                if len(failures) == _FAILURES:
                    break
        if failures:
            raise Unreadable("; ".join(map(str, failures)))

    def _places(self, found: BlobUrl | Sequence[Place]) -> Iterable[Place]:
        if not isinstance(found, BlobUrl):
            return found
        from logcount.sources.blobs import find_blobs  # noqa: PLC0415 - half a second, for those who need it

        return find_blobs(found, self._access)

    def _batches(self, pace: _Pace) -> Generator[list[LogEvent]]:
        batch: list[LogEvent] = []
        size = 0
        unreadable = None
        try:
            for event in self._events(pace):
                if batch and (len(batch) >= self._batch_events or size + len(event.data) > _BATCH_BYTES):
                    yield batch
                    batch, size = [], 0
                batch.append(event)
                size += len(event.data)
        except Unreadable as error:
            unreadable = error
        if batch:  # what was read before a source broke down is handed over first
            yield batch
        if unreadable is not None:
            raise unreadable


_FAILURES = 5
"""After so many files that cannot be read it is the disk or the network, and no use to go on."""
_WAKE_SECONDS = 0.25
"""How often a waiting loop looks about: a signal that comes as it lies down would else be seen with the next event."""


class _Pace:
    """How far a reading has come, and whether it is to go on; shared by the loop's thread and the reader's."""

    def __init__(self, progress: Callable[[int], None] | None) -> None:
        self._progress = progress
        self._stopped = Event()
        self.read_bytes = 0

    def check(self) -> None:
        """Raise `Stopped` if nobody waits any more."""
        if self._stopped.is_set():
            raise Stopped

    def report(self) -> None:
        """Tell how many bytes were read since the last report."""
        count, self.read_bytes = self.read_bytes, 0
        if self._progress and count:
            self._progress(count)

    async def next(self, batches: Iterator[list[LogEvent]], reader: Executor) -> list[LogEvent]:
        """Make the next batch in a thread; empty at the end. When cancelled, wait until the thread has stopped."""
        step = asyncio.get_running_loop().run_in_executor(reader, _next_of, batches)
        try:
            while not step.done():
                await asyncio.wait([step], timeout=_WAKE_SECONDS)
        except asyncio.CancelledError:
            self._stopped.set()
            while not step.done():
                with suppress(asyncio.CancelledError):
                    await asyncio.wait([step])
            step.exception()  # Stopped, most likely; looked at, so that nobody complains that it was not
            raise
        return step.result()


def _next_of(batches: Iterator[list[LogEvent]]) -> list[LogEvent]:
    return next(batches, [])


class _Paced:
    """A reading whose bytes are counted, and which ends when nobody waits any more."""

    def __init__(self, reading: Reading, pace: _Pace) -> None:
        self._reading = reading
        self._pace = pace

    def read(self, size: int, /) -> bytes:
        """Return the next bytes."""
        self._pace.check()
        data = self._reading.read(size)
        self._pace.read_bytes += len(data)
        return data


def _origin(place: Place, identity: Hashable, seen: SeenNumbers, *, again: bool) -> Origin:
    capture = read_capture_path(place.parts)
    source = place.source.encode("utf-8", "surrogateescape").decode("utf-8", "replace")  # names may be any bytes
    if capture:
        return Origin(source, (capture.hub, capture.partition), seen, capture.time, again)
    return Origin(source, identity, SeenNumbers(), None, again)  # numbers count within this file alone


def _total(found: Iterable[BlobUrl | Sequence[Place]]) -> int | None:
    total = 0
    for places in found:
        sizes = [None] if isinstance(places, BlobUrl) else [place.size for place in places]
        if None in sizes:
            return None
        total += sum(size or 0 for size in sizes)
    return total
