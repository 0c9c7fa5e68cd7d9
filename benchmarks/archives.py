"""Archives of seeded events for a measurement: in two files, with an index from which samples are drawn."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from traffic import Logged

STARTING = 2_000_000
"""Bytes of long documents by which logcount has loaded all that it loads: its engine only once that pays.

Counting them takes next to nothing beside it.
"""
PARTS = 2
"""Files of an archive: one for each of two copies of a program."""


@dataclass
class Archive:
    """Events in files, in order, and what is known of them."""

    paths: list[Path]
    places: list[tuple[int, int, int]] = field(default_factory=list)
    """Of every event: its file, and where in it it begins and ends."""
    size: int = 0
    """Bytes of all files."""
    messages: int = 0
    tools: int = 0
    streamed: int = 0
    usage: list[int] = field(default_factory=lambda: [0, 0])
    """Prompt and completion tokens that the events report."""

    def describe(self) -> str:
        """Say what it holds, in a line."""
        number = len(self.places)
        return (
            f"{number:,} events, {self.size / 1e6:,.0f} MB, {self.size / number / 1e3:.1f} KB and "
            f"{self.messages / number:.1f} messages each, {self.tools / number:.0%} with tools, "
            f"{self.streamed / number:.0%} answered as a stream"
        )

    def grow(self, events: Iterator[Logged], part: int, enough: Callable[[], bool]) -> None:
        """Append events to one of the files until there are enough."""
        with self.paths[part].open("ab") as file:
            while not enough():
                event = next(events)
                start = file.tell()
                file.write(event.line)
                self.places.append((part, start, file.tell()))
                self.size += len(event.line)
                self.messages += event.messages
                self.tools += event.tools
                self.streamed += event.streamed
                for side, tokens in enumerate(event.usage or ()):
                    self.usage[side] += tokens

    def copy(self, numbers: Sequence[int], path: Path) -> Path:
        """Write these events to a file of their own, in this order."""
        opened = [file.open("rb") for file in self.paths]
        with path.open("wb") as out:
            for number in numbers:
                part, start, end = self.places[number]
                opened[part].seek(start)
                out.write(opened[part].read(end - start))
        for file in opened:
            file.close()
        return path

    def draw(self, samples: int, size: int, seed: int = 5) -> list[list[int]]:
        """Draw samples of about so many bytes each by chance; no event is in two of them."""
        numbers = list(range(len(self.places)))
        random.Random(seed).shuffle(numbers)
        drawn: list[list[int]] = []
        for _ in range(samples):
            sample: list[int] = []
            taken = 0
            while numbers and taken < size:
                sample.append(numbers.pop())
                _, start, end = self.places[sample[-1]]
                taken += end - start
            drawn.append(sorted(sample))
        return [sample for sample in drawn if sample]


def empty(folder: Path, name: str, parts: int = PARTS) -> Archive:
    """Return an archive without events yet; its files are there."""
    paths = [folder / f"{name}-{part}.jsonl" for part in range(parts)]
    for path in paths:
        path.write_bytes(b"")
    return Archive(paths)


def first(folder: Path, name: str, events: Iterator[Logged], number: int, parts: int = 1) -> Archive:
    """Return an archive of the first events, so many in each file."""
    archive = empty(folder, name, parts)
    for part in range(parts):
        archive.grow(events, part, lambda part=part: len(archive.places) >= number * (part + 1))  # type: ignore[misc]
    return archive


def filled(folder: Path, name: str, events: Iterator[Logged], size: int, parts: int = PARTS) -> Archive:
    """Return an archive of about so many bytes, its files about equally large."""
    archive = empty(folder, name, parts)
    for part in range(parts):
        archive.grow(events, part, lambda part=part: archive.size >= size * (part + 1) / parts)  # type: ignore[misc]
    return archive
