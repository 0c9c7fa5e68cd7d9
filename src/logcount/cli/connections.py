"""Makes and closes the connections of a live count: hubs, the ledger's store, sinks, and the identity for them."""

from __future__ import annotations

import os
from contextlib import AsyncExitStack
from functools import partial
from typing import TYPE_CHECKING, Any

from logcount.cli.sinks import make_sinks
from logcount.errors import Misconfigured

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from azure.core.credentials_async import AsyncTokenCredential

    from logcount.ports import Sink, Store
    from logcount.run.troubles import Troubles
    from logcount.settings import Settings
    from logcount.settings.run import EventHubSettings
    from logcount.sources.eventhub.source import EventHub

_DOMAIN = ".servicebus.windows.net"


class Connections:
    """Makes and closes the connections of a live count; those that several hubs share are made once."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._closing = AsyncExitStack()
        self._credential: AsyncTokenCredential | None = None

    async def __aenter__(self) -> Connections:
        return self

    async def __aexit__(self, *_: Any) -> None:
        await self._closing.aclose()

    @property
    def hubs(self) -> list[EventHubSettings]:
        """The hubs to count; settings that a hub leaves out are taken from the section `eventhub`.

        Raises:
            Misconfigured: one has no name, or no connection string or namespace.

        """
        first = self.settings.eventhub
        rest = [first.model_copy(update=one.model_dump(exclude_unset=True)) for one in self.settings.eventhubs]
        hubs = [first, *rest] if first.name or not rest else rest
        names = [hub_identity(hub) for hub in hubs]
        if len({(host.lower(), name.lower()) for host, name in names}) < len(names):
            raise Misconfigured("eventhubs: a hub is named twice")
        return hubs

    def hub(self, settings: EventHubSettings, troubles: Troubles) -> EventHub:
        """Return a hub, which is closed with the connections."""
        from azure.eventhub.aio import EventHubConsumerClient

        from logcount.ledger.log import hub_name
        from logcount.sources.eventhub.source import EventHub, ReadOptions

        host, name = hub_identity(settings)
        group = settings.consumer_group.lower()
        connect: Callable[..., EventHubConsumerClient]
        if settings.connection_string is not None:
            secret = settings.connection_string.get_secret_value()
            connect = partial(EventHubConsumerClient.from_connection_string, secret, group, eventhub_name=name)
        else:
            connect = partial(EventHubConsumerClient, host, name, group, credential=self.credential())
        reading = ReadOptions(
            prefetch=settings.prefetch,
            batch=settings.batch,
            balance_seconds=settings.balance_seconds,
            idle_seconds=settings.idle_seconds,
            look_seconds=settings.look_seconds,
            websockets=settings.websockets,
        )
        hub = EventHub(connect, self._checkpoints(), name=hub_name(host, name), notes=troubles, reading=reading)
        self._closing.push_async_callback(hub.close)
        return hub

    async def store(self) -> Store:
        """Return the ledger's store, prepared.

        Raises:
            Misconfigured: it cannot be there.
            Unavailable: it does not answer.

        """
        where = self.settings.storage.ledger
        if "://" not in where:
            from logcount.stores import FolderStore

            folder = FolderStore(self.settings.base / where)
            self._closing.push_async_callback(folder.close)
            await folder.prepare()
            return folder
        account, _, container = where.rstrip("/").rpartition("/")
        return await self._container(account, container)

    async def checkpoint_container(self) -> Store:
        """Return the container of the checkpoints, prepared.

        Raises:
            Misconfigured: it cannot be there.
            Unavailable: it does not answer.

        """
        storage = self.settings.storage
        if storage.connection_string is None and storage.account_url is None:
            raise Misconfigured("storage: connection_string or account_url is missing: checkpoints are kept there")
        return await self._container(storage.account_url, storage.checkpoint_container)

    async def _container(self, account_url: str | None, container: str) -> Store:
        from logcount.stores.blob import BlobStore

        secret = self.settings.storage.connection_string
        blobs = BlobStore(
            container,
            connection_string=secret.get_secret_value() if secret else None,
            account_url=account_url,
            credential=None if secret else self.credential(),
        )
        self._closing.push_async_callback(blobs.close)
        await blobs.prepare()
        return blobs

    def sinks(self, named: Sequence[str] = ()) -> list[Sink]:
        """Return the sinks.

        Raises:
            Misconfigured: the settings have no such sink.

        """
        sinks = make_sinks(self.settings, named, self.credential)
        for sink in sinks:
            self._closing.push_async_callback(sink.close)
        return sinks

    def credential(self) -> AsyncTokenCredential:
        """Return the identity: the managed identity if the platform has one, else the user who is signed in."""
        if self._credential is None:
            from azure.identity.aio import DefaultAzureCredential, ManagedIdentityCredential

            client_id = os.environ.get("AZURE_CLIENT_ID")
            if "IDENTITY_ENDPOINT" in os.environ:
                self._credential = ManagedIdentityCredential(client_id=client_id)
            else:
                self._credential = DefaultAzureCredential()
            self._closing.push_async_callback(self._credential.close)
        return self._credential

    def _checkpoints(self) -> Any:
        from azure.eventhub.extensions.checkpointstoreblobaio import BlobCheckpointStore

        storage = self.settings.storage
        # with the default retries, two failures take 40 s
        patience: dict[str, Any] = {"initial_backoff": 1, "increment_base": 2, "retry_total": 2}
        if storage.connection_string is not None:
            secret = storage.connection_string.get_secret_value()
            return BlobCheckpointStore.from_connection_string(secret, storage.checkpoint_container, **patience)
        return BlobCheckpointStore(
            storage.account_url or "", storage.checkpoint_container, credential=self.credential(), **patience
        )


def hub_identity(hub: EventHubSettings) -> tuple[str, str]:
    """Return the host and the name of a hub.

    Raises:
        Misconfigured: the settings do not have them, or the connection string is malformed.

    """
    if hub.connection_string is None:
        if not hub.namespace or not hub.name:
            raise Misconfigured("eventhub: connection_string, or namespace and name, are missing")
        return (hub.namespace if "." in hub.namespace else hub.namespace + _DOMAIN), hub.name
    from azure.eventhub import parse_connection_string

    try:
        parsed = parse_connection_string(hub.connection_string.get_secret_value())
    except ValueError:
        raise Misconfigured(
            "eventhub.connection_string: expected Endpoint=sb://…;SharedAccessKeyName=…;SharedAccessKey=…"
        ) from None
    name = hub.name or parsed.eventhub_name
    if not name:
        raise Misconfigured("eventhub.name is missing, and the connection string has no EntityPath")
    return parsed.fully_qualified_namespace, name
