"""Reads Event Hubs with Azure's SDK: the SDK balances partitions among processes, the ledger gives the start positions.

Delivery guarantee: at least once. Events that are not recorded are delivered again; one link may repeat events, too.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from azure.core.exceptions import AzureError, ClientAuthenticationError
from azure.eventhub import EventData, TransportType
from azure.eventhub.exceptions import AuthenticationError, ConnectError, EventHubError

from logcount.errors import Unavailable, Unsettled
from logcount.ports import HubState, PartitionState
from logcount.sources.eventhub.events import log_events
from logcount.sources.eventhub.positions import Positions

if TYPE_CHECKING:
    from collections.abc import Callable

    from azure.eventhub.aio import EventHubConsumerClient, PartitionContext
    from azure.eventhub.extensions.checkpointstoreblobaio import BlobCheckpointStore

    from logcount.ports import Notes, Reader

MANAGEMENT_SECONDS = 30.0
"""How long one management request to the hub may take: each opens a connection."""


_STOLEN = "link:stolen"
"""The SDK's error for a link that another reader replaced; that reader has the same rights, so access works."""

LISTEN_SECONDS = 2.0
"""How long a link must exist without an error to show that access is allowed."""


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """How partitions are read and shared."""

    prefetch: int = 300
    """Events prefetched for each partition: 60 MB with the largest events."""
    batch: int = 300
    """The most events in one batch."""
    balance_seconds: float = 10.0
    """How often partitions are balanced; a process that is silent for six times this loses its partitions."""
    idle_seconds: float = 60.0
    """How long a connection may have no traffic, not even heartbeats, before it is considered dead."""
    look_seconds: float = 60.0
    """How often to check whether the hub has new partitions or was created again."""
    websockets: bool = False
    """Whether AMQP goes through port 443."""


