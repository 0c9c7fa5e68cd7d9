"""A container of Blob storage as a store: each object is a block blob, written by one conditional put."""

from __future__ import annotations

import asyncio
import re
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from azure.core import MatchConditions
from azure.core.exceptions import AzureError, HttpResponseError, ResourceNotFoundError
from azure.storage.blob.aio import ContainerClient

from logcount.errors import Misconfigured, Unavailable
from logcount.ports import Stored
from logcount.stores.objects import MAX_BYTES, check_name, check_object, check_prefix, fits
from logcount.stores.refusals import CONTAINER_NOT_FOUND, code_of, told

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from azure.core.credentials_async import AsyncTokenCredential

_CONTAINER = re.compile(r"(?=.{3,63}\Z)[a-z0-9]+(-[a-z0-9]+)*\Z")
_ABSENT = "BlobNotFound"
_STANDS = frozenset({"BlobAlreadyExists", "ConditionNotMet"})
"""How the service says that a put found an object where none should be; any other 409 or 412 says something else."""
_CHANGED = frozenset({"ConditionNotMet", _ABSENT})
"""How it says that a put or a removal did not find the object that it was for."""
_PROBE = "probe"
"""An object that nobody writes: reading it tells whether the container is there and lets us in."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a call goes on before it is unavailable; the ledger tries again by itself, with its own back-off."""

    retries: int = 2
    first_wait: int = 1
    """Seconds before the first retry. The client's own (15 s, then 18 s) would hold up a partition for too long."""
    growth: int = 2
    """The wait before retry n is `first_wait` + `growth` ** n seconds."""
    connect_seconds: float = 5.0
    read_seconds: float = 20.0
    """The longest silence of the service: 4 MiB take it less than one."""
    total_seconds: float = 60.0


