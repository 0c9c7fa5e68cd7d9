"""One consumer in a process of its own, with the real checkpoint store: something to kill.

`python -m eventhub_peer.replica CONNECTION STORAGE CONTAINER OUTPUT` receives from every partition that it gets to own,
writes a line for each event, `partition sequence`, and then a checkpoint for each batch.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from azure.eventhub.aio import EventHubConsumerClient
from azure.eventhub.extensions.checkpointstoreblobaio import BlobCheckpointStore

if TYPE_CHECKING:
    from azure.eventhub import EventData
    from azure.eventhub.aio import PartitionContext

_BALANCE_SECONDS = 0.5
_EXPIRY_SECONDS = 2.0


async def _consume(connection: str, storage: str, container: str, output: Path) -> None:
    store = BlobCheckpointStore.from_connection_string(storage, container)
    client = EventHubConsumerClient.from_connection_string(
        connection,
        consumer_group="$Default",
        checkpoint_store=store,
        load_balancing_interval=_BALANCE_SECONDS,
        partition_ownership_expiration_interval=_EXPIRY_SECONDS,
    )
    with output.open("a", buffering=1, encoding="ascii") as lines:

        async def receive(context: PartitionContext, batch: list[EventData]) -> None:
            lines.writelines(f"{context.partition_id} {event.sequence_number}\n" for event in batch)
            lines.flush()
            if batch:
                await context.update_checkpoint(batch[-1])

        async with client:
            await client.receive_batch(receive, starting_position="-1", max_batch_size=50)


if __name__ == "__main__":
    logging.getLogger("azure.eventhub._pyamqp").setLevel(logging.WARNING)
    asyncio.run(_consume(sys.argv[1], sys.argv[2], sys.argv[3], Path(sys.argv[4])))
