"""Where the SDK begins to read: ownership is kept in blobs as the SDK keeps it, positions are the ledger's."""

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
"""What the SDK calls the three names that all its blobs are under."""


class Positions(CheckpointStore):
    """Stands between the SDK's balancing and its blobs, and answers with the reader's starts as checkpoints."""

    def __init__(
        self, blobs: BlobCheckpointStore, reader: Reader, lost: Callable[[str], None] = lambda partition: None
    ) -> None:
        """Tell `lost`, at every sharing out, which partitions are another process's."""
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
        """The offsets with which partitions were begun that are not left yet."""
        self._stored: dict[str, tuple[int, str]] = {}

    async def list_ownership(
        self, fully_qualified_namespace: str, eventhub_name: str, consumer_group: str, **kwargs: Any
    ) -> _Claims:
        """Return who owns what."""
        self._place = fully_qualified_namespace, eventhub_name, consumer_group
        held = list(await self._blobs.list_ownership(*self._place, **kwargs))
        for one in held:
            if one["owner_id"] and one["owner_id"] != self._owner:
                self._lost(one["partition_id"])
        return held

    async def claim_ownership(self, ownership_list: _Claims, **kwargs: Any) -> _Claims:
        """Claim or release partitions, and note which are this process's now."""
        wanted = list(ownership_list)
        async with self._claiming:  # a release and a renewal that cross would come with each other's old tag
            owner = next((claim["owner_id"] for claim in wanted if claim["owner_id"]), "")
            if not owner:
                return await self._release(wanted, **kwargs)
            if self._ending:
                return []
            self._owner = owner
            claimed = await self._blobs.claim_ownership(wanted, **kwargs)
            # What is being left stays this process's, unknown to the SDK: it would begin with it anew, beside the old
            # link's end, and then read it twice at once (a lost claim makes it forget that the old link is not closed).
            told = [claim for claim in claimed if claim["partition_id"] not in self._leaving]
            self._claimed = {claim["partition_id"] for claim in told}
            return told

    async def _release(self, wanted: list[dict[str, Any]], **kwargs: Any) -> list[dict[str, Any]]:
        """Release partitions, also those whose tag a renewal has changed since the SDK saw it."""
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
        """Return where to begin with each partition that is newly this process's: the SDK asks just before it does."""
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
        """Write a checkpoint as it is."""
        await self._blobs.update_checkpoint(checkpoint, **kwargs)

    async def checkpointed(self, partition: str) -> tuple[int, str] | None:
        """Return a partition's checkpoint as it was when the SDK last asked for positions."""
        return self._stored.get(partition)

    async def write(self, partition: str, number: int, offset: str) -> None:
        """Write a partition's checkpoint."""
        if self._place is not None:
            await self.update_checkpoint(_checkpoint(self._place, partition, number, offset))

    def end(self) -> None:
        """Claim nothing any more: what is released now is for others."""
        self._ending = True

    async def leave(self, partition: str) -> None:
        """Tell the reader that a partition's link has ended."""
        if partition in self._started:
            del self._started[partition]
            leaving = self._leaving[partition] = asyncio.ensure_future(self._reader.leave(partition))
            leaving.add_done_callback(lambda _: self._leaving.pop(partition))
            await leaving

    async def leave_all(self) -> None:
        """Tell the reader that all has ended, and wait until it has left all: the SDK may not, when it is stopped."""
        await asyncio.gather(*self._leaving.values(), *(self.leave(partition) for partition in sorted(self._started)))

    async def release_all(self) -> None:
        """Release whatever is this process's still, also what was claimed and never begun."""
        if self._place and self._owner:
            held = await self._blobs.list_ownership(*self._place)
            mine = [one for one in held if one["owner_id"] == self._owner]
            await self._blobs.claim_ownership([{**one, "owner_id": ""} for one in mine])

    async def _start(self, partition: str) -> None:
        self._started[partition] = await self._reader.start(partition)


def _checkpoint(place: tuple[str, str, str], partition: str, number: int, offset: str) -> dict[str, Any]:
    """Return a checkpoint as the SDK spells it."""
    names = dict(zip(_PLACE, place, strict=True))
    return {**names, "partition_id": partition, "sequence_number": number, "offset": offset}
