"""The contract of every store: in memory, in a folder, and in Blob storage (Azurite)."""

from __future__ import annotations

import asyncio
import random
import socket
from typing import TYPE_CHECKING, Protocol
from uuid import uuid4

import pytest
from memory_store import MemoryStore

from logcount.errors import Unavailable
from logcount.ports import Store
from logcount.stores import FolderStore
from logcount.stores.blob import BlobStore, Patience
from logcount.stores.objects import MAX_BYTES

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

pytest_plugins = ["azurite_fixture"]
# the storage client hands aiohttp an object in one piece: 4 MiB at most, which takes the loop a few milliseconds
pytestmark = pytest.mark.filterwarnings("ignore:Sending a large body directly:ResourceWarning")

IMPATIENT = Patience(retries=0, connect_seconds=2, read_seconds=10, total_seconds=20)


class Closable(Store, Protocol):
    """A store that holds on to something."""

    async def close(self) -> None: ...


class Backend:
    """One kind of store: opened as often as a test likes, always on the same objects."""

    def __init__(self, open_one: Callable[[], Store], unreachable: Callable[[], Store]) -> None:
        self.open = open_one
        self.unreachable = unreachable


@pytest.fixture(params=["memory", "folder", "blob"])
async def backend(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Backend]:
    opened: list[Closable] = []

    def keep(store: Closable) -> Store:
        opened.append(store)
        return store

    if request.param == "memory":
        memory = MemoryStore()
        yield Backend(lambda: memory, lambda: MemoryStore(lambda operation, name: "unreachable"))
    elif request.param == "folder":
        root = tmp_path / "ledger"
        yield Backend(lambda: keep(FolderStore(root)), lambda: keep(FolderStore(tmp_path / "not mounted")))
    else:
        azurite, container = request.getfixturevalue("azurite"), f"c{uuid4().hex}"
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            nowhere = azurite.connection_string.replace(f":{azurite.port}/", f":{free.getsockname()[1]}/")

            def blobs(connection_string: str) -> Store:
                return keep(BlobStore(container, connection_string=connection_string, patience=IMPATIENT))

            yield Backend(lambda: blobs(azurite.connection_string), lambda: blobs(nowhere))
    for store in opened:
        await store.close()


@pytest.fixture
async def store(backend: Backend) -> Store:
    opened = backend.open()
    if isinstance(opened, FolderStore | BlobStore):
        await opened.prepare()
    return opened


async def tag_of(store: Store, name: str) -> str:
    found = await store.read(name)
    assert found is not None
    return found.tag


NAMES = [
    "header",
    "eventhub:contoso/apim-logs/0/17",
    "eventhub:contoso/$default/cursors/appinsights",
    "Upper Case/and spaces in it/éü",
    "a+b/c%2Fd/100%/%41/#x/y?z=1&w=2/{}/~'()*!@,;=/\"<>|",
    "/".join(["n" * 200] * 4),
]
CONTENTS = {"nothing": b"", "every byte": bytes(range(256)), "lines": b'{"v":1}\r\n\n', "the most": b"\xa5" * MAX_BYTES}


@pytest.mark.parametrize("name", NAMES)
async def test_what_is_created_is_read_at_once_by_all(store: Store, backend: Backend, name: str) -> None:
    assert await store.read(name) is None
    assert await store.create(name, b"first") is True

    for reader in (store, backend.open()):
        found = await reader.read(name)
        assert found is not None
        assert found.data == b"first"


@pytest.mark.parametrize("content", CONTENTS)
async def test_bytes_are_kept_as_they_are(store: Store, content: str) -> None:
    data = CONTENTS[content]
    assert await store.create("made", data)
    made = await store.read("made")
    assert made is not None
    assert made.data == data

    assert await store.replace("made", data + b"x" if len(data) < MAX_BYTES else data[1:], made.tag)
    replaced = await store.read("made")
    assert replaced is not None
    assert replaced.data != data
    assert abs(len(replaced.data) - len(data)) == 1


async def test_names_that_differ_in_case_or_depth_are_different(store: Store) -> None:
    for name in ("a/b", "A/b", "a/B", "a/c/b"):
        assert await store.create(name, name.encode())

    for name in ("a/b", "A/b", "a/B", "a/c/b"):
        found = await store.read(name)
        assert found is not None
        assert found.data == name.encode()
    assert await store.read("a/b/c") is None


