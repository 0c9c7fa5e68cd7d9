"""Cuts an archive into parts that can be read independently; the cuts are the same every time."""

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
"""Small enough that the last part finishes soon, large enough that sending it to a worker costs little."""
_MOST_FILES = 500
"""The most files in one part: their description is sent between processes."""


@dataclass(frozen=True, slots=True)
class Part:
    """Whole files, or the lines of one file that begin in a span of its bytes."""

    inputs: tuple[Input, ...]
    again: tuple[bool, ...]
    """For each input, whether it was read before."""
    identities: tuple[Hashable, ...]
    """The identity of each input: a name such as `/dev/stdin` is another file in another process."""
    start: int = 0
    end: int | None = None
    """The end of the span, exclusive; None is the end of the file."""
    lines: bool = False
    """Whether this is a span of lines and not whole files."""

    @property
    def portable(self) -> bool:
        """Whether another process can read it, and this one again; a pipe can be read only once and only here."""
        return all(isinstance(input_, FileInput) and input_.size is not None for input_ in self.inputs)

    @property
    def continues(self) -> bool:
        """Whether the part before this one belongs to the same file."""
        return self.start > 0


def cut_into_parts(inputs: Iterable[Input], part_bytes: int = PART_BYTES) -> Iterator[Part]:
    """Cut an archive into parts, in its order: small files are grouped, large files of plain lines are cut at newlines.

    If finding the inputs raises, the parts found before are yielded first.
    """
    read: set[Hashable] = set()
    run: list[tuple[Input, bool, Hashable]] = []
    size = 0
    try:
        for input_ in inputs:
            identity = input_.identity
            visit = input_, identity is not None and identity in read, identity
            read.add(identity)
            room = 0 if input_.size is None or not isinstance(input_, FileInput) else input_.size
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
    inputs, again, identities = zip(*visits, strict=True)
    return Part(inputs, again, identities)


def _cut(input_: Input, again: bool, identity: Hashable, size: int, part_bytes: int) -> Iterator[Part]:
    whole = Part((input_,), (again,), (identity,))
    if size < 2 * part_bytes or not _is_lines(input_):
        yield whole
        return
    starts = range(0, size - size % part_bytes, part_bytes)
    for start in starts:
        end = None if start == starts[-1] else start + part_bytes  # the file may have grown meanwhile
        yield replace(whole, start=start, end=end, lines=True)


def _is_lines(input_: Input) -> bool:
    try:
        with closing(input_.open(lambda: None)) as reading:
            return holds_lines(reading)
    except Unreadable:
        return False  # reading it later reports why
