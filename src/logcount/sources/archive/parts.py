"""Parts: an archive cut into pieces of work that can be read apart from one another, the same ones every time."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from logcount.errors import LogcountError, Unreadable
from logcount.sources.archive.containers import holds_lines
from logcount.sources.archive.files import FileInput
from logcount.sources.archive.limits import MIB

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Iterator

    from logcount.sources.archive.inputs import Input

PART_BYTES = 8 * MIB
"""Small enough that the last part keeps nobody waiting for long, large enough that handing it out costs little."""
_MOST_FILES = 500
"""In one part: what is known of them is sent from process to process."""


@dataclass(frozen=True, slots=True)
class Part:
    """Some whole files, or the lines of one file that begin in a span of its bytes."""

    places: tuple[Input, ...]
    again: tuple[bool, ...]
    """Of each place, whether it was read before."""
    identities: tuple[Hashable, ...]
    """Of each place, the file that it was: a name such as `/dev/stdin` means another one in another process."""
    start: int = 0
    end: int | None = None
    """Where the span ends, exclusive; None is the end of the file."""
    lines: bool = False
    """Whether this is a span of lines, or whole files."""

    @property
    def portable(self) -> bool:
        """Whether another process can read it, and this one again: pipes and the like are read once, and here."""
        return all(isinstance(place, FileInput) and place.size is not None for place in self.places)

    @property
    def continues(self) -> bool:
        """Whether the part before this one is of the same file."""
        return self.start > 0


def cut_into_parts(places: Iterable[Input], part_bytes: int = PART_BYTES) -> Iterator[Part]:
    """Cut an archive into parts, in its order: small files together, large ones of plain lines at newlines.

    What finding the places raises is raised after the parts that were found before.
    """
    read: set[Hashable] = set()
    run: list[tuple[Input, bool, Hashable]] = []
    size = 0
    try:
        for place in places:
            identity = place.identity
            visit = place, identity is not None and identity in read, identity
            read.add(identity)
            room = 0 if place.size is None or not isinstance(place, FileInput) else place.size
            if run and (not room or size + room > part_bytes or len(run) == _MOST_FILES):
                yield _whole(run)
                run, size = [], 0
            if 0 < room <= part_bytes:
                run.append(visit)
                size += room
            else:
                yield from _cut(*visit, room, part_bytes)
    except LogcountError:
        if run:
            yield _whole(run)
        raise
    if run:
        yield _whole(run)


def _whole(visits: list[tuple[Input, bool, Hashable]]) -> Part:
    places, again, identities = zip(*visits, strict=True)
    return Part(places, again, identities)


def _cut(place: Input, again: bool, identity: Hashable, size: int, part_bytes: int) -> Iterator[Part]:
    whole = Part((place,), (again,), (identity,))
    if size < 2 * part_bytes or not _is_lines(place):
        yield whole
        return
    starts = range(0, size - size % part_bytes, part_bytes)
    for start in starts:
        end = None if start == starts[-1] else start + part_bytes  # the file may have grown meanwhile
        yield replace(whole, start=start, end=end, lines=True)


def _is_lines(place: Input) -> bool:
    try:
        with closing(place.open(lambda: None)) as reading:
            return holds_lines(reading)
    except Unreadable:
        return False  # whoever reads it says why
