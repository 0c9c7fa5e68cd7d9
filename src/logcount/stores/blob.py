"""A container of Blob storage as a store: each object is a block blob, written by one conditional PUT."""

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
from logcount.stores.refusals import CONTAINER_NOT_FOUND, code_of, describe

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from azure.core.credentials_async import AsyncTokenCredential

_CONTAINER = re.compile(r"(?=.{3,63}\Z)[a-z0-9]+(-[a-z0-9]+)*\Z")
_ABSENT = "BlobNotFound"
_STANDS = frozenset({"BlobAlreadyExists", "ConditionNotMet"})
"""Error codes for a PUT that found an existing object; any other 409 or 412 means something else."""
_CHANGED = frozenset({"ConditionNotMet", _ABSENT})
"""Error codes for a PUT or DELETE that did not find the object with its tag."""
_PROBE = "probe"
"""An object that is never written: reading it shows whether the container exists and allows access."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a call may take before it raises `Unavailable`; the ledger then retries with its own back-off."""

    retries: int = 2
    first_wait: int = 1
    """Seconds before the first retry. The client's defaults (15 s, then 18 s) would delay a partition for too long."""
    growth: int = 2
    """The wait before retry n is `first_wait` + `growth` ** n seconds."""
    connect_seconds: float = 5.0
    read_seconds: float = 20.0
    """The longest silence of the service in seconds; it handles 4 MiB in less than one."""
    total_seconds: float = 60.0


class BlobStore:
    """Keeps objects as blobs of a container, under the same names.

    Guarantee: `create` and `replace` are each one conditional PUT, which the service performs atomically, only once,
    and visibly to all readers at once (Blob storage is strongly consistent). A call without a clear answer raises
    `Unavailable`; its object may have been written, or may still be written later.

    A PUT whose answer is lost is retried, by the client and (independent of `retries`) once by aiohttp below it, and
    then finds the object of its own first try. So False means that the object exists or has another tag, but another
    process need not have written it: a caller must read it and treat it as another's, as the ledger does. Likewise
    False from `delete` means that the object does not exist with this tag; this call may have deleted it.

    The tag is the ETag, which every write changes. The identity needs the role Storage Blob Data Contributor; a SAS
    needs read and write (and list and delete if these are used, and create if the container is missing).
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
        """Use a connection string, or else the account's URL (which may contain a SAS) and a credential.

        If both are given, the connection string must be for that account. The caller closes the credential. Nothing is
        sent yet.

        Raises:
            Misconfigured: the container's name, the connection string or the URL is malformed.

        """
        if not _CONTAINER.match(container):
            raise Misconfigured(
                f"{container!r} is no container's name: 3 to 63 lower-case letters, digits and single hyphens are"
            )
        self._patience = patience or Patience()
        self._client = _connect(container, connection_string, account_url, credential, _options(self._patience))
        self._shown = f"container {container!r} of {self._client.primary_hostname}"

    async def prepare(self) -> None:
        """Create the container if it is missing, and try to read from it.

        Raises:
            Misconfigured: there is no such container, and creating it is refused.
            Unavailable: the service refuses access (a new role takes minutes to apply), or does not answer.

        """
        async with self._asked():
            try:
                await self._get(_PROBE)
            except ResourceNotFoundError as error:
                if code_of(error) != CONTAINER_NOT_FOUND:
                    raise
                await self._make_container()

    async def read(self, name: str) -> Stored | None:
        """Return the object of this name, or None; raises Unavailable."""
        check_name(name)
        async with self._asked():
            return await self._get(name)

    async def create(self, name: str, data: bytes) -> bool:
        """Write the object if the name is free; return whether this call certainly wrote it; raises Unavailable."""
        check_object(name, data)
        async with self._asked():
            return await self._put(name, data, _STANDS, overwrite=False)

    async def replace(self, name: str, data: bytes, tag: str) -> bool:
        """Replace the object if it still has this tag; return whether this call certainly did; raises Unavailable."""
        check_object(name, data)
        held = {"etag": tag, "match_condition": MatchConditions.IfNotModified}
        async with self._asked():
            return await self._put(name, data, _CHANGED, overwrite=True, **held)

    async def delete(self, name: str, tag: str) -> bool:
        """Delete the object if it still has this tag; return whether this call certainly did; raises Unavailable."""
        check_name(name)
        async with self._asked():
            return await self._remove(name, tag)

    async def names(self, prefix: str) -> list[str]:
        """Return the names with this prefix, in code point order; raises Unavailable."""
        check_prefix(prefix)
        async with self._asked():
            return sorted([name async for name in self._client.list_blob_names(name_starts_with=prefix) if fits(name)])

    async def close(self) -> None:
        """Close the connections; the store cannot be used afterwards."""
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
                raise Misconfigured(f"{self._shown}: it does not exist and may not be created: create it") from None
            if code_of(error) != "ContainerAlreadyExists":
                raise

    @asynccontextmanager
    async def _asked(self) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(self._patience.total_seconds):
                yield
        except (AzureError, OSError) as error:
            raise Unavailable(f"{self._shown}: {describe(error)}") from None  # its text and its chain may contain a SAS


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
        raise Misconfigured(f"container {container!r}: an identity's token is sent over https only: correct the URL")
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