class EventHub:
    """One hub in one consumer group; satisfies `ports.Hub`.

    `connect` makes a client of the SDK from keyword arguments, with a connection string or a credential. A link ends at
    its first error; the next one starts at the end of the ledger, and its first event is checked.
    """

    def __init__(
        self,
        connect: Callable[..., EventHubConsumerClient],
        checkpoints: BlobCheckpointStore,
        *,
        name: str,
        notes: Notes,
        reading: ReadOptions = ReadOptions(),
    ) -> None:
        self.name = name
        self._connect = connect
        self._checkpoints = checkpoints
        self._notes = notes
        self._reading = reading
        self._asking: EventHubConsumerClient | None = None
        self._positions: Positions | None = None

    async def state(self) -> HubState:
        """Return when the hub was created, and its partitions."""
        properties = await self._ask(lambda client: client.get_eventhub_properties())
        return HubState(properties["created_at"], tuple(properties["partition_ids"]))

    async def partition(self, partition: str) -> PartitionState:
        """Return the first and last sequence number of a partition."""
        properties = await self._ask(lambda client: client.get_partition_properties(partition))
        return PartitionState(properties["beginning_sequence_number"], properties["last_enqueued_sequence_number"])

    async def checkpointed(self, partition: str) -> tuple[int, str] | None:
        """Return the partition's checkpoint."""
        with _storage_errors():
            return None if self._positions is None else await self._positions.checkpointed(partition)

    async def checkpoint(self, partition: str, number: int, offset: str) -> None:
        """Write the partition's checkpoint in the format that Azure's SDK and KEDA read."""
        if self._positions is not None:
            with _storage_errors():
                await self._positions.write(partition, number, offset)

    async def deliver(self, reader: Reader) -> None:
        """Deliver the partitions assigned to this process to the reader, until cancelled.

        Raises:
            Unavailable: the hub's partitions changed, or it was created again: call `deliver` again.

        """
        positions = self._positions = Positions(self._checkpoints, reader, self._forget)
        began = await self.state()
        client = self._client(checkpoint_store=positions)
        receiving = asyncio.create_task(self._receive(client, positions, reader))
        watching = asyncio.create_task(self._watch(began))
        try:
            done, _ = await asyncio.wait({receiving, watching}, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            positions.end()
            watching.cancel()
            await client.close()
            await _end(receiving, watching)
            await positions.leave_all()
            with contextlib.suppress(AzureError, OSError):  # then other processes take them when the claims expire
                await positions.release_all()

    async def listen(self, partition: str) -> None:
        """Open a link to a partition for a moment, in parallel to its present reader.

        Raises:
            Unavailable: the hub or the consumer group does not allow it.

        """
        result: asyncio.Future[Exception | None] = asyncio.get_running_loop().create_future()

        def tell(error: Exception | None) -> None:
            if not result.done():
                result.set_result(error)

        async def take(_context: PartitionContext, _events: list[EventData]) -> None:
            tell(None)

        async def complain(_context: PartitionContext | None, error: Exception) -> None:
            tell(error)

        client = self._client()
        receiving = asyncio.create_task(
            client.receive_batch(take, partition_id=partition, max_wait_time=LISTEN_SECONDS, on_error=complain)
        )
        try:
            async with asyncio.timeout(MANAGEMENT_SECONDS):
                error = await result
        except TimeoutError:
            raise Unavailable(f"no link could be opened within {MANAGEMENT_SECONDS:.0f} s") from None
        finally:
            await client.close()
            await _end(receiving)
        if error is not None and getattr(error, "error", None) != _STOLEN:
            raise Unavailable(f"it cannot be read in this consumer group: {_describe(error)}")

    async def close(self) -> None:
        """Close connections."""
        if self._asking is not None:
            await self._asking.close()
        await self._checkpoints.__aexit__()

    async def _receive(self, client: EventHubConsumerClient, positions: Positions, reader: Reader) -> None:
        taking: dict[str, asyncio.Task[Any] | None] = {}

        async def take(context: PartitionContext, events: list[EventData]) -> None:
            self._notes.settle(_what(context))
            taking[context.partition_id] = asyncio.current_task()
            try:
                await reader.take(context.partition_id, log_events(self.name, events))
            finally:
                del taking[context.partition_id]

        async def leave(context: PartitionContext, _reason: object) -> None:
            task = taking.get(context.partition_id)
            if task is not None:  # the SDK closes a broken link after a second, even while its batch is processed
                task.cancel()
                await asyncio.wait({task})
            await positions.leave(context.partition_id)

        async def complain(context: PartitionContext | None, error: Exception) -> None:
            if not isinstance(error, Unsettled):
                self._notes.rise(_what(context), _describe(error))

        await client.receive_batch(
            take,
            max_batch_size=self._reading.batch,
            max_wait_time=1.0,
            starting_position="-1",
            starting_position_inclusive=True,
            prefetch=self._reading.prefetch,
            on_error=complain,
            on_partition_close=leave,
        )

    def _forget(self, partition: str) -> None:
        """Drop the trouble of a partition that another process owns: this process would never see it settled."""
        self._notes.forget(_partition(partition))
        self._notes.forget(f"partition {partition}")

    async def _watch(self, began: HubState) -> None:
        while True:
            await asyncio.sleep(self._reading.look_seconds)
            try:
                now = await self.state()
            except Unavailable as error:
                self._notes.rise("event hub", str(error))
                continue
            self._notes.settle("event hub")
            if now != began:
                raise Unavailable("the hub was created again, or has other partitions: reading starts again")

    def _client(self, **kwargs: Any) -> EventHubConsumerClient:
        reading = self._reading
        return self._connect(
            retry_total=0,  # the SDK must not reopen a broken link: the next one starts at the end of the ledger
            idle_timeout=reading.idle_seconds,
            load_balancing_interval=reading.balance_seconds,
            transport_type=TransportType.AmqpOverWebsocket if reading.websockets else TransportType.Amqp,
            **kwargs,
        )

    async def _ask(self, question: Callable[[EventHubConsumerClient], Any]) -> dict[str, Any]:
        if self._asking is None:
            self._asking = self._client()
        try:
            async with asyncio.timeout(MANAGEMENT_SECONDS):
                answer: dict[str, Any] = await question(self._asking)
        except TimeoutError:
            raise Unavailable(f"the hub did not answer within {MANAGEMENT_SECONDS:.0f} s") from None
        except (EventHubError, AzureError, OSError, ValueError) as error:
            raise Unavailable(f"the hub cannot be asked: {_describe(error)}") from None
        return answer


async def _end(*tasks: asyncio.Task[None]) -> None:
    """Cancel tasks until they have ended: code in the SDK may swallow a cancellation and go on."""
    while running := [task for task in tasks if not task.done()]:
        for task in running:
            task.cancel()
        await asyncio.wait(running, timeout=1.0)
    await asyncio.gather(*tasks, return_exceptions=True)


def _what(context: PartitionContext | None) -> str:
    return "event hub" if context is None else _partition(context.partition_id)


def _partition(partition: str) -> str:
    return f"event hub, partition {partition}"


_MEND: dict[type[BaseException], str] = {
    AuthenticationError: " (a key with the claim Listen is needed, or the role Azure Event Hubs Data Receiver)",
    ClientAuthenticationError: " (the identity could not be had)",
    ConnectError: " (are the namespace, the hub and the consumer group spelt right, and is port 5671 open?)",
}
"""Hints for the operator, by the SDK's error class."""


def _describe(error: BaseException) -> str:
    """Return the first line of an SDK error (the rest is a dump), with a hint for the operator."""
    line = str(error).strip().split("\n", maxsplit=1)[0]
    text = f"{type(error).__name__}: {line[:200]}" if line else type(error).__name__
    return text + _MEND.get(type(error), "")


@contextlib.contextmanager
def _storage_errors() -> Any:
    try:
        yield
    except (AzureError, OSError, TimeoutError) as error:
        raise Unavailable(f"the checkpoint container: {_describe(error)}") from None
    except KeyError as error:
        raise Unavailable(f"a checkpoint has no {error}: it was not written by an SDK of Event Hubs") from None
