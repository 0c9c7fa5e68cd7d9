"""Reads Blob storage: lists blobs, reads them by ranges, and translates the client's errors.

A blob is read up to the size that it had when it was listed. An append blob may grow meanwhile (archives of diagnostic
settings do, for hours); if any other blob changes, reading it ends with an error.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from azure.core import MatchConditions
from azure.core.exceptions import AzureError, HttpResponseError, ServiceRequestError
from azure.storage.blob import BlobProperties, BlobType, ContainerClient

from logcount.errors import LogcountError, Misconfigured, Unreadable
from logcount.sources.archive.limits import MIB

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator, Sequence

    from logcount.sources.archive.blob_urls import BlobAccess, BlobUrl

_RANGE_BYTES = 4 * MIB
"""Large enough that the round trip takes a small share of the time, small enough to hold one in memory."""
_PATIENCE: dict[str, Any] = {
    # The client's own back-off waits 40 s over two failures, too long for an interactive command.
    "retry_total": 3,
    "retry_connect": 2,
    "initial_backoff": 1,
    "increment_base": 2,
    "random_jitter_range": 1,
    "connection_timeout": 10,
    "read_timeout": 60,
}
_SCOPE = "https://storage.azure.com/.default"
_REASONS = {
    401: "the credential is not accepted",
    403: "access is refused",
    404: "no longer there",
    412: "changed while it was read",
}


@dataclass(frozen=True, slots=True)
class BlobInput:
    """A blob of a container, as an `Input`."""

    source: str
    size: int
    name: str
    client: ContainerClient
    conditions: dict[str, Any]
    """Conditions under which the blob is read: its ETag, except for append blobs."""

    @property
    def parts(self) -> Sequence[str]:
        """Its virtual folders and its name."""
        return self.source.split("/")[2:]

    @property
    def identity(self) -> Hashable:
        """Its URL."""
        return self.source

    def open(self, check: Callable[[], None]) -> OpenBlob:
        """Open the blob; nothing is fetched yet."""
        return OpenBlob(self)


class OpenBlob:
    """A blob being read, range by range."""

    def __init__(self, input_: BlobInput) -> None:
        self._input = input_
        self._offset = 0
        self._held = memoryview(b"")

    def read(self, size: int, /) -> bytes:
        """Return the next bytes; raises Unreadable."""
        if not self._held and self._offset < self._input.size:
            length = min(_RANGE_BYTES, self._input.size - self._offset)
            with _ours(self._input.source):
                blob = self._input.client.get_blob_client(self._input.name)
                ranged = blob.download_blob(offset=self._offset, length=length, **self._input.conditions)
                self._held = memoryview(ranged.readall())
            self._offset += length
        taken, self._held = bytes(self._held[:size]), self._held[size:]
        return taken

    def close(self) -> None:
        """Drop the fetched bytes."""
        self._held = memoryview(b"")


def find_blobs(url: BlobUrl, access: BlobAccess) -> Iterator[BlobInput]:
    """Yield the blobs that match a URL, in the order of their names, page by page.

    Raises:
        Misconfigured: there is no such container, or no blob that matches.
        Unreadable: the container refuses access, or cannot be reached.
    """
    with _connect(url, access) as client:
        found = False
        _sign_in(url, access)
        for blob in _list(url, client):
            found = True
            yield BlobInput(url.source(blob.name), blob.size, blob.name, client, _conditions(blob))
        if not found and url.pattern:
            raise Misconfigured(f"{url.shown}: no blob matches")


def _sign_in(url: BlobUrl, access: BlobAccess) -> None:
    """Request a token if one is needed, to fail now: the client itself would retry for half a minute."""
    get_token = getattr(access.credential, "get_token", None)
    if get_token and not url.sas and not access.connection_string:
        with _ours(url.shown):
            get_token(_SCOPE)


def _list(url: BlobUrl, client: ContainerClient) -> Iterator[BlobProperties]:
    with _ours(url.shown):
        try:
            yield from _matching(url, client)
        except HttpResponseError as error:
            # A SAS for one blob does not allow listing.
            if error.status_code != 403 or url.is_glob or not url.prefix:
                raise
            yield client.get_blob_client(url.prefix).get_blob_properties()


def _matching(url: BlobUrl, client: ContainerClient) -> Iterator[BlobProperties]:
    for blob in client.list_blobs(name_starts_with=url.prefix or None):
        if not url.matches(blob.name):
            continue
        yield blob
        if blob.name == url.prefix:
            return  # the URL names this blob: it comes first, and others only begin like it


def _conditions(blob: BlobProperties) -> dict[str, Any]:
    if blob.blob_type == BlobType.APPENDBLOB:
        return {}
    return {"etag": blob.etag, "match_condition": MatchConditions.IfNotModified}


def _connect(url: BlobUrl, access: BlobAccess) -> ContainerClient:
    credential: Any = url.sas or access.credential
    if url.sas or not access.connection_string:
        return ContainerClient(url.account_url, url.container, credential=credential or None, **_PATIENCE)
    try:
        client = ContainerClient.from_connection_string(access.connection_string, url.container, **_PATIENCE)
    except ValueError:
        raise Misconfigured("the connection string of the storage account is malformed") from None
    if not client.url.lower().startswith(f"{url.account_url}/".lower()):
        raise Misconfigured(f"{url.shown}: the connection string is another account's")
    return client


@contextmanager
def _ours(shown: str) -> Iterator[None]:
    """Translate the client's errors into logcount's, by type and status."""
    try:
        yield
    except AzureError as error:
        raise _translate(error, shown) from None  # its text and its chain may hold a SAS


def _translate(error: AzureError, shown: str) -> LogcountError:
    if isinstance(error, HttpResponseError) and error.status_code:
        code = str(getattr(error, "error_code", None) or "")
        if code == "ContainerNotFound":
            return Misconfigured(f"{shown}: no such container")
        reason = _REASONS.get(error.status_code, "the service answers with an error")
        return Unreadable(f"{shown}: {reason} (HTTP {error.status_code}{code and ', ' + code})")
    if isinstance(error, HttpResponseError):
        return Unreadable(f"{shown}: no credential is available: sign in, use a SAS in the URL, or a connection string")
    reason = "cannot be reached" if isinstance(error, ServiceRequestError) else "the connection broke"
    return Unreadable(f"{shown}: {reason}")
