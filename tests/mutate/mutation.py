"""What a mutation is: one piece of the source in the place of another."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pathlib import Path


class Mutation(NamedTuple):
    """Text that stands once in a file, what is put in its place, and why that matters."""

    path: str
    """Below `src/logcount`."""
    old: str
    new: str
    why: str
    """What a user would get; of one that is argued, why nobody would get anything else."""
    tests: tuple[str, ...] = ()
    """Files below `tests`, or single tests of them, one of which has to fail; none where it is argued."""

    @property
    def argued(self) -> bool:
        """Whether no test can tell it from what is right."""
        return not self.tests

    def put(self, package: Path) -> str:
        """Put it into a copy of the package, and return what stood in the file before."""
        before = (package / self.path).read_text(encoding="utf-8")
        if before.count(self.old) != 1:
            raise ValueError(f"{self.path} holds this {before.count(self.old)} times: {self.old}")
        (package / self.path).write_text(before.replace(self.old, self.new), encoding="utf-8")
        return before
