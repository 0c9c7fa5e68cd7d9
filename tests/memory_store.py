"""A store in memory: a real one, whose answers can be lost, held up or late, as those of a service over a network.

`fault` is asked before every call what befalls it:

- `unreachable`: nothing is done, and the call is unavailable;
- `lost`: the call is carried out, and unavailable: its answer was lost;
- `late`: the call is unavailable, and carried out when `land()` is called, by the conditions of that time.

`pause` is awaited before and after every call is carried out, so that a schedule can put others between; by default
the others of the loop have a turn.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Literal, TypeVar

from logcount.errors import Unavailable
from logcount.ports import Stored
from logcount.stores.objects import check_name, check_object, check_prefix

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

Answer = TypeVar("Answer")

Operation = Literal["read", "create", "replace", "delete", "names"]
Fault = Literal["unreachable", "lost", "late"]


class MemoryStore:
    """Keeps objects in a dictionary; gone with the process, and otherwise as strict as any other store."""

    def __init__(
        self,
        fault: Callable[[Operation, str], Fault | None] = lambda operation, name: None,
        pause: Callable[[Operation, str], Awaitable[None]] = lambda operation, name: asyncio.sleep(0),
    ) -> None:
        self.fault = fault
        self.pause = pause
        self.objects: dict[str, Stored] = {}
        self.written: list[tuple[str, bytes]] = []
        """Every write that was carried out, in order."""
        self.late: list[Callable[[], object]] = []
        """Calls that were given up by their caller, and are under way still."""

    async def read(self, name: str) -> Stored | None:
        check_name(name)
        return await self._call("read", name, lambda: self.objects.get(name))

    async def create(self, name: str, data: bytes) -> bool:
        check_object(name, data)
        return await self._call("create", name, lambda: self._write(name, data, None))

    async def replace(self, name: str, data: bytes, tag: str) -> bool:
        check_object(name, data)
        return await self._call("replace", name, lambda: self._write(name, data, tag))

    async def delete(self, name: str, tag: str) -> bool:
        check_name(name)
        return await self._call("delete", name, lambda: self._remove(name, tag))

    async def names(self, prefix: str) -> list[str]:
        check_prefix(prefix)
        return await self._call("names", prefix, lambda: sorted(n for n in self.objects if n.startswith(prefix)))

    def land(self) -> None:
        """Carry out the calls that are late."""
        landing, self.late = self.late, []
        for carry_out in landing:
            carry_out()

    async def _call(self, operation: Operation, name: str, carry_out: Callable[[], Answer]) -> Answer:
        await self.pause(operation, name)
        fault = self.fault(operation, name)
        if fault == "late":
            self.late.append(carry_out)
        answer = carry_out() if fault in {None, "lost"} else None
        await self.pause(operation, name)
        if fault:
            raise Unavailable(f"memory: {operation} of {name}: {fault}")
        return answer  # type: ignore[return-value]  # carried out, where there was no fault

    def _remove(self, name: str, tag: str) -> bool:
        held = self.objects.get(name)
        if held is None or held.tag != tag:
            return False
        del self.objects[name]
        return True

    def _write(self, name: str, data: bytes, tag: str | None) -> bool:
        held = self.objects.get(name)
        if (held.tag if held else None) != tag:
            return False
        self.written.append((name, data))
        self.objects[name] = Stored(data, f"tag-{len(self.written)}")
        return True
