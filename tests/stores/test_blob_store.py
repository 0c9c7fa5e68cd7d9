"""Blob storage as a store, on Azurite: refusals say what to mend, and no fault of the network makes a wrong answer."""

from __future__ import annotations

import asyncio
import random
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from azure.core.exceptions import ClientAuthenticationError
from azure.storage.blob import ContainerSasPermissions, generate_container_sas
from faulty_proxy import FaultyProxy, faulty_proxy

from logcount.errors import Misconfigured, Unavailable
from logcount.stores.blob import BlobStore, Patience
from logcount.stores.objects import MAX_BYTES

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from azurite import Azurite
    from faulty_proxy import Fault

pytest_plugins = ["azurite_fixture"]
# the storage client hands aiohttp an object in one piece: 4 MiB at most, which takes the loop a few milliseconds
pytestmark = pytest.mark.filterwarnings("ignore:Sending a large body directly:ResourceWarning")

ONCE = Patience(retries=0, connect_seconds=2, read_seconds=5, total_seconds=10)
TWICE = Patience(retries=1, first_wait=0, growth=0, connect_seconds=2, read_seconds=5, total_seconds=10)


@pytest.fixture
async def proxy(azurite: Azurite) -> AsyncIterator[FaultyProxy]:
    async with faulty_proxy(azurite.port) as running:
        yield running


class Opener:
    """Opens stores on one container, and closes them after the test."""

    def __init__(self, azurite: Azurite) -> None:
        self.azurite = azurite
        self.container = f"c{uuid4().hex}"
        self.opened: list[BlobStore] = []

    def __call__(
        self, port: int | None = None, patience: Patience = ONCE, key: str = "", container: str = ""
    ) -> BlobStore:
        string = self.azurite.connection_string.replace(f":{self.azurite.port}/", f":{port or self.azurite.port}/")
        string = string.replace(self.azurite.account_key, key or self.azurite.account_key)
        self.opened.append(BlobStore(container or self.container, connection_string=string, patience=patience))
        return self.opened[-1]

    def with_sas(self, **permissions: Any) -> BlobStore:
        sas = generate_container_sas(
            self.azurite.account_name,
            self.container,
            self.azurite.account_key,
            permission=ContainerSasPermissions(**permissions),
            expiry=datetime.now(UTC) + timedelta(hours=1),
        )
        self.opened.append(BlobStore(self.container, account_url=f"{self.azurite.url}?{sas}", patience=ONCE))
        return self.opened[-1]


@pytest.fixture
async def opener(azurite: Azurite) -> AsyncIterator[Opener]:
    made = Opener(azurite)
    yield made
    for store in made.opened:
        await store.close()


@pytest.fixture
async def store(opener: Opener) -> BlobStore:
    opened = opener()
    await opened.prepare()
    return opened


async def data_of(store: BlobStore, name: str) -> bytes | None:
    found = await store.read(name)
    return found.data if found else None


async def test_a_container_is_made_where_there_is_none(opener: Opener) -> None:
    store = opener()
    with pytest.raises(
        Unavailable, match=f"container '{opener.container}' of 127.0.0.1:.*: there is no such container"
    ):
        await store.create("header", b"1")

    await store.prepare()
    await asyncio.gather(*(opener().prepare() for _ in range(3)))

    assert await store.create("header", b"1")


async def test_several_that_make_the_container_at_once_all_have_it(opener: Opener) -> None:
    stores = [opener() for _ in range(5)]

    await asyncio.gather(*(one.prepare() for one in stores))

    assert sum(await asyncio.gather(*(one.create("header", b"1") for one in stores))) == 1


async def test_a_container_that_may_not_be_made_is_a_wrong_setting(opener: Opener) -> None:
    with pytest.raises(Misconfigured, match="it does not exist and may not be created: create it"):
        await opener.with_sas(read=True, write=True, create=True).prepare()


async def test_who_may_only_read_is_told_the_role_that_writes(store: BlobStore, opener: Opener) -> None:
    await store.create("log/0", b"1")
    reader = opener.with_sas(read=True)

    await reader.prepare()
    assert await data_of(reader, "log/0") == b"1"
    with pytest.raises(
        Unavailable, match=r"the role Storage Blob Data Contributor .* \(HTTP 403, Authorization"
    ) as refused:
        await reader.create("log/1", b"1")
    assert "sig" not in str(refused.value)


async def test_a_wrong_key_is_told_without_any_key(opener: Opener) -> None:
    store = opener(key="c2VjcmV0LXRoYXQtbXVzdC1uZXZlci1iZS1zaG93bg==")

    for call in (store.prepare(), store.read("a"), store.create("a", b""), store.replace("a", b"", "tag")):
        with pytest.raises(Unavailable, match=r"\(HTTP 403, AuthorizationFailure\)") as refused:
            await call
        assert "c2Vj" not in str(refused.value)
        assert refused.value.__suppress_context__