async def test_a_name_is_created_once(store: Store, backend: Backend) -> None:
    assert await store.create("log/0", b"first")

    assert await backend.open().create("log/0", b"second") is False
    assert await store.create("log/0", b"first") is False

    found = await store.read("log/0")
    assert found is not None
    assert found.data == b"first"


async def test_of_many_creators_one_writes(store: Store, backend: Backend) -> None:
    others = [backend.open() for _ in range(3)]
    for n in range(5):
        writers = [(one, f"{n} {who} {at}".encode()) for who, one in enumerate([store, *others]) for at in range(4)]
        wrote = await asyncio.gather(*(one.create(f"log/{n}", data) for one, data in writers))

        found = await store.read(f"log/{n}")
        assert found is not None
        assert [data for did, (_, data) in zip(wrote, writers, strict=True) if did] == [found.data]


async def test_an_object_is_replaced_only_by_who_has_its_tag(store: Store) -> None:
    await store.create("cursor", b"1")
    first = await store.read("cursor")
    assert first is not None

    assert await store.replace("cursor", b"2", first.tag) is True
    second = await store.read("cursor")
    assert second is not None
    assert second.data == b"2"
    assert second.tag != first.tag
    assert await store.replace("cursor", b"3", first.tag) is False
    assert await store.read("cursor") == second


async def test_a_tag_stays_while_nothing_is_written(store: Store, backend: Backend) -> None:
    await store.create("cursor", b"1")

    assert await store.read("cursor") == await backend.open().read("cursor")


async def test_what_is_not_there_cannot_be_replaced(store: Store) -> None:
    await store.create("cursor", b"1")
    tag = getattr(await store.read("cursor"), "tag", "")

    for name in ("another", "far/away/cursor", "cursor/below"):
        assert await store.replace(name, b"2", tag) is False
        assert await store.read(name) is None


async def test_no_replacement_is_lost_among_many(store: Store, backend: Backend) -> None:
    await store.create("counter", b"0")

    async def add(one: Store) -> None:
        while True:
            held = await one.read("counter")
            assert held is not None
            if await one.replace("counter", str(int(held.data) + 1).encode(), held.tag):
                return

    await asyncio.gather(*(add(one) for one in [store, backend.open()] for _ in range(10)))

    assert getattr(await store.read("counter"), "data", b"") == b"20"


@pytest.mark.parametrize("name", NAMES)
async def test_what_is_deleted_is_gone_at_once_for_all(store: Store, backend: Backend, name: str) -> None:
    await store.create(name, b"1")
    tag = await tag_of(store, name)

    assert await store.delete(name, tag) is True

    for reader in (store, backend.open()):
        assert await reader.read(name) is None
        assert await reader.names("") == []
        assert await reader.replace(name, b"2", tag) is False
        assert await reader.delete(name, tag) is False


async def test_an_object_is_deleted_only_by_who_has_its_tag(store: Store) -> None:
    await store.create("cursor", b"1")
    first = await tag_of(store, "cursor")
    await store.replace("cursor", b"2", first)

    assert await store.delete("cursor", first) is False

    assert getattr(await store.read("cursor"), "data", b"") == b"2"


async def test_what_is_not_there_cannot_be_deleted(store: Store) -> None:
    await store.create("cursor", b"1")
    tag = await tag_of(store, "cursor")

    for name in ("another", "far/away/cursor", "cursor/below"):
        assert await store.delete(name, tag) is False


async def test_of_many_who_delete_or_replace_one_does(store: Store, backend: Backend) -> None:
    for n in range(5):
        await store.create(f"log/{n}", b"1")
        tag = await tag_of(store, f"log/{n}")
        others = [backend.open() for _ in range(2)]
        did = await asyncio.gather(
            *(one.delete(f"log/{n}", tag) for one in (store, *others)),
            *(one.replace(f"log/{n}", b"2", tag) for one in (store, *others)),
        )

        assert sum(did) == 1
        assert (await store.read(f"log/{n}") is None) == any(did[:3])


async def test_a_name_that_was_deleted_can_be_created(store: Store) -> None:
    await store.create("log/0", b"1")
    await store.delete("log/0", await tag_of(store, "log/0"))

    assert await store.create("log/0", b"2") is True
    assert await store.names("log/") == ["log/0"]


LISTED = sorted([*NAMES, "a/b", "a/B", "a/c/b", "eventhub:contoso/apim-logs/0/1", "eventhub:contoso/apim-logs/1/0"])
PREFIXES = ["", "a", "a/", "a/b", "A", "eventhub:contoso/apim-logs/0/1", "event", "a+b/c%2Fd/", "log", "header/", "é"]


