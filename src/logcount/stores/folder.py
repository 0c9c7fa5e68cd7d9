"""A folder of this machine as a store: each object is a file, whole or absent even if a process is killed."""

from __future__ import annotations

import asyncio
import errno
import os
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from logcount.errors import Misconfigured, Unavailable
from logcount.ports import Stored
from logcount.stores.files import (
    create_file,
    delete_file,
    list_files,
    make_folder,
    make_root,
    read_file,
    replace_file,
    sweep,
    tag_of,
)
from logcount.stores.objects import check_name, check_object, check_prefix, fits

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

Value = TypeVar("Value")

_THREADS = 8
"""Enough for a process's partitions to wait for the disk concurrently; a separate pool, as counting may fill others."""
_MEND = {
    errno.ENOSPC: "no space is left on its disk: free some, or make the disk larger",
    errno.EDQUOT: "the quota of its disk is used up",
    errno.EACCES: "access is refused: this user must be allowed to read it and write to it",
    errno.EPERM: "access is refused: this user must be allowed to read it and write to it",
    errno.EROFS: "its file system is mounted read-only",
    errno.ENOENT: "it is not there (is its disk mounted?)",
    errno.EFBIG: "a file is larger than this process may write",
    errno.EIO: "its disk reports an error",
    errno.EMFILE: "too many files are open in this process",
    errno.ENFILE: "too many files are open on this machine",
}
_NO_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EINVAL}
"""Error codes of file systems without hard links, or without fsync of folders."""


class FolderStore:
    """Keeps objects as files below a folder: the name is the path, the bytes are the content.

    Guarantee: if `create` or `replace` returns True, the object is on the disk, survives a power cut (as far as the
    system's fsync does), and is read whole by every process of this machine. If a writer is killed at any instant, all
    or nothing is written. Only one of several creators writes. An object that `delete` removed stays removed by the
    same rules. A file system with hard links is needed (not Azure Files over SMB). On NFS `create` may return False for
    an object that this call wrote: the protocol may lose an answer.

    The tag is the sha256 of the content. So an object that was changed and changed back can be replaced with the old
    tag. This is correct: callers decide only by the content. (The ledger's objects never return to an old content.)

    A call that is cancelled or times out is not undone: its thread goes on, and may still write.
    """

    def __init__(self, root: Path, *, seconds: float = 60.0) -> None:
        """Keep objects below `root`; a call that takes longer than `seconds` (a network disk) raises Unavailable."""
        if os.name == "nt":
            raise Misconfigured(f"{root}: a ledger in a folder needs Linux or macOS: use a container of Blob storage")
        self._root = root.absolute()
        self._seconds = seconds
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="folder-store")
        self._made: set[Path] = set()

    async def prepare(self) -> None:
        """Create the folder if it is missing, and test that its file system has what the store needs.

        Raises:
            Misconfigured: it is a file, or its file system is not suitable.
            Unavailable: it cannot be written to at present.

        """
        await self._run(self._prepare)

    async def read(self, name: str) -> Stored | None:
        """Return the object of this name, or None; raises Unavailable."""
        check_name(name)
        return await self._run(partial(self._read, self._root / name))

    async def create(self, name: str, data: bytes) -> bool:
        """Write the object if the name is free; return whether this call wrote it; raises Unavailable."""
        check_object(name, data)
        return await self._run(partial(self._create, self._root / name, data))

    async def replace(self, name: str, data: bytes, tag: str) -> bool:
        """Replace the object if it still has this tag; return whether this call did; raises Unavailable."""
        check_object(name, data)
        return await self._run(partial(self._replace, self._root / name, data, tag))

    async def delete(self, name: str, tag: str) -> bool:
        """Delete the object if it still has this tag; return whether this call did; raises Unavailable."""
        check_name(name)
        return await self._run(partial(self._delete, self._root / name, tag))

    async def names(self, prefix: str) -> list[str]:
        """Return the names with this prefix, in code point order; raises Unavailable."""
        check_prefix(prefix)
        return await self._run(partial(self._names, prefix))

    async def close(self) -> None:
        """Stop the threads, without waiting for those that wait for the disk."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _run(self, call: Callable[[], Value]) -> Value:
        try:
            async with asyncio.timeout(self._seconds):
                return await asyncio.get_running_loop().run_in_executor(self._threads, call)
        except TimeoutError as error:
            why = error.strerror or f"its disk did not answer within {self._seconds:g} s"
            raise Unavailable(f"folder {self._root}: {why}") from error
        except OSError as error:
            raise unavailable(self._root, error) from error

    def _prepare(self) -> None:
        try:
            make_root(self._root)
        except (FileExistsError, NotADirectoryError):
            raise Misconfigured(f"{self._root}: a file is in the way, where a folder is expected") from None
        except OSError as error:
            if error.errno in _NO_LINKS:
                why = "its file system has no hard links, or cannot be written to by this user"
                raise Misconfigured(f"{self._root}: {why}: a ledger needs both") from error
            raise

    def _read(self, path: Path) -> Stored | None:
        data = read_file(path)
        if data is None:
            self._look_for_root()
        return None if data is None else Stored(data, tag_of(data))

    def _create(self, path: Path, data: bytes) -> bool:
        folder = path.parent
        if folder not in self._made:
            make_folder(folder, self._root)
            sweep(folder)
            self._made.add(folder)
        try:
            return create_file(path, data)
        except FileNotFoundError:
            self._made.discard(folder)
            raise

    def _replace(self, path: Path, data: bytes, tag: str) -> bool:
        self._look_for_root()
        return replace_file(path, data, tag)

    def _delete(self, path: Path, tag: str) -> bool:
        self._look_for_root()
        return delete_file(path, tag)

    def _names(self, prefix: str) -> list[str]:
        self._look_for_root()
        return sorted(name for name in list_files(self._root, prefix) if fits(name))

    def _look_for_root(self) -> None:
        """Raise if the root is missing, to distinguish this from an empty folder."""
        if not self._root.is_dir():
            raise FileNotFoundError(errno.ENOENT, "no such folder")


def unavailable(root: Path, error: OSError) -> Unavailable:
    """Translate an error of the operating system to `Unavailable`, with a hint for the operator."""
    code = errno.errorcode.get(error.errno or 0, type(error).__name__)
    why = _MEND.get(error.errno or 0) or error.strerror or "the operating system refuses"
    return Unavailable(f"folder {root}: {why} ({code})")
