"""One client's connection: bytes to and from Proton's engine, and Proton's events to the nodes that links lead to.

Everything happens in turns: what came in is handled, nodes that are ready send a burst each, and what Proton wrote goes
out. A node that has more waits for the next turn, so that no link starves another, and for the socket, so that nothing
piles up in memory. Proton's clock sends the heartbeats that the client's idle time-out demands.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Protocol

import proton  # type: ignore[import-untyped]  # it ships no types

from eventhub_peer.conditions import Refused
from eventhub_peer.frames import Padder, Tap
from eventhub_peer.links import Link
from eventhub_peer.sasl import Gatekeeper

if TYPE_CHECKING:
    from collections.abc import Callable

    from eventhub_peer.links import Node

_FRAME_BYTES = 64 * 1024
"""The largest frame that a client may send."""
_IDLE_SECONDS = 240.0
"""How long the service lets a client be silent."""
_PILE_BYTES = 1024 * 1024
"""How much may wait for the socket before nodes have to pause."""

_log = logging.getLogger(__name__)


class Nodes(Protocol):
    """Where links lead."""

    def attach(self, link: Link) -> Node:
        """Accept a link, and return what it leads to.

        Raises:
            Refused: It leads nowhere, or not now.
        """

    def joined(self, connection: Connection) -> None:
        """Learn of a connection."""

    def left(self, connection: Connection) -> None:
        """Learn that a connection is gone."""


class Connection(asyncio.Protocol):
    """One client's connection."""

    def __init__(self, nodes: Nodes, loop: asyncio.AbstractEventLoop) -> None:
        self.authorised = False
        """Whether a token was put."""
        self._nodes = nodes
        self._loop = loop
        self._socket: asyncio.Transport | None = None
        self._gatekeeper = Gatekeeper()
        self._tap = Tap()
        self._padder = Padder()
        self._links: dict[proton.Link, tuple[Link, Node]] = {}
        self._ready: dict[Node, None] = {}
        self._awake = False
        self._writable = True
        self._timer: asyncio.TimerHandle | None = None
        self._engine = proton.Transport(proton.Transport.SERVER)
        self._engine.max_frame_size = _FRAME_BYTES
        self._engine.idle_timeout = _IDLE_SECONDS
        self._end = proton.Connection()
        self._end.container = "eventhub-peer"
        self._events = proton.Collector()
        self._end.collect(self._events)
        self._engine.bind(self._end)

    @property
    def client(self) -> str:
        """The name that the client gave itself."""
        return str(self._end.remote_container)

    def ready(self, node: Node) -> None:
        """Let a node send in the next turn."""
        self._ready[node] = None
        self.wake()

    def wake(self) -> None:
        """Take a turn soon."""
        if not self._awake:
            self._awake = True
            self._loop.call_soon(self._turn)

    def later(self, seconds: float, call: Callable[[], None]) -> None:
        """Call something after some seconds."""
        self._loop.call_later(seconds, call)

    def abort(self) -> None:
        """Drop the connection, without a word."""
        if self._socket is not None:
            self._socket.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin (as asyncio says)."""
        assert isinstance(transport, asyncio.Transport)
        self._socket = transport
        transport.set_write_buffer_limits(high=_PILE_BYTES)
        self._nodes.joined(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """End (as asyncio says)."""
        self._socket = None
        if self._timer is not None:
            self._timer.cancel()
        for _, node in self._links.values():
            node.closed()
        self._links.clear()
        self._ready.clear()
        self._events.release()
        self._nodes.left(self)

    def pause_writing(self) -> None:
        """Hold the nodes back (as asyncio says)."""
        self._writable = False

    def resume_writing(self) -> None:
        """Go on (as asyncio says)."""
        self._writable = True
        self.wake()

    def data_received(self, data: bytes) -> None:
        """Take bytes (as asyncio says)."""
        assert self._socket is not None
        if not self._gatekeeper.passed:
            try:
                answer, data = self._gatekeeper.feed(data)
            except ValueError:
                self.abort()
                return
            self._socket.write(answer)
        data = self._tap.feed(data)
        while data:
            room = self._engine.capacity()
            if room <= 0:
                break
            self._engine.push(data[:room])
            data = data[room:]
        self._turn()

    def _turn(self) -> None:
        self._awake = False
        if self._socket is None:
            return
        while (event := self._events.peek()) is not None:
            handle = _HANDLERS.get(event.type)
            if handle is not None:
                handle(self, event)
            self._events.pop()
        if self._writable:
            ready, self._ready = self._ready, {}
            for node in ready:
                if node.pump():
                    self._ready[node] = None
        self._tick()
        self._flush()
        if self._ready and self._writable:
            self.wake()

    def _tick(self) -> None:
        deadline = self._engine.tick(self._loop.time())
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_at(deadline, self.wake) if deadline else None

    def _flush(self) -> None:
        assert self._socket is not None
        while (pending := self._engine.pending()) > 0:
            self._socket.write(self._padder.feed(self._engine.peek(pending)))
            self._engine.pop(pending)
        if pending < 0:  # Proton has said its last
            self._socket.close()

    def _on_connection_open(self, event: proton.Event) -> None:
        event.connection.open()

    def _on_session_open(self, event: proton.Event) -> None:
        event.session.open()

    def _on_link_open(self, event: proton.Event) -> None:
        link = Link(event.link, self, self._tap.capabilities(event.link.name))
        try:
            self._links[event.link] = link, self._nodes.attach(link)
        except Refused as refused:
            link.close(refused.condition)

    def _on_flow(self, event: proton.Event) -> None:
        if event.link in self._links and event.link.is_sender:
            self._ready[self._links[event.link][1]] = None

    def _on_delivery(self, event: proton.Event) -> None:
        delivery, end = event.delivery, event.link
        if not end.is_receiver or delivery.partial or end not in self._links:
            return
        link, node = self._links[end]
        message = bytes(end.recv(delivery.pending) or b"")
        message_format = self._tap.message_format(end.name)
        try:
            node.received(message, message_format)
            delivery.update(proton.Delivery.ACCEPTED)
        except Refused as refused:
            delivery.local.condition = proton.Condition(refused.condition.name, refused.condition.text)
            delivery.update(proton.Delivery.REJECTED)
        delivery.settle()
        link.grant()

    def _on_link_close(self, event: proton.Event) -> None:
        _, node = self._links.pop(event.link, (None, None))
        if node is not None:
            self._ready.pop(node, None)
            node.closed()
        event.link.close()
        event.link.free()

    def _on_session_close(self, event: proton.Event) -> None:
        for end in [end for end in self._links if end.session == event.session]:
            _, node = self._links.pop(end)
            self._ready.pop(node, None)
            node.closed()
        event.session.close()

    def _on_connection_close(self, event: proton.Event) -> None:
        event.connection.close()

    def _on_error(self, event: proton.Event) -> None:
        _log.warning("proton gave up: %s", self._engine.condition)


_HANDLERS = {
    proton.Event.CONNECTION_REMOTE_OPEN: Connection._on_connection_open,
    proton.Event.SESSION_REMOTE_OPEN: Connection._on_session_open,
    proton.Event.LINK_REMOTE_OPEN: Connection._on_link_open,
    proton.Event.LINK_FLOW: Connection._on_flow,
    proton.Event.DELIVERY: Connection._on_delivery,
    proton.Event.LINK_REMOTE_DETACH: Connection._on_link_close,
    proton.Event.LINK_REMOTE_CLOSE: Connection._on_link_close,
    proton.Event.SESSION_REMOTE_CLOSE: Connection._on_session_close,
    proton.Event.CONNECTION_REMOTE_CLOSE: Connection._on_connection_close,
    proton.Event.TRANSPORT_ERROR: Connection._on_error,
}
