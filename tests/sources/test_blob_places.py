"""Blobs of a real container, on Azurite: found by prefix, name and glob, read by ranges, refused by name."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from azure.core.exceptions import ClientAuthenticationError
from azure.storage.blob import (
    BlobSasPermissions,
    ContainerClient,
    ContainerSasPermissions,
    generate_blob_sas,
    generate_container_sas,
)
from log_archives import capture_file, captured, collect, told

from logcount.errors import LogcountError, Misconfigured, Unreadable
from logcount.sources.archive import ArchiveSource, BlobAccess
from logcount.sources.archive.blob_urls import parse_blob_url

if TYPE_CHECKING:
    from collections.abc import Iterator

    from azurite import Azurite

    from logcount.model.events import LogEvent

pytest_plugins = ["azurite_fixture"]

CAPTURE = "ns/hub/0/2026/11/22/10/05/17.avro"
NAMES = ["logs/a.json", "logs/a.json.gz", "logs/b/c.json", "logs/b/[d] é%2A.json", "other.json", CAPTURE]


@pytest.fixture(scope="module")
def container(azurite: Azurite) -> Iterator[ContainerClient]:
    with ContainerClient.from_connection_string(azurite.connection_string, f"c{uuid4().hex}") as client:
        client.create_container()
        for name in NAMES:
            client.upload_blob(name, capture_file([captured(7)]) if name == CAPTURE else b'{"a":1}\n{"a":2}')
        yield client


@pytest.fixture
def access(azurite: Azurite) -> BlobAccess:
    return BlobAccess(connection_string=azurite.connection_string)


def expires() -> datetime:
    return datetime.now(UTC) + timedelta(hours=1)


def read(url: str, access: BlobAccess | None = None) -> list[LogEvent]:
    return list(ArchiveSource([url], blobs=access).events())


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("", sorted(NAMES)),
        ("logs/", ["logs/a.json", "logs/a.json.gz", "logs/b/[d] é%2A.json", "logs/b/c.json"]),
        ("logs/b", ["logs/b/[d] é%2A.json", "logs/b/c.json"]),
        ("logs/a.json", ["logs/a.json"]),
        ("logs/a.js", ["logs/a.json", "logs/a.json.gz"]),
        ("logs/*", ["logs/a.json", "logs/a.json.gz"]),
        ("*.json", ["other.json"]),
        ("**/*.json", ["logs/a.json", "logs/b/[d] é%2A.json", "logs/b/c.json", "other.json"]),
        ("logs/**/c.json", ["logs/b/c.json"]),
        ("logs/[ab].json", ["logs/a.json"]),
        ("logs/[!b].json", ["logs/a.json"]),
        ("**/0/**", [CAPTURE]),
        ("logs/b/%5Bd%5D%20%C3%A9%252A.json", ["logs/b/[d] é%2A.json"]),
    ],
)
def test_blobs_are_found_by_prefix_name_or_glob(
    container: ContainerClient, access: BlobAccess, pattern: str, names: list[str]
) -> None:
    events = read(f"{container.url}/{pattern}", access)

    by_blob = [parse_blob_url(source).prefix for source in dict.fromkeys(event.source for event in events)]
    assert by_blob == names


def test_the_source_of_an_event_leads_to_its_blob_again(container: ContainerClient, access: BlobAccess) -> None:
    for event in read(container.url, access):
        assert event in read(event.source, access)


def test_a_capture_blob_tells_partition_and_repeats(container: ContainerClient, access: BlobAccess) -> None:
    url = f"{container.url}/{CAPTURE}"

    events = list(ArchiveSource([url, f"{container.url}/ns"], blobs=access).events())

    assert [(event.position, event.source, event.duplicate) for event in events] == [(7, url, False), (7, url, True)]


async def test_a_blob_of_many_ranges_is_read_whole(
    container: ContainerClient, access: BlobAccess, azurite: Azurite
) -> None:
    lines = [json.dumps({"n": n, "text": "x" * 9000}).encode() for n in range(1000)]
    container.upload_blob("large", b"\n".join(lines), overwrite=True)
    counts: list[int] = []

    collected = await collect(ArchiveSource([f"{container.url}/large"], blobs=access, progress=counts.append))

    container.delete_blob("large")
    assert told(collected.events) == list(enumerate(lines, 1))
    assert sum(counts) == len(b"\n".join(lines))


def test_an_append_blob_is_read_up_to_the_size_it_had(container: ContainerClient, access: BlobAccess) -> None:
    blob = container.get_blob_client("growing/PT1H.json")
    blob.create_append_blob()
    for _ in range(3):
        blob.append_block(b'{"line":"%s"}\n' % (b"x" * 2_000_000))
    events = ArchiveSource([f"{container.url}/growing"], blobs=access).events()

    first = next(events)
    blob.append_block(b'{"line":"too late"}\n')
    rest = list(events)

    blob.delete_blob()
    assert [event.position for event in (first, *rest)] == [1, 2, 3]


def test_a_block_blob_that_changes_under_the_reader_is_unreadable(
    container: ContainerClient, access: BlobAccess
) -> None:
    container.upload_blob("changing", b'{"line":1}\n' * 1_000_000)
    events = ArchiveSource([f"{container.url}/changing"], blobs=access).events()
    next(events)
    container.upload_blob("changing", b'{"line":2}\n' * 1_000_000, overwrite=True)

    with pytest.raises(Unreadable, match=r"/changing: changed while it was read \(HTTP 412"):
        list(events)
    container.delete_blob("changing")


def test_a_container_without_blobs_has_no_events(azurite: Azurite, access: BlobAccess) -> None:
    with ContainerClient.from_connection_string(azurite.connection_string, f"c{uuid4().hex}") as client:
        client.create_container()

        assert read(client.url, access) == []


@pytest.mark.parametrize("pattern", ["nothing/", "logs/*.avro", "logs/nothing.json"])
def test_a_pattern_without_a_match_is_refused(container: ContainerClient, access: BlobAccess, pattern: str) -> None:
    with pytest.raises(Misconfigured, match=re.escape(f"{container.url}/{pattern}: no blob matches")):
        read(f"{container.url}/{pattern}", access)


def test_a_container_that_is_not_there_is_refused(azurite: Azurite, access: BlobAccess) -> None:
    with pytest.raises(Misconfigured, match="/nowhere/: no such container"):
        read(f"{azurite.url}/nowhere", access)


def test_a_sas_of_the_container_is_used_and_never_shown(container: ContainerClient, azurite: Azurite) -> None:
    sas = generate_container_sas(
        azurite.account_name,
        container.container_name,
        azurite.account_key,
        permission=ContainerSasPermissions(read=True, list=True),
        expiry=expires(),
    )

    events = read(f"{container.url}/logs/b/?{sas}")

    assert len(events) == 4
    assert not any("sig" in event.source for event in events)


def test_a_sas_of_one_blob_is_enough_for_it(container: ContainerClient, azurite: Azurite) -> None:
    sas = generate_blob_sas(
        azurite.account_name,
        container.container_name,
        "logs/a.json",
        account_key=azurite.account_key,
        permission=BlobSasPermissions(read=True),
        expiry=expires(),
    )

    events = read(f"{container.url}/logs/a.json?{sas}")

    assert told(events) == [(1, b'{"a":1}'), (2, b'{"a":2}')]


WRONG_KEY = "c2VjcmV0LXRoYXQtbXVzdC1uZXZlci1iZS1zaG93bg=="


@pytest.mark.parametrize("way", ["anonymous", "wrong sas", "wrong key"])
def test_a_container_that_refuses_is_unreadable_without_a_secret_in_the_message(
    container: ContainerClient, azurite: Azurite, way: str
) -> None:
    url = f"{container.url}/logs/"
    access = BlobAccess()
    if way == "wrong sas":
        url += f"?sv=2024-01-01&sr=c&sp=rl&se=2099-01-01&sig={WRONG_KEY}"
    if way == "wrong key":
        access = BlobAccess(connection_string=azurite.connection_string.replace(azurite.account_key, WRONG_KEY))

    with pytest.raises(LogcountError) as refused:
        read(url, access)

    if way == "anonymous":  # a private container is not even said to exist
        assert str(refused.value) == f"{container.url}/logs/: no such container" or "HTTP 40" in str(refused.value)
    else:
        assert str(refused.value).startswith(f"{container.url}/logs/: access is refused (HTTP 403, ")
    assert "c2Vj" not in str(refused.value) + repr(access) + repr(refused.value.__cause__)
    assert refused.value.__suppress_context__


def test_a_service_that_cannot_be_reached_is_unreadable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda seconds: None)  # the client's back-off
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/account/container"

        with pytest.raises(Unreadable, match="/account/container/: cannot be reached"):
            read(url)


def test_a_credential_that_cannot_be_had_is_unreadable() -> None:
    class NoCredential:
        def get_token(self, *scopes: str, **options: object) -> object:
            raise ClientAuthenticationError("tenant and client id would stand here")

    with pytest.raises(Unreadable) as refused:
        read("https://account.blob.core.windows.net/logs", BlobAccess(credential=NoCredential()))
    assert str(refused.value).startswith("https://account.blob.core.windows.net/logs/: no credential is available: ")


@pytest.mark.parametrize(
    ("connection_string", "message"),
    [
        ("nonsense", "the connection string of the storage account is malformed"),
        (
            "DefaultEndpointsProtocol=https;AccountName=other;AccountKey=AA==;EndpointSuffix=core.windows.net",
            "https://account.blob.core.windows.net/logs/: the connection string is another account's",
        ),
    ],
)
def test_a_connection_string_that_cannot_serve_is_refused(connection_string: str, message: str) -> None:
    with pytest.raises(Misconfigured) as refused:
        read("https://account.blob.core.windows.net/logs", BlobAccess(connection_string=connection_string))
    assert str(refused.value) == message


@pytest.mark.parametrize(
    ("url", "account_url", "container", "pattern"),
    [
        ("https://a.blob.core.windows.net/c", "https://a.blob.core.windows.net", "c", ""),
        ("https://a.blob.core.windows.net/c/p/*.x", "https://a.blob.core.windows.net", "c", "p/*.x"),
        ("https://a.blob.core.usgovcloudapi.net/c/p", "https://a.blob.core.usgovcloudapi.net", "c", "p"),
        ("https://a.blob.core.chinacloudapi.cn/c/p", "https://a.blob.core.chinacloudapi.cn", "c", "p"),
        ("https://a.z12.blob.storage.azure.net/c/p", "https://a.z12.blob.storage.azure.net", "c", "p"),
        ("https://a.blob.core.windows.net/$logs/p", "https://a.blob.core.windows.net", "$logs", "p"),
        ("http://127.0.0.1:10000/devstoreaccount1/c/p/q", "http://127.0.0.1:10000/devstoreaccount1", "c", "p/q"),
        ("http://azurite:10000/devstoreaccount1/c", "http://azurite:10000/devstoreaccount1", "c", ""),
    ],
)
def test_a_blob_url_tells_account_container_and_pattern(
    url: str, account_url: str, container: str, pattern: str
) -> None:
    found = parse_blob_url(url + "?sv=1&sig=secret")

    assert (found.account_url, found.container, found.pattern) == (account_url, container, pattern)
    assert found.sas == "sv=1&sig=secret"
    assert "secret" not in repr(found) + found.shown


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("https://example.com/logs/a.json?sig=secret", "https://example.com/logs/a.json: not a blob URL"),
        ("https://user:secret@a.blob.core.windows.net/c", "https://a.blob.core.windows.net/c: not a blob URL"),
        ("https://a.blob.core.windows.net/?sig=secret", "https://a.blob.core.windows.net/: names no container"),
        ("https://a.blob.core.windows.net/*/x", "https://a.blob.core.windows.net/*/x: names no container"),
        ("http://127.0.0.1:10000/account", "http://127.0.0.1:10000/account: names no container"),
        ("https://a.blob.core.windows.net/c/a?.json", "https://a.blob.core.windows.net/c/a: what follows ? is no SAS"),
        ("https://a.blob.core.windows.net:x/c", "not a URL"),
        ("https://[/c", "not a URL"),
    ],
)
def test_a_url_that_names_no_blobs_is_refused_at_once(url: str, message: str) -> None:
    with pytest.raises(Misconfigured) as refused:
        ArchiveSource([url])
    assert str(refused.value).startswith(message)
    assert "secret" not in str(refused.value)


def test_without_a_blob_url_no_azure_package_is_imported(tmp_path: object) -> None:
    program = "import sys; from logcount.sources.archive import ArchiveSource"
    program += "; list(ArchiveSource([sys.argv[1]]).events())"
    program += "; print([name for name in sys.modules if name.split('.')[0] == 'azure'])"

    done = subprocess.run([sys.executable, "-c", program, str(tmp_path)], capture_output=True, check=True, text=True)

    assert done.stdout.strip() == "[]"