async def test_names_are_listed_by_their_beginning_and_in_order(store: Store, backend: Backend) -> None:
    assert await store.names("") == []
    for name in LISTED:
        await store.create(name, b"1")

    for prefix in (*PREFIXES, *NAMES, "n" * 255):
        for reader in (store, backend.open()):
            assert await reader.names(prefix) == [name for name in LISTED if name.startswith(prefix)]


async def test_what_stood_before_is_listed_while_others_write(store: Store, backend: Backend) -> None:
    for n in range(10):
        await store.create(f"old/{n}", b"1")

    other = backend.open()
    writing = [asyncio.ensure_future(other.create(f"old/x{n}", b"1")) for n in range(10)]
    found = await store.names("old/")
    await asyncio.gather(*writing)

    assert set(found) >= {f"old/{n}" for n in range(10)}


async def test_an_object_is_never_half_there(store: Store, backend: Backend) -> None:
    seen: set[bytes | None] = set()
    over = asyncio.Event()

    async def watch(one: Store) -> None:
        while not over.is_set():
            found = await one.read("log/large")
            seen.add(found.data if found else None)

    async with asyncio.TaskGroup() as group:
        group.create_task(watch(backend.open()))
        group.create_task(watch(store))
        await asyncio.sleep(0.01)
        await store.create("log/large", b"a" * MAX_BYTES)
        for letter in (b"b", b"c", b"d"):
            held = await store.read("log/large")
            assert held is not None
            assert await store.replace("log/large", letter * MAX_BYTES, held.tag)
        over.set()

    assert seen <= {None, *(letter * MAX_BYTES for letter in (b"a", b"b", b"c", b"d"))}


async def test_a_call_that_is_given_up_leaves_the_whole_or_nothing(store: Store) -> None:
    chance = random.Random(7)
    for n in range(20):
        giving_up = asyncio.ensure_future(store.create(f"log/{n}", b"a" * 100_000))
        await asyncio.sleep(chance.random() * 0.01)
        giving_up.cancel()
        await asyncio.gather(giving_up, return_exceptions=True)

        wrote = await store.create(f"log/{n}", b"b" * 100_000)

        found = await store.read(f"log/{n}")
        assert found is not None
        assert found.data == (b"b" if wrote else b"a") * 100_000


@pytest.mark.parametrize("operation", ["read", "create", "replace", "delete", "names"])
async def test_a_store_that_does_not_answer_is_unavailable(backend: Backend, operation: str) -> None:
    store = backend.unreachable()
    rest = {"create": (b"1",), "replace": (b"1", "tag"), "delete": ("tag",)}.get(operation, ())

    with pytest.raises(Unavailable):
        await getattr(store, operation)("log/0", *rest)


BAD_NAMES = [
    "", "/", "/etc/passwd", "a/", "a//b", ".", "..", "../a", "a/../b", "a/./b", ".lock", "a/.new-1", "a.", "a./b",
    "a\\b", "a\nb", "a\0b", "a\x7fb", "\ud800", "n" * 256, "é" * 128, "n/" * 600 + "n",
]  # fmt: skip


@pytest.mark.parametrize("name", BAD_NAMES)
async def test_a_name_that_some_store_could_not_keep_is_refused_by_all(store: Store, name: str) -> None:
    for call in (store.read(name), store.create(name, b""), store.replace(name, b"", "tag"), store.delete(name, "tag")):
        with pytest.raises(ValueError, match="name"):
            await call


BAD_PREFIXES = ["/", "a//b", ".", "..", "../a", "a/../", "a/.", "a./", "a\\b", "a\nb", "n" * 256 + "/", "n/" * 600]


@pytest.mark.parametrize("prefix", BAD_PREFIXES)
async def test_a_prefix_that_no_name_has_is_refused_by_all(store: Store, prefix: str) -> None:
    with pytest.raises(ValueError, match="name"):
        await store.names(prefix)


async def test_an_object_that_is_too_large_is_refused(store: Store) -> None:
    for call in (store.create("log/0", b"x" * (MAX_BYTES + 1)), store.replace("log/0", b"x" * (MAX_BYTES + 1), "tag")):
        with pytest.raises(ValueError, match="4194304 at most"):
            await call
    assert await store.read("log/0") is None
