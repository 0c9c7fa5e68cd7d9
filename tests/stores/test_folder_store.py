"""A folder as a store: what stands on the disk and in which order it came there, and what is left when writers die."""

from __future__ import annotations

import asyncio
import errno
import fcntl
import os
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import folder_process
import pytest

from logcount.errors import Misconfigured, Unavailable
from logcount.stores import FolderStore, files
from logcount.stores.folder import unavailable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[FolderStore]:
    opened = FolderStore(tmp_path)
    yield opened
    await opened.close()


def run(*arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, folder_process.__file__, *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def told(process: subprocess.Popen[str]) -> list[str]:
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 0
    return output.split()


def leftovers(root: Path) -> list[str]:
    return sorted(path.name for path in root.rglob(".new-*"))


async def test_an_object_is_a_file_of_its_name_and_bytes(store: FolderStore, tmp_path: Path) -> None:
    await store.create("eventhub:contoso/$default/0", b"\0\xff\r\n")

    assert (tmp_path / "eventhub:contoso" / "$default" / "0").read_bytes() == b"\0\xff\r\n"
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["0"]


async def test_of_many_processes_one_creates_each_object(store: FolderStore, tmp_path: Path) -> None:
    processes = [run("create", tmp_path, 150) for _ in range(3)]
    won = {str(process.pid): told(process) for process in processes}

    assert Counter(n for names in won.values() for n in names) == {str(n): 1 for n in range(150)}
    for pid, names in won.items():
        assert {(tmp_path / "log" / n).read_text() for n in names} <= {pid}
    assert leftovers(tmp_path) == []


async def test_no_replacement_of_many_processes_is_lost(store: FolderStore, tmp_path: Path) -> None:
    await store.create("counter", b"0")

    for process in [run("increment", tmp_path, 60) for _ in range(3)]:
        told(process)

    assert (tmp_path / "counter").read_bytes() == b"180"


async def test_a_writer_killed_at_any_line_leaves_all_or_nothing(store: FolderStore, tmp_path: Path) -> None:
    lines = int(told(run("die-at-each-line", tmp_path))[0])

    assert lines > 40  # every line of the longer of the two was a writer's last
    first, second = folder_process.content(b"first"), folder_process.content(b"second")
    left = len(leftovers(tmp_path))
    stood, replaced = Counter[bool](), Counter[bool]()
    for line in range(1, lines + 1):
        created = await store.read(f"created/{line}/it")
        assert created is None or created.data == first
        assert await store.create(f"created/{line}/it", first) is (created is None)
        stood[created is not None] += 1

        held = await store.read(f"replaced/{line}")
        assert held is not None
        assert held.data in {first, second}
        assert await store.replace(f"replaced/{line}", b"third", held.tag) is True
        replaced[held.data == second] += 1
    assert min(stood[True], stood[False], replaced[True], replaced[False]) > 5
    assert len(leftovers(tmp_path)) == left > 0


async def test_a_writer_killed_at_any_time_leaves_all_or_nothing(store: FolderStore, tmp_path: Path) -> None:
    told(run("die-at-any-time", tmp_path))

    names = [path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file() and path.name[0] != "."]
    assert len(names) >= folder_process.DEATHS
    for name in names:
        found = await store.read(str(name))
        assert found is not None
        assert folder_process.whole(found.data)


def test_what_killed_writers_left_is_swept_when_it_is_old(tmp_path: Path) -> None:
    folder = tmp_path / "log"
    folder.mkdir()
    for name, age in [(".new-old", 7200), (".new-young", 60), ("0", 7200), (".lock", 7200)]:
        (folder / name).write_bytes(b"half")
        os.utime(folder / name, (time.time() - age,) * 2)

    asyncio.run(FolderStore(tmp_path).create("log/1", b"1"))

    assert sorted(path.name for path in folder.iterdir()) == [".lock", ".new-young", "0", "1"]


class Trace:
    """What was asked of the system, in its order: names that are made up by chance are `new` and `spare`."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls: list[str] = []
        for name in ("link", "replace", "unlink", "mkdir"):
            monkeypatch.setattr(os, name, self._spy(name, getattr(os, name)))
        fsync = os.fsync

        def traced(handle: int) -> None:
            self.calls.append(f"fsync {self._named(os.readlink(f'/proc/self/fd/{handle}'))}")
            fsync(handle)

        monkeypatch.setattr(os, "fsync", traced)

    def _spy(self, name: str, call: Any) -> Any:
        def spy(*arguments: Any, **options: Any) -> Any:
            paths = [self._named(os.fspath(one)) for one in arguments if isinstance(one, str | os.PathLike)]
            self.calls.append(" ".join([name, *paths]))
            return call(*arguments, **options)

        return spy

    @staticmethod
    def _named(path: str) -> str:
        name = os.path.basename(path)
        return {True: "spare" if name.endswith("-") else "new", False: name}[name.startswith(".new-")]


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="reads the names of open files")
def test_nothing_is_named_before_its_bytes_last_nor_told_before_its_name_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "root"
    (root / "a").mkdir(parents=True)
    trace = Trace(monkeypatch)

    files.make_folder(root / "a" / "b", root)
    assert files.create_file(root / "a" / "b" / "it", b"1")
    assert not files.create_file(root / "a" / "b" / "it", b"2")
    assert files.replace_file(root / "a" / "b" / "it", b"2", files.tag_of(b"1"))
    assert files.read_file(root / "a" / "b" / "it") == b"2"

    folders = ["mkdir a", "fsync root", "mkdir b", "fsync a"]
    created = ["fsync new", "link new it", "fsync b", "unlink new"]
    refused = ["fsync new", "link new it", "unlink new"]
    replaced = ["fsync new", "link new spare", "replace spare it", "fsync b", "unlink new"]
    assert trace.calls == [*folders, *created, *refused, *replaced]


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="reads the names of open files")
def test_an_object_whose_writer_may_not_have_finished_is_made_lasting_by_its_reader(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".new-1").write_bytes(b"1")
    os.link(tmp_path / ".new-1", tmp_path / "it")
    trace = Trace(monkeypatch)

    assert files.read_file(tmp_path / "it") == b"1"

    assert trace.calls == [f"fsync {tmp_path.name}"]


async def test_a_disk_that_takes_only_half_leaves_nothing(tmp_path: Path) -> None:
    program = (
        "import asyncio, resource, sys, pathlib\n"
        "from logcount.stores import FolderStore\n"
        "from logcount.errors import Unavailable\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))\n"  # stands for a full disk: half is written
        "try: asyncio.run(FolderStore(pathlib.Path(sys.argv[1])).create('log/0', b'x' * 10_000))\n"
        "except Unavailable as error: print(error)\n"
    )
    ran = subprocess.run([sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, check=True)

    assert ran.stdout == f"folder {tmp_path}: a file is larger than this process may write (EFBIG)\n"
    assert list((tmp_path / "log").iterdir()) == []


async def test_a_folder_is_made_with_all_that_leads_to_it(tmp_path: Path) -> None:
    root = tmp_path / "not" / "yet" / "there"
    store = FolderStore(root)

    await store.prepare()
    await store.prepare()

    assert list(root.iterdir()) == []
    assert await store.create("log/0", b"1")
    await store.close()


async def test_a_folder_that_went_away_is_not_taken_for_an_empty_store(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "disk")
    await store.prepare()
    await store.create("log/0", b"1")
    (tmp_path / "disk").rename(tmp_path / "unmounted")

    for call in (store.read("log/0"), store.create("log/1", b"1"), store.replace("log/0", b"1", "tag")):
        with pytest.raises(Unavailable, match=r"disk: it is not there \(is its disk mounted\?\) \(ENOENT\)"):
            await call

    (tmp_path / "unmounted").rename(tmp_path / "disk")
    assert await store.create("log/1", b"1")
    await store.close()


async def test_a_file_in_the_way_of_the_folder_is_a_wrong_setting(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")

    for root in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(Misconfigured, match="a file is in the way, where a folder is expected"):
            await FolderStore(root).prepare()


async def test_a_name_that_is_a_folder_is_unavailable(store: FolderStore) -> None:
    await store.create("log/0", b"1")

    with pytest.raises(Unavailable, match=r"\(EISDIR\)"):
        await store.read("log")


async def test_a_disk_that_does_not_answer_is_unavailable(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "stuck")  # opening it waits for a writer, as a disk of the network may
    store = FolderStore(tmp_path, seconds=0.05)

    with pytest.raises(Unavailable, match=r"its disk did not answer within 0\.05 s"):
        await store.read("stuck")

    os.close(os.open(tmp_path / "stuck", os.O_RDWR))
    await store.close()


async def test_a_lock_that_another_keeps_is_unavailable_and_one_of_the_dead_is_free(
    store: FolderStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "_LOCK_SECONDS", 0.02)
    await store.create("log/0", b"1")
    with (tmp_path / "log" / ".lock").open("ab") as held:
        fcntl.flock(held, fcntl.LOCK_EX)

        with pytest.raises(Unavailable, match="another process holds the lock"):
            await store.replace("log/0", b"2", files.tag_of(b"1"))

    assert await store.replace("log/0", b"2", files.tag_of(b"1"))


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (errno.ENOSPC, "no space is left on its disk: free some, or make the disk larger (ENOSPC)"),
        (errno.EACCES, "access is refused: this user must be allowed to read it and write to it (EACCES)"),
        (errno.EROFS, "its file system is mounted read-only (EROFS)"),
        (errno.ESTALE, f"{os.strerror(errno.ESTALE)} (ESTALE)"),
    ],
)
def test_an_error_of_the_system_says_what_to_mend(number: int, text: str) -> None:
    error = OSError(number, os.strerror(number), "/secret/place")

    assert str(unavailable(Path("/ledger"), error)) == f"folder /ledger: {text}"
