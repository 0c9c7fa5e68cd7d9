"""The other end of the control socket: asks, waits for the answer, and says what answers hold."""

from __future__ import annotations

import json
import socket
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypedDict

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_PORTION_BYTES = 8 * 1024 * 1024
PORTION_EVENTS = 5_000
"""How much goes over the control socket at once: between portions the peer goes on serving its clients."""
_ANSWER_SECONDS = 180.0


class Delivery(TypedDict):
    """What was sent over one receiver's link."""

    hub: str
    partition: str
    group: str
    client: str
    owner_level: int | None
    events: int
    lowest: int | None
    highest: int | None
    attached: bool


class Played(TypedDict):
    """How far a schedule was played, and by how many seconds its latest event came late."""

    total: int
    published: int
    late: float


class PeerError(Exception):
    """Says that the peer could not do what it was asked for, and why."""


class Remote:
    """A connection to a peer's control socket."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=_ANSWER_SECONDS)
        self._answers = self._socket.makefile("rb")

    def ask(self, command: str, attached: bytes = b"", **arguments: object) -> Any:
        """Have a command done, with bytes attached, and return its answer.

        Raises:
            PeerError: The peer could not do it.
        """
        line = json.dumps({"do": command, "with": arguments, "attached": len(attached)})
        self._socket.sendall(line.encode() + b"\n")
        self._socket.sendall(attached)
        answer = json.loads(self._answers.readline())
        if "error" in answer:
            raise PeerError(answer["error"])
        return answer["is"]

    def close(self) -> None:
        """Close the connection."""
        self._answers.close()
        self._socket.close()


def portions(bodies: Iterable[bytes]) -> Iterator[list[bytes]]:
    """Yield bodies in portions that are not too much at once."""
    portion: list[bytes] = []
    size = 0
    for body in bodies:
        portion.append(body)
        size += len(body)
        if size >= _PORTION_BYTES or len(portion) >= PORTION_EVENTS:
            yield portion
            portion, size = [], 0
    if portion:
        yield portion


def milliseconds(moment: datetime) -> int:
    """Return a moment in milliseconds since 1970."""
    return int((moment - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() * 1000)


def moment_of(moment: datetime | None) -> int | None:
    """Return a moment in milliseconds since 1970, if there is one."""
    return None if moment is None else milliseconds(moment)
