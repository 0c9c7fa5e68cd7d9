"""Tells the SDK where to start reading: positions come from the ledger; ownership stays in the SDK's blobs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from azure.eventhub.aio import CheckpointStore

if TYPE_CHECKING:
    from azure.eventhub.extensions.checkpointstoreblobaio import BlobCheckpointStore

    from logcount.ports import Reader

_Claims = Iterable[dict[str, Any]]

_PLACE = ("fully_qualified_namespace", "eventhub_name", "consumer_group")
"""The SDK's parameters for the three names in the path of all its blobs."""


class Positions(CheckpointStore):
    """Wraps the SDK's checkpoint store: the SDK gets the reader's start positions as checkpoints."""

    def __init__(
        self, blobs: BlobCheckpointStore, reader: Reader, lost: Callable[[str], None] = lambda partition: None
    ) -> None:
        """`lost` is called at every balancing with each partition that another process owns."""
        self._blobs = blobs
        self._reader = reader
        self._lost = lost
        self._place: tuple[str, str, str] | None = None
        self._owner = ""
        self._claimed: set[str] = set()
        self._claiming = asyncio.Lock()
        self._ending = False
        self._leaving: dict[str, asyncio.Future[None]] = {}
        self._started: dict[str, str | None] = {}
        """The start offsets of the partitions that were started and not left yet."""
        self._stored: dict[str, tuple[int, str]] = {}

    async def list_ownership(
        self, fully_qualified_namespace: str, eventhub_name: str, consumer_group: str, **kwargs: Any
    ) -> _Claims:
        """Return the owner of each partition."""
        self._place = fully_qualified_namespace, eventhub_name, consumer_group
        held = list(await self._blobs.list_ownership(*self._place, **kwargs))
        for one in held:
            if one["owner_id"] and one["owner_id"] != self._owner:
                self._lost(one["partition_id"])
        return held

    async def claim_ownership(self, ownership_list: _Claims, **kwargs: Any) -> _Claims:
        """Claim or release partitions, and record which ones this process owns now."""
        wanted = list(ownership_list)
        async with self._claiming:  # otherwise a release and a renewal would use each other's old ETag
            owner = next((claim["owner_id"] for claim in wanted if claim["owner_id"]), "")
            if not owner:
                return await self._release(wanted, **kwargs)
            if self._ending:
                return []
            self._owner = owner
            claimed = await self._blobs.claim_ownership(wanted, **kwargs)
            # A partition that is being left stays owned but hidden from the SDK. Else the SDK would open a new link
            # while the old one ends, and read twice at once (after a lost claim it forgets that the old link is open).
            visible = [claim for claim in claimed if claim["partition_id"] not in self._leaving]
            self._claimed = {claim["partition_id"] for claim in visible}
            return visible

    async def _release(self, wanted: list[dict[str, Any]], **kwargs: Any) -> list[dict[str, Any]]:
        """Release partitions, also those whose ETag a renewal has changed since the SDK read it."""
        released = list(await self._blobs.claim_ownership(wanted, **kwargs))
        left = {claim["partition_id"] for claim in wanted} - {claim["partition_id"] for claim in released}
        if left and self._place:
            held = await self._blobs.list_ownership(*self._place, **kwargs)
            mine = [one for one in held if one["partition_id"] in left and one["owner_id"] == self._owner]
            released += await self._blobs.claim_ownership([{**one, "owner_id": ""} for one in mine], **kwargs)
        return released

    async def list_checkpoints(
        self, fully_qualified_namespace: str, eventhub_name: str, consumer_group: str, **kwargs: Any
    ) -> _Claims:
        """Return the start positions of newly owned partitions; the SDK calls this just before it reads them."""
        place = self._place = fully_qualified_namespace, eventhub_name, consumer_group
        stored = await self._blobs.list_checkpoints(*place, **kwargs)
        self._stored = {one["partition_id"]: (one["sequence_number"], one["offset"]) for one in stored}
        await asyncio.gather(*(self._start(partition) for partition in self._claimed - self._started.keys()))
        return [
            _checkpoint(place, partition, 0, offset)
            for partition, offset in self._started.items()
            if offset is not None
        ]

    async def update_checkpoint(self, checkpoint: dict[str, Any], **kwargs: Any) -> None:
        """Write a checkpoint unchanged."""
        await self._blobs.update_checkpoint(checkpoint, **kwargs)

    async def checkpointed(self, partition: str) -> tuple[int, str] | None:
        """Return a partition's checkpoint, as of the SDK's last call of `list_checkpoints`."""
        return self._stored.get(partition)

    async def write(self, partition: str, number: int, offset: str) -> None:
        """Write a partition's checkpoint."""
        if self._place is not None:
            await self.update_checkpoint(_checkpoint(self._place, partition, number, offset))

    def end(self) -> None:
        """Stop claiming: partitions released from now on go to other processes."""
        self._ending = True

    async def leave(self, partition: str) -> None:
        """Tell the reader that a partition's link has ended."""
        if partition in self._started:
            del self._started[partition]
            leaving = self._leaving[partition] = asyncio.ensure_future(self._reader.leave(partition))
            leaving.add_done_callback(lambda _: self._leaving.pop(partition))
            await leaving

    async def leave_all(self) -> None:
        """Leave every partition and wait for the reader: the SDK may not do so when it is stopped."""
        await asyncio.gather(*self._leaving.values(), *(self.leave(partition) for partition in sorted(self._started)))

    async def release_all(self) -> None:
        """Release all partitions that this process still owns, also those claimed and never started."""
        if self._place and self._owner:
            held = await self._blobs.list_ownership(*self._place)
            mine = [one for one in held if one["owner_id"] == self._owner]
            await self._blobs.claim_ownership([{**one, "owner_id": ""} for one in mine])

    async def _start(self, partition: str) -> None:
        self._started[partition] = await self._reader.start(partition)


def _checkpoint(place: tuple[str, str, str], partition: str, number: int, offset: str) -> dict[str, Any]:
    """Return a checkpoint in the SDK's format."""
    names = dict(zip(_PLACE, place, strict=True))
    return {**names, "partition_id": partition, "sequence_number": number, "offset": offset}