class BlobStore:
    """Keeps objects as blobs of a container, named alike.

    Guarantee: `create` and `replace` are each one conditional put, which the service carries out whole or not at all,
    once only, and for all readers at once (Blob storage is strongly consistent). What is not clearly answered is
    `Unavailable`, and may have been written, or be written yet.

    A put whose answer is lost is tried again, by the client and (whatever `retries` says) once by aiohttp below it, and
    then its own first try stands in its way. So False says that the object is there, or the tag another, and not for
    certain that another process wrote it: a caller must look, and take what is there as another's, as the ledger does.

    So too with `delete`: False says that the object is not there with this tag, whoever removed it.

    The tag is the ETag, which every write changes. The identity needs the role Storage Blob Data Contributor; a SAS, to
    read and write (and to list and delete, where that is asked, and to create the container, if it is missing).
    """

    def __init__(
        self,
        container: str,
        *,
        connection_string: str | None = None,
        account_url: str | None = None,
        credential: AsyncTokenCredential | None = None,
        patience: Patience | None = None,
    ) -> None:
        """Connect by a connection string, else by the account's URL (a SAS may be in it) and a credential.

        Where both are given, the connection string must be that account's. The credential stays the caller's to close.
        Nothing is sent yet.

        Raises:
            Misconfigured: the container's name or the way to the account is not well formed.

        """
        if not _CONTAINER.match(container):
            raise Misconfigured(
                f"{container!r} is no container's name: 3 to 63 lower-case letters, digits and single hyphens are"
            )
        self._patience = patience or Patience()
        self._client = _connect(container, connection_string, account_url, credential, _options(self._patience))
        self._shown = f"container {container!r} of {self._client.primary_hostname}"

    async def prepare(self) -> None:
        """Make the container if it is not there, and try to read from it.

        Raises:
            Misconfigured: there is no such container, and it may not be made.
            Unavailable: the service refuses (roles take minutes to take hold), or does not answer.

        """
        async with self._asked():
            try:
                await self._get(_PROBE)
            except ResourceNotFoundError as error:
                if code_of(error) != CONTAINER_NOT_FOUND:
                    raise
                await self._make_container()

    async def read(self, name: str) -> Stored | None:
        """Return what is there under the name, or None where nothing is; raises Unavailable."""
        check_name(name)
        async with self._asked():
            return await self._get(name)

    async def create(self, name: str, data: bytes) -> bool:
        """Write the object if there is none of that name; say whether this call surely did; raises Unavailable."""
        check_object(name, data)
        async with self._asked():
            return await self._put(name, data, _STANDS, overwrite=False)

    async def replace(self, name: str, data: bytes, tag: str) -> bool:
        """Write over the object if it still has this tag; say whether this call surely did; raises Unavailable."""
        check_object(name, data)
        held = {"etag": tag, "match_condition": MatchConditions.IfNotModified}
        async with self._asked():
            return await self._put(name, data, _CHANGED, overwrite=True, **held)

    async def delete(self, name: str, tag: str) -> bool:
        """Remove the object if it still has this tag; say whether this call surely did; raises Unavailable."""
        check_name(name)
        async with self._asked():
            return await self._remove(name, tag)

    async def names(self, prefix: str) -> list[str]:
        """Return the names that begin so, in order of code points; raises Unavailable."""
        check_prefix(prefix)
        async with self._asked():
            return sorted([name async for name in self._client.list_blob_names(name_starts_with=prefix) if fits(name)])

    async def close(self) -> None:
        """Let go of the connections; the store cannot be used any more."""
        await self._client.close()

    async def _get(self, name: str) -> Stored | None:
        try:
            blob = await self._client.download_blob(name)
            return Stored(await blob.readall(), blob.properties.etag)
        except HttpResponseError as error:
            if code_of(error) == _ABSENT:
                return None
            raise

    async def _put(self, name: str, data: bytes, refusals: frozenset[str], **how: Any) -> bool:
        try:
            await self._client.upload_blob(name, data, length=len(data), **how)
        except HttpResponseError as error:
            if code_of(error) in refusals:
                return False
            raise
        return True

    async def _remove(self, name: str, tag: str) -> bool:
        try:
            await self._client.delete_blob(name, etag=tag, match_condition=MatchConditions.IfNotModified)
        except HttpResponseError as error:
            if code_of(error) in _CHANGED:
                return False
            raise
        return True

    async def _make_container(self) -> None:
        try:
            await self._client.create_container()
        except HttpResponseError as error:
            if error.status_code in {401, 403}:
                raise Misconfigured(f"{self._shown}: it is not there, and making it is refused: make it") from None
            if code_of(error) != "ContainerAlreadyExists":
                raise

    @asynccontextmanager
    async def _asked(self) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(self._patience.total_seconds):
                yield
        except (AzureError, OSError) as error:
            raise Unavailable(f"{self._shown}: {told(error)}") from None  # its text and its chain may hold a SAS


def _connect(
    container: str, connection_string: str | None, account_url: str | None, credential: Any, options: dict[str, Any]
) -> ContainerClient:
    if connection_string is None and account_url is None:
        raise Misconfigured("a storage account is named by its connection string, or by its URL")
    if (
        connection_string is None
        and hasattr(credential, "get_token")
        and (account_url or "").lower().startswith("http:")
    ):
        raise Misconfigured(f"container {container!r}: an identity's token is sent over https only: mend the URL")
    try:
        if connection_string is None:
            return ContainerClient(account_url or "", container, credential=credential, **options)
        client = ContainerClient.from_connection_string(connection_string, container, **options)
    except ValueError:
        raise Misconfigured("the connection string or URL of the storage account is malformed") from None
    if account_url is not None and not client.url.lower().startswith(f"{account_url.rstrip('/')}/".lower()):
        raise Misconfigured(f"container {container!r}: the connection string is another account's than the URL's")
    return client


def _options(patience: Patience) -> dict[str, Any]:
    return {
        "retry_total": patience.retries,
        "initial_backoff": patience.first_wait,
        "increment_base": patience.growth,
        "random_jitter_range": patience.first_wait,
        "connection_timeout": patience.connect_seconds,
        "read_timeout": patience.read_seconds,
        "max_single_put_size": MAX_BYTES,
        "max_single_get_size": MAX_BYTES,
    }