async def test_a_credential_that_cannot_be_had_is_told() -> None:
    class NoCredential:
        async def get_token(self, *scopes: str, **options: object) -> Any:
            raise ClientAuthenticationError("tenant and client id would stand here")

        async def close(self) -> None: ...

        async def __aenter__(self) -> Any: ...

        async def __aexit__(self, *raised: object) -> None: ...

    store = BlobStore(
        "ledger", account_url="https://account.blob.core.windows.net", credential=NoCredential(), patience=ONCE
    )
    with pytest.raises(Unavailable, match=r"'ledger' of account\.blob\.core\.windows\.net: no credential is available"):
        await store.read("header")
    await store.close()


_OTHER_ACCOUNT = "DefaultEndpointsProtocol=https;AccountName=b;AccountKey=c2Vj;EndpointSuffix=core.windows.net"


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"container": "Ledger", "account_url": "https://a.blob.core.windows.net"}, "'Ledger' is no container's name"),
        ({"container": "a--b", "account_url": "https://a.blob.core.windows.net"}, "'a--b' is no container's name"),
        ({"container": "ledger"}, "by its connection string, or by its URL"),
        ({"container": "ledger", "account_url": "https://a", "connection_string": _OTHER_ACCOUNT}, "another account's"),
        ({"container": "ledger", "connection_string": "AccountKey=c2Vj"}, "is malformed"),
        ({"container": "ledger", "account_url": ""}, "is malformed"),
    ],
)
def test_a_setting_that_cannot_serve_is_refused_at_once(settings: dict[str, Any], text: str) -> None:
    with pytest.raises(Misconfigured, match=text) as refused:
        BlobStore(**settings)
    assert "c2Vj" not in str(refused.value)


def test_an_identity_is_not_sent_in_the_clear() -> None:
    class Credential:
        def get_token(self) -> None: ...

    with pytest.raises(Misconfigured, match="an identity's token is sent over https only"):
        BlobStore("ledger", account_url="http://a.blob.core.windows.net", credential=Credential())  # type: ignore[arg-type]


async def test_the_largest_object_is_one_put_and_one_get(store: BlobStore, opener: Opener, proxy: FaultyProxy) -> None:
    through = opener(proxy.port)

    assert await through.create("log/0", b"x" * MAX_BYTES)
    assert await data_of(through, "log/0") == b"x" * MAX_BYTES

    assert [request.split()[0] for request in proxy.requests] == ["PUT", "GET"]


FAULTS: list[Fault] = ["unsent", "half sent", "unanswered", "half answered", "silent", "late"]


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_call_without_a_clear_answer_is_unavailable(
    store: BlobStore, opener: Opener, proxy: FaultyProxy, fault: Fault
) -> None:
    through = opener(proxy.port, Patience(retries=0, read_seconds=0.3))
    proxy.fault = lambda: fault  # of every request, as aiohttp tries once more by itself
    await store.create("cursor", b"1")
    held = await store.read("cursor")
    assert held is not None

    for call in (through.read("cursor"), through.create("log/0", b"2"), through.replace("cursor", b"2", held.tag)):
        with pytest.raises(Unavailable, match="cannot be reached, or did not answer in time"):
            await call

    proxy.fault = lambda: None
    done = fault in {"unanswered", "half answered"}
    assert await data_of(store, "log/0") == (b"2" if done else None)
    assert await data_of(store, "cursor") == (b"2" if done else b"1")
    assert await opener(proxy.port).create("log/0", b"3") is not done  # and the way is open again


async def test_a_service_that_is_silent_for_long_is_given_up(
    store: BlobStore, opener: Opener, proxy: FaultyProxy
) -> None:
    through = opener(proxy.port, Patience(retries=9, read_seconds=60, total_seconds=0.1))
    proxy.faults = ["silent"]

    with pytest.raises(Unavailable, match="did not answer in time"):
        await through.read("log/0")


async def test_a_put_that_comes_late_changes_nothing(store: BlobStore, opener: Opener, proxy: FaultyProxy) -> None:
    through = opener(proxy.port)
    await store.create("cursor", b"1")
    held = await store.read("cursor")
    assert held is not None
    proxy.fault = lambda: "late"
    for call in (through.create("log/0", b"late"), through.replace("cursor", b"late", held.tag)):
        with pytest.raises(Unavailable):
            await call

    assert await store.create("log/0", b"2")
    assert await store.replace("cursor", b"2", held.tag)
    answers = await proxy.land()

    assert [answer.split()[1] for answer in answers] == [b"409"] * 2 + [b"412"] * 2  # aiohttp sends each once more
    assert (await data_of(store, "log/0"), await data_of(store, "cursor")) == (b"2", b"2")


