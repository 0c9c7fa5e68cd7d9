"""A loopback peer that speaks Event Hubs' dialect of AMQP 1.0: a process of its own, steered over a control socket.

`Peer.start()` runs one; the real SDK connects to `peer.connection_string(hub)`. Because it is a process of its own, its
clients can be killed and it lives on, and stopping it (`peer.pause()`) makes it a black hole. The protocol itself is
Qpid Proton's; what Event Hubs adds to it is in the modules beside this one.
"""

from __future__ import annotations

from eventhub_peer.client import Peer
from eventhub_peer.remote import PeerError

__all__ = ["Peer", "PeerError"]
