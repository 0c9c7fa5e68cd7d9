"""Files that are whole and durable, or absent: created once, replaced only by a caller that knows the content.

Law: an object gets its name only after its bytes are on the disk, and a call returns only after its name is.

A writer writes its own file next to the object (`.new-…`), syncs it, links it to the object's name (a hard link), syncs
the folder and only then removes its own name. So the object's name may not be durable yet if a file has two names: its
writer is still running or dead. A reader of such a file syncs the folder first. Otherwise a second process could act on
an object that a power cut then removes.

Files left by killed writers (`.new-…`) do no harm and are removed when they are old.
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
"""A holder needs milliseconds; one that takes longer is stopped or stuck."""
_LOCK_POLL_SECONDS = 0.005
_OLD_SECONDS = 3600.0
"""The age at which a killed writer's file is removed: far longer than any write, since wall clocks can be wrong."""


def tag_of(data: bytes) -> str:
    """Return the tag of a content: its sha256."""
    return hashlib.sha256(data).hexdigest()


def read_file(path: Path) -> bytes | None:
    """Return a file's content, after making its name durable; None if there is no such file."""
    try:
        stream = path.open("rb")
    except (FileNotFoundError, NotADirectoryError):
        return None
    with stream:
        if os.fstat(stream.fileno()).st_nlink > 1:
            sync_folder(path.parent)
        return stream.read()


def create_file(path: Path, data: bytes) -> bool:
    """Write a file unless the name is taken; return whether this call wrote it."""
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
    """Replace a file if its content still has this tag; return whether this call did.

    The folder's lock covers comparing and renaming; the system releases it if its holder dies.
    """
    try:
        with _locked(path.parent / _LOCK):
            found = read_file(path)
            if found is None or tag_of(found) != tag:
                return False
            new = _write_new(path.parent, data)
            spare = new.with_name(f"{new.name}-")
            os.link(new, spare)  # so that the file has two names until its new name is durable
            spare.replace(path)
            _settle(new)
            return True
    except (FileNotFoundError, NotADirectoryError):
        if path.parent.is_dir():
            raise
        return False


def delete_file(path: Path, tag: str) -> bool:
    """Delete a file, durably, if its content still has this tag; return whether this call did."""
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
    """Yield the paths below the root that begin with a prefix, after making their names durable; unordered."""
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
    """Return whether a path begins with the prefix, or is a folder that may contain such a path."""
    return path.startswith(prefix) or prefix.startswith(f"{path}/")


def make_root(root: Path) -> None:
    """Create a folder and its parents, durably, and test the file system: mainly whether it has hard links."""
    missing = [path for path in (root, *root.parents) if not path.exists()]
    root.mkdir(parents=True, exist_ok=True)
    for path in missing or [root]:
        with suppress(PermissionError):  # a folder without read access existed before, with its entries
            sync_folder(path.parent)
    tried = root / f"{_NEW}{token_hex(8)}-tried"
    create_file(tried, b"")
    _forget(tried)


def make_folder(folder: Path, root: Path) -> None:
    """Create a folder and those between it and the root, durably; the root must exist."""
    below = [folder, *folder.parents][: len(folder.parts) - len(root.parts)]
    for path in reversed(below):
        path.mkdir(exist_ok=True)
        sync_folder(path.parent)  # also if another process created it: it may not have synced yet


def sweep(folder: Path) -> None:
    """Remove old files of killed writers from a folder."""
    old = time.time() - _OLD_SECONDS
    left = [entry.path for entry in os.scandir(folder) if entry.name.startswith(_NEW) and _is_older(entry, old)]
    if left:
        sync_folder(folder)  # an object that still has such a second name becomes durable only now
    for path in left:
        with suppress(FileNotFoundError):  # another process may sweep too
            os.unlink(path)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
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
        _forget(new)  # on a full disk it must not stay
        raise
    return new


def _settle(new: Path) -> None:
    """Make the object's name durable, then remove the other name; if the sync fails, both names stay."""
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