async def test_a_put_whose_answer_was_lost_is_said_to_be_anothers(
    store: BlobStore, opener: Opener, proxy: FaultyProxy
) -> None:
    through = opener(proxy.port)
    proxy.faults = ["unanswered"]

    assert await through.create("log/0", b"mine") is False

    assert await data_of(store, "log/0") == b"mine"


@pytest.mark.parametrize("fault", ["unsent", "half sent", "half answered"])
async def test_what_can_be_tried_again_is(store: BlobStore, opener: Opener, proxy: FaultyProxy, fault: Fault) -> None:
    through = opener(proxy.port, TWICE)
    await store.create("log/0", b"1" * 1000)

    proxy.faults = [fault]
    assert await data_of(through, "log/0") == b"1" * 1000
    proxy.faults = [fault]
    assert await through.create("log/1", b"2") is (fault != "half answered")


def refusal(status: int, code: str) -> bytes:
    body = f'<?xml version="1.0"?><Error><Code>{code}</Code><Message>sig=c2VjcmV0</Message></Error>' if code else ""
    head = (
        f"HTTP/1.1 {status} No\r\nContent-Type: application/xml\r\nContent-Length: {len(body)}\r\nConnection: close\r\n"
    )
    return (head + (f"x-ms-error-code: {code}\r\n" if code else "") + f"\r\n{body}").encode()


@pytest.mark.parametrize(
    ("status", "code", "text"),
    [
        (403, "AuthorizationPermissionMismatch", "the role Storage Blob Data Contributor"),
        (403, "AuthorizationFailure", "let this network through the account's firewall"),
        (403, "KeyBasedAuthenticationNotPermitted", "the account takes no keys: use an identity"),
        (403, "", "the role Storage Blob Data Contributor"),
        (404, "ContainerNotFound", "there is no such container: make it, or name another"),
        (404, "", "is this the account's blob endpoint?"),
        (409, "BlobImmutableDueToPolicy", "the container's immutability policy forbids"),
        (409, "ContainerBeingDeleted", "the container is being deleted"),
        (409, "", "the service answers with an error"),
        (412, "LeaseIdMissing", "the service answers with an error"),
        (429, "", "the service is busy"),
        (500, "InternalError", "the service answers with an error"),
        (503, "ServerBusy", "the service is busy"),
    ],
)
async def test_a_refusal_that_is_no_answer_is_unavailable_and_says_what_to_mend(
    opener: Opener, proxy: FaultyProxy, status: int, code: str, text: str
) -> None:
    store = opener(proxy.port)
    proxy.fault = lambda: refusal(status, code)

    for call in (store.read("a"), store.create("a", b"1"), store.replace("a", b"1", '"0x1"')):
        with pytest.raises(Unavailable) as refused:
            await call
        assert text in str(refused.value)
        assert str(refused.value).endswith(f"(HTTP {status}{code and ', ' + code})")
        assert "c2Vj" not in str(refused.value)


async def test_many_writers_over_a_bad_way_are_never_told_wrong(
    store: BlobStore, opener: Opener, proxy: FaultyProxy
) -> None:
    chance = random.Random(5)
    mishaps: list[Fault] = [None, None, "unsent", "half sent", "unanswered", "half answered", "late"]
    proxy.fault = lambda: chance.choice(mishaps)
    claimed: dict[str, list[bytes]] = {f"log/{n}": [] for n in range(12)}
    refused: list[str] = []

    async def write(who: int) -> None:
        through = opener(proxy.port, TWICE)
        for name, claims in claimed.items():
            data = f"{name} by {who}".encode() * 500
            try:
                if await through.create(name, data):
                    claims.append(data)
                else:
                    refused.append(name)
                    assert await data_of(store, name) is not None
            except Unavailable:
                await proxy.land()

    await asyncio.gather(*(write(who) for who in range(4)))

    for name, claims in claimed.items():
        found = await data_of(store, name)
        assert claims in ([], [found])
        assert found is None or found in {f"{name} by {who}".encode() * 500 for who in range(4)}
    assert any(claimed.values())
    assert refused


def test_who_keeps_a_ledger_in_a_folder_imports_no_azure_package() -> None:
    program = "import sys, logcount.stores; print([name for name in sys.modules if name.split('.')[0] == 'azure'])"

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, text=True)

    assert done.stdout.strip() == "[]"
