"""Local files: finds and opens what a path, a folder, a glob or `-` (standard input) names."""

from __future__ import annotations

import glob
import os
import select
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from logcount.errors import Misconfigured, Unreadable

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator, Sequence

STDIN = "-"
_POLL_SECONDS = 0.25
"""How long an interrupted command may still wait for standard input."""


@dataclass(frozen=True, slots=True)
class FileInput:
    """A file, named by the path under which it was found."""

    source: str
    size: int | None

    @property
    def parts(self) -> Sequence[str]:
        """The segments of the absolute path: the user may start inside an archive's folders."""
        return Path(os.path.abspath(self.source)).parts

    @property
    def identity(self) -> Hashable:
        """Device and inode: the file itself, under any name; None if it cannot be read."""
        try:
            status = os.stat(self.source)
        except OSError:
            return None  # reading it will say why
        return status.st_dev, status.st_ino

    def open(self, check: Callable[[], None]) -> OpenFile:
        """Open the file.

        Raises:
            Unreadable: it cannot be opened.
        """
        return OpenFile(self.source)


class OpenFile:
    """An open file."""

    def __init__(self, source: str) -> None:
        self._source = source
        try:
            self._file = open(source, "rb", buffering=0)  # noqa: SIM115 - closed by close()
        except OSError as error:
            raise Unreadable(f"{source}: {error.strerror}") from None

    @property
    def identity(self) -> Hashable:
        """Device and inode of the open file, as in `FileInput.identity`."""
        status = os.fstat(self._file.fileno())
        return status.st_dev, status.st_ino

    def seek(self, offset: int) -> None:
        """Continue at a byte offset; raises Unreadable."""
        try:
            self._file.seek(offset)
        except OSError as error:
            raise Unreadable(f"{self._source}: {error.strerror}") from None

    def read(self, size: int, /) -> bytes:
        """Return the next bytes; raises Unreadable."""
        try:
            return self._file.read(size) or b""
        except OSError as error:
            raise Unreadable(f"{self._source}: {error.strerror}") from None

    def close(self) -> None:
        """Close the file."""
        self._file.close()


@dataclass(frozen=True, slots=True)
class StdinInput:
    """Standard input."""

    source: str = STDIN
    parts: Sequence[str] = ()
    size: int | None = None
    identity: Hashable = STDIN

    def open(self, check: Callable[[], None]) -> OpenStdin:
        """Open standard input."""
        return OpenStdin(check)


class OpenStdin:
    """Standard input, read so that an interruption can stop it."""

    def __init__(self, check: Callable[[], None]) -> None:
        self._check = check
        self._number: int | None = None
        with suppress(OSError, ValueError):  # standard input may be replaced by an object without a file
            self._number = sys.stdin.fileno()

    def read(self, size: int, /) -> bytes:
        """Return the next bytes; raises Unreadable, and what `check` raises."""
        try:
            if self._number is None:
                return (
                    sys.stdin.buffer.read1(size) if hasattr(sys.stdin.buffer, "read1") else sys.stdin.buffer.read(size)
                )
            if os.name == "posix":  # elsewhere select takes sockets only
                while not select.select([self._number], [], [], _POLL_SECONDS)[0]:
                    self._check()
            return os.read(self._number, size)
        except OSError as error:
            raise Unreadable(f"standard input: {error.strerror}") from None

    def close(self) -> None:
        """Leave it open: this class did not open it."""


def find_files(path: str) -> Sequence[FileInput | StdinInput]:
    """Find the files that a path names: itself, a folder's files, or a glob's matches; sorted.

    Hidden files and folders are skipped unless they are named. An empty folder is allowed.

    Raises:
        Misconfigured: there is no such path, or nothing matches.
        Unreadable: a folder cannot be listed.
    """
    if path == STDIN:
        return [StdinInput()]
    if os.path.lexists(path):
        found = set(_files_in(path))
    else:
        matches = glob.glob(path, recursive=True)
        if not matches:
            raise Misconfigured(f"{path}: {'nothing matches' if glob.has_magic(path) else 'no such file or folder'}")
        found = {file for match in matches for file in _files_in(match)}
    return [FileInput(file, _size(file)) for file in sorted(found, key=lambda file: file.split(os.sep))]


def _files_in(path: str) -> Iterator[str]:
    """Yield the files of a folder and its subfolders; links are followed, cycles are not. A file yields itself."""
    if not os.path.isdir(path):
        yield path
        return
    walked: set[tuple[int, int]] = set()
    for folder, folders, files in os.walk(path, onerror=_refuse, followlinks=True):
        status = os.stat(folder)
        if (status.st_dev, status.st_ino) in walked:
            folders.clear()
            continue
        walked.add((status.st_dev, status.st_ino))
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in files:
            file = os.path.join(folder, name)
            if not name.startswith(".") and os.path.isfile(file):
                yield file


def _refuse(error: OSError) -> None:
    raise Unreadable(f"{error.filename}: {error.strerror}")


def _size(path: str) -> int | None:
    try:
        status = os.stat(path)
    except OSError:
        return None  # reading it will say why
    return status.st_size if os.path.isfile(path) else None
