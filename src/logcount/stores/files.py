"""Files that are whole and lasting, or absent: created once, replaced by who knows what is there.

The law: an object is named only after its bytes are on the disk, and is told of only after its name is.

A writer fills a file of its own beside the object (`.new-…`), syncs it, gives it the object's name by a hard link,
syncs the folder and only then removes its own name of it. So a file with two names is one whose name may not be lasting
yet, its writer being still at it or dead: whoever reads such a file syncs the folder before believing it. Without that,
a second process could act on an object that a power cut then takes back.

What killed writers leave behind (their own names) harms nothing and is swept when it is old.
"""

from __future__ import annotations

import errno
import hashlib
import os
import time
from contextlib import contextmanager, suppress
from secrets import token_hex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import IO

_NEW = ".new-"
_LOCK = ".lock"
_LOCK_SECONDS = 10.0
"""A holder needs milliseconds, so that one who holds on for longer is stopped or stuck."""
_LOCK_POLL_SECONDS = 0.005
_OLD_SECONDS = 3600.0
"""What is left of a writer is swept after this: far longer than any writer takes, as the age is by the wall clock."""


def tag_of(data: bytes) -> str:
    """Return the tag of a content: its digest."""
    return hashlib.sha256(data).hexdigest()


def read_file(path: Path) -> bytes | None:
    """Return what a file holds, once its name is lasting; None where there is no such file."""
    try:
        stream = path.open("rb")
    except (FileNotFoundError, NotADirectoryError):
        return None
    with stream:
        if os.fstat(stream.fileno()).st_nlink > 1:
            sync_folder(path.parent)
        return stream.read()


def create_file(path: Path, data: bytes) -> bool:
    """Write a file unless there is one of that name; say whether this call did."""
    new = _write_new(path.parent, data)
    try:
        os.link(new, path)
    except OSError as error:
        _forget(new)
        if isinstance(error, FileExistsError):
            return False
        raise
    _settle(new)
    return True


def replace_file(path: Path, data: bytes, tag: str) -> bool:
    """Write over a file if its content still has this tag; say whether this call did.

    Comparing and renaming happen under the folder's lock, which the system releases when its holder dies.
    """
    try:
        with _locked(path.parent / _LOCK):
            found = read_file(path)
            if found is None or tag_of(found) != tag:
                return False
            new = _write_new(path.parent, data)
            spare = new.with_name(f"{new.name}-")
            os.link(new, spare)  # so that the file has two names until its place is lasting
            spare.replace(path)
            _settle(new)
            return True
    except (FileNotFoundError, NotADirectoryError):
        if path.parent.is_dir():
            raise
        return False


def delete_file(path: Path, tag: str) -> bool:
    """Remove a file if its content still has this tag; say whether this call did. It is gone lastingly then."""
    try:
        with _locked(path.parent / _LOCK):
            found = read_file(path)
            if found is None or tag_of(found) != tag:
                return False
            path.unlink()
            sync_folder(path.parent)
            return True
    except (FileNotFoundError, NotADirectoryError):
        if path.parent.is_dir():
            raise
        return False


def list_files(root: Path, prefix: str) -> Iterator[str]:
    """Yield the paths below the root that begin with a prefix, once their names are lasting; in no order."""
    above = prefix.rpartition("/")[0]
    waiting = [f"{above}/" if above else ""]
    while waiting:
        folder = waiting.pop()
        try:
            with os.scandir(root / folder) as found:
                entries = [entry for entry in found if entry.name[0] != "." and _may_lead(folder + entry.name, prefix)]
        except (FileNotFoundError, NotADirectoryError):
            continue
        below = {entry.name for entry in entries if entry.is_dir(follow_symlinks=False)}
        files = [folder + entry.name for entry in entries if entry.name not in below]
        if files:
            sync_folder(root / folder)
        yield from files
        waiting += [f"{folder}{name}/" for name in below]


def _may_lead(path: str, prefix: str) -> bool:
    """Say whether a path begins with the prefix, or is of a folder in which one might."""
    return path.startswith(prefix) or prefix.startswith(f"{path}/")


def make_root(root: Path) -> None:
    """Make a folder and all that leads to it, lastingly, and try what files need there: hard links above all."""
    missing = [path for path in (root, *root.parents) if not path.exists()]
    root.mkdir(parents=True, exist_ok=True)
    for path in missing or [root]:
        with suppress(PermissionError):  # a folder that may not be opened was there before, with what is in it
            sync_folder(path.parent)
    tried = root / f"{_NEW}{token_hex(8)}-tried"
    create_file(tried, b"")
    _forget(tried)


def make_folder(folder: Path, root: Path) -> None:
    """Make a folder and those between it and the root, lastingly; the root must be there."""
    below = [folder, *folder.parents][: len(folder.parts) - len(root.parts)]
    for path in reversed(below):
        path.mkdir(exist_ok=True)
        sync_folder(path.parent)  # also where another process made it: that one may not have come so far


def sweep(folder: Path) -> None:
    """Remove what killed writers left in a folder long ago."""
    old = time.time() - _OLD_SECONDS
    left = [entry.path for entry in os.scandir(folder) if entry.name.startswith(_NEW) and _is_older(entry, old)]
    if left:
        sync_folder(folder)  # an object that one of them is the second name of is lasting only now
    for path in left:
        with suppress(FileNotFoundError):  # another process sweeps too
            os.unlink(path)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder lasting."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _write_new(folder: Path, data: bytes) -> Path:
    new = folder / f"{_NEW}{token_hex(8)}"
    try:
        with new.open("xb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
    except OSError:
        _forget(new)  # where the disk is full it must not stay
        raise
    return new


def _settle(new: Path) -> None:
    """Make the object's name lasting, and say so by removing the other; where the sync fails, both names stay."""
    sync_folder(new.parent)
    _forget(new)


def _forget(new: Path) -> None:
    with suppress(OSError):  # it will be swept
        new.unlink()


def _is_older(entry: os.DirEntry[str], time: float) -> bool:
    with suppress(FileNotFoundError):
        return entry.stat(follow_symlinks=False).st_mtime < time
    return False


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("ab") as lock:
        deadline = time.monotonic() + _LOCK_SECONDS
        while not _is_ours(lock):
            if time.monotonic() > deadline:
                raise TimeoutError(errno.ETIMEDOUT, "another process holds the lock")
            time.sleep(_LOCK_POLL_SECONDS)
        yield


def _is_ours(lock: IO[bytes]) -> bool:
    """Take a lock, unless another process holds it."""
    import fcntl  # noqa: PLC0415 - not on Windows, where only this module's import must not fail

    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
