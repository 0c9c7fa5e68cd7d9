"""The source of archived logs: files, folders, globs, standard input and blobs become log events, in order."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from logcount.errors import Misconfigured
from logcount.sources.archive.blob_urls import BlobAccess, BlobUrl, is_blob_url, parse_blob_url
from logcount.sources.archive.files import STDIN, find_files
from logcount.sources.archive.limits import Limits
from logcount.sources.archive.part_reader import BATCH_EVENTS, PartReader
from logcount.sources.archive.parts import PART_BYTES, cut_into_parts
from logcount.sources.archive.progress import Progress
from logcount.sources.archive.seen import SeenNumbers

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator, Sequence

    from logcount.model.events import Handler, LogEvent
    from logcount.sources.archive.inputs import Input
    from logcount.sources.archive.part_reader import Trace
    from logcount.sources.archive.parts import Part


class ArchiveSource:
    """Reads archived logs of any container, in the order of `paths` and in constant memory.

    Delivery: every event of the archive, once for each time that `paths` name its file, in the order of the archive, in
    batches of at most `batch_events` events. Data that cannot be read as an event becomes an event with a `problem`. An
    event whose identity (hub, partition and sequence number; or file and position) was delivered before is marked
    `duplicate`. No batch is repeated: if the handler raises, delivery stops and the error reaches the caller. No state
    is kept between deliveries; the next starts from the beginning. Other processes may read portable parts (`begin`).

    Args:
        paths: files, folders, globs, `-` for standard input, blob URLs (a query is used as a SAS and never shown).
        limits: bounds for one file.
        blobs: how blobs without a SAS are authorised; anonymously if None.
        progress: called after each batch with the number of bytes (compressed size) read since its last call.
        batch_events: the most events in a batch.
        part_bytes: the approximate size of the parts into which plain files are cut.

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
        batch_events: int = BATCH_EVENTS,
        part_bytes: int = PART_BYTES,
    ) -> None:
        self._access = blobs or BlobAccess()
        self._found = [parse_blob_url(path) if is_blob_url(path) else find_files(path) for path in paths]
        if list(paths).count(STDIN) > 1:
            raise Misconfigured("standard input can be read only once")
        self._limits = limits
        self._progress = progress
        self._batch_events = batch_events
        self._part_bytes = part_bytes
        self.total_bytes = _total(self._found)
        """The size of all files on disk (compressed); None if standard input or blobs are among them."""

    async def deliver(self, handle: Handler) -> None:
        """Pass every event to `handle`, batch by batch.

        Raises:
            Unreadable: a file or a container cannot be read.
            Misconfigured: a blob URL matches nothing.
        """
        with self.begin() as delivery:
            while part := await delivery.next_part():
                await delivery.deliver(part, handle)
            delivery.finish()

    @contextmanager
    def begin(self) -> Iterator[Delivery]:
        """Begin a delivery whose parts are taken one by one."""
        # One thread instead of the event loop's pool: each thread would keep its own heap.
        with ThreadPoolExecutor(1, "archive") as thread, closing(self._parts()) as parts:
            yield Delivery(parts, self._reader(Progress(self._progress)), thread, self._batch_events)

    def events(self) -> Iterator[LogEvent]:
        """Yield every event, synchronously and without batches; raises as `deliver` does."""
        reader = self._reader(Progress())
        with closing(self._parts()) as parts:
            for part in parts:
                for batch in reader.batches(part, self._batch_events):
                    yield from batch
                if reader.gives_up:
                    break
        reader.finish()

    def _reader(self, progress: Progress) -> PartReader:
        return PartReader(SeenNumbers(), self._limits, progress)

    def _parts(self) -> Generator[Part]:
        inputs = (input_ for found in self._found for input_ in self._inputs(found))
        yield from cut_into_parts(inputs, self._part_bytes)

    def _inputs(self, found: BlobUrl | Sequence[Input]) -> Iterable[Input]:
        if not isinstance(found, BlobUrl):
            return found
        from logcount.sources.archive.blobs import find_blobs  # noqa: PLC0415 - importing takes half a second

        return find_blobs(found, self._access)


class Delivery:
    """One delivery of an archive: its parts in order, each read here or in another process."""

    def __init__(
        self, parts: Iterator[Part], reader: PartReader, thread: ThreadPoolExecutor, batch_events: int
    ) -> None:
        self._parts = parts
        self._reader = reader
        self._thread = thread
        self._batch_events = batch_events

    async def next_part(self) -> Part | None:
        """Return the next part; None at the end, or if too many files could not be read.

        Raises:
            Unreadable: a container cannot be listed.
            Misconfigured: a blob URL matches nothing.
        """
        if self._reader.gives_up:
            return None
        return await self._reader.progress.next(self._parts, self._thread)

    async def deliver(self, part: Part, handle: Handler) -> None:
        """Read a part here and now, and hand its events to `handle`, batch by batch."""
        progress = self._reader.progress
        with closing(self._reader.batches(part, self._batch_events)) as batches:
            while batch := await progress.next(batches, self._thread):
                progress.report()
                await handle(batch)
                del batch  # or it would be held while the next one is made
        progress.report()

    def records_before(self, part: Part) -> int | None:
        """Return how many records of its file come before a part; None if the part must be skipped."""
        if self._reader.gives_up or self._reader.skips(part):
            return None
        return self._reader.records if part.continues else 0

    def accept(self, part: Part, trace: Trace) -> bool:
        """Take over a part read elsewhere; return False, and change nothing, if it must be read here, in order."""
        accepted = self._reader.accept(part, trace)
        self._reader.progress.report()
        return accepted

    def finish(self) -> None:
        """Report what could not be read.

        Raises:
            Unreadable: something could not be read; the text names all of it.
        """
        self._reader.finish()


def _total(found: Iterable[BlobUrl | Sequence[Input]]) -> int | None:
    total = 0
    for inputs in found:
        sizes = [None] if isinstance(inputs, BlobUrl) else [input_.size for input_ in inputs]
        if None in sizes:
            return None
        total += sum(size or 0 for size in sizes)
    return total
