"""A process that works on a folder store, run by the tests beside others of its kind and killed by them.

    folder_process.py create ROOT NAMES     creates log/0 … and prints those that it wrote, one a line
    folder_process.py increment ROOT TIMES  adds to the object `counter`
    folder_process.py die-at-each-line ROOT forks writers, each killed one line of `files.py` later than the last
    folder_process.py die-at-any-time ROOT  forks writers that write for as long as they live, and kills them

What the two that die have tried is told by what the names are; each content tells whether it is whole (`whole`).
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import random
import signal
import sys
import threading
import time
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from logcount.stores import FolderStore, files

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    Work = Callable[[FolderStore], Coroutine[Any, Any, None]]

DEATHS = 40


def content(random_bytes: bytes) -> bytes:
    return hashlib.sha256(random_bytes).digest() + random_bytes


def whole(data: bytes) -> bool:
    return hashlib.sha256(data[32:]).digest() == data[:32]


async def create(root: Path, names: str) -> None:
    store = FolderStore(root)
    for n in range(int(names)):
        if await store.create(f"log/{n}", f"{os.getpid()}".encode()):
            sys.stdout.write(f"{n}\n")


async def increment(root: Path, times: str) -> None:
    store, done = FolderStore(root), 0
    while done < int(times):
        held = await store.read("counter")
        assert held is not None
        done += await store.replace("counter", str(int(held.data) + 1).encode(), held.tag)


def die_at_each_line(root: Path) -> None:
    first, second = content(b"first"), content(b"second")
    for line in count(1):
        name = root / "replaced" / str(line)
        name.parent.mkdir(parents=True, exist_ok=True)
        files.create_file(name, first)
        work: list[Work] = [
            lambda store, n=line: store.create(f"created/{n}/it", first),  # type: ignore[misc]
            lambda store, n=line: store.replace(f"replaced/{n}", second, files.tag_of(first)),  # type: ignore[misc]
        ]
        ends = [os.waitpid(_fork(root, one, line), 0)[1] for one in work]
        assert set(ends) <= {0, signal.SIGKILL}
        if ends == [0, 0]:
            sys.stdout.write(f"{line}\n")
            return


def die_at_any_time(root: Path) -> None:
    chance = random.Random(20)
    for death in range(DEATHS):
        begun, begin = os.pipe()

        async def write(store: FolderStore, death: int = death, begin: int = begin) -> None:
            await store.create(f"any/{death}/first", content(b"0"))
            os.write(begin, b".")
            for n in count():
                await store.create(f"any/{death}/{n}", content(random.randbytes(500_000)))
                await store.create(f"any/{death}/replaced", content(b"0"))
                held = await store.read(f"any/{death}/replaced")
                await store.replace(
                    f"any/{death}/replaced", content(random.randbytes(500_000)), held.tag if held else ""
                )

        child = _fork(root, write, None)
        os.read(begun, 1)
        time.sleep(chance.random() * 0.03)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(begun)
        os.close(begin)


def _fork(root: Path, work: Work, line: int | None) -> int:
    child = os.fork()
    if not child:
        try:
            if line:
                threading.settrace(_Death(line))
            asyncio.run(work(FolderStore(root)))
            os._exit(0)
        finally:
            os._exit(1)
    return child


class _Death:
    """Kills this process at the nth line that is run in `files.py`."""

    def __init__(self, line: int) -> None:
        self._left = line

    def __call__(self, frame: Any, event: str, argument: object) -> _Death | None:
        if frame.f_code.co_filename != files.__file__:
            return None
        self._left -= event == "line"
        if not self._left:
            os.kill(os.getpid(), signal.SIGKILL)
        return self


if __name__ == "__main__":
    task, folder, *rest = sys.argv[1:]
    if task.startswith("die"):
        {"die-at-each-line": die_at_each_line, "die-at-any-time": die_at_any_time}[task](Path(folder))
    else:
        asyncio.run({"create": create, "increment": increment}[task](Path(folder), *rest))
