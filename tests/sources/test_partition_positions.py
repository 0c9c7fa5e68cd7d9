"""Positions: the SDK never begins with a partition while the last link to it is still being left."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from azure.eventhub.extensions.checkpointstoreblobaio import BlobCheckpointStore
from azure.storage.blob.aio import ContainerClient

from logcount.sources.eventhub.positions import Positions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from azurite import Azurite

pytest_plugins = ["azurite_fixture"]

PLACE = ("contoso", "positions", "logcount")
MINE = {
    **dict(zip(("fully_qualified_namespace", "eventhub_name", "consumer_group"), PLACE, strict=True)),
    **{"partition_id": "0", "owner_id": "me"},
}


class Reader:
    """Notes what it is asked for, and takes as long to leave as it is let."""

    def __init__(self) -> None:
        self.diary: list[str] = []
        self.may_leave = asyncio.Event()

    async def start(self, partition: str) -> str | None:
        self.diary.append(f"start {partition}")
        return "17"

    async def take(self, partition: str, batch: Sequence[Any]) -> None:
        raise AssertionError("there is nothing to take")

    async def leave(self, partition: str) -> None:
        self.diary.append(f"leave {partition}")
        await self.may_leave.wait()
        self.diary.append(f"left {partition}")


async def share_out(positions: Positions) -> list[str]:
    """Do what the SDK does at every sharing out; return the partitions that it would read."""
    held = list(await positions.list_ownership(*PLACE))
    claimed = await positions.claim_ownership(held or [dict(MINE)])
    await positions.list_checkpoints(*PLACE)
    return [claim["partition_id"] for claim in claimed]


async def test_a_partition_is_not_begun_anew_while_its_last_link_is_being_left(azurite: Azurite) -> None:
    async with ContainerClient.from_connection_string(azurite.connection_string, "positions") as container:
        await container.create_container()
    blobs = BlobCheckpointStore.from_connection_string(azurite.connection_string, "positions")
    async with blobs:
        reader = Reader()
        positions = Positions(blobs, reader)
        assert await share_out(positions) == ["0"]
        leaving = asyncio.create_task(positions.leave("0"))
        await asyncio.sleep(0)
        assert await share_out(positions) == []
        (held,) = await positions.list_ownership(*PLACE)
        assert held["owner_id"] == "me"
        reader.may_leave.set()
        await leaving
        assert await share_out(positions) == ["0"]
        assert reader.diary == ["start 0", "leave 0", "left 0", "start 0"]


class EmptyBlobs:
    """A store of no checkpoints, in which every claim succeeds."""

    async def list_checkpoints(self, *_place: str) -> list[dict[str, Any]]:
        return []

    async def claim_ownership(self, claims: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return claims


class FailingReader(Reader):
    """Fails to start partition 0, and takes its time to start partition 1."""

    async def start(self, partition: str) -> str | None:
        if partition == "0":
            raise RuntimeError
        await super().start(partition)
        await asyncio.sleep(0.05)
        self.diary.append(f"started {partition}")
        return "17"


async def test_a_partition_that_fails_to_start_has_no_other_started_twice_at_once() -> None:
    reader: Any = FailingReader()
    blobs: Any = EmptyBlobs()
    positions = Positions(blobs, reader)
    await positions.claim_ownership([MINE, MINE | {"partition_id": "1"}])
    for _ in range(2):
        with pytest.raises(RuntimeError):
            await positions.list_checkpoints(*PLACE)
    await asyncio.sleep(0.1)
    assert reader.diary == ["start 1", "started 1"]
