"""The SASL exchange in front of AMQP, as Event Hubs holds it: every mechanism is offered, and everyone is let in.

Proton's own server offers only ANONYMOUS and EXTERNAL, and the SDKs look for MSSBCBS: who may do what is settled later,
by the token put to `$cbs`. Frames are those of the AMQP 1.0 specification, part 5.3.
"""

from __future__ import annotations

_HEADER = b"AMQP\x03\x01\x00\x00"
_MECHANISMS = (b"MSSBCBS", b"PLAIN", b"ANONYMOUS", b"EXTERNAL")
_INIT = 0x41
_OK = b"\x00\x53\x44\xc0\x03\x01\x50\x00"


class Gatekeeper:
    """Goes through the exchange with one client: bytes in, bytes out, no I/O."""

    def __init__(self) -> None:
        self._unread = b""
        self._greeted = False
        self.passed = False
        """Whether the client is through, and AMQP begins."""

    def feed(self, data: bytes) -> tuple[bytes, bytes]:
        """Take bytes; return the answer, and what belongs to AMQP already.

        Raises:
            ValueError: The client speaks something else.
        """
        self._unread += data
        answer = b""
        if not self._greeted and len(self._unread) >= 8:
            if self._unread[:8] != _HEADER:
                raise ValueError("no SASL header")
            self._unread = self._unread[8:]
            self._greeted = True
            answer += _HEADER + _frame(_mechanisms())
        size = int.from_bytes(self._unread[:4], "big")
        if self._greeted and len(self._unread) >= max(size, 12):
            if self._unread[10] != _INIT:
                raise ValueError("no SASL init")
            rest, self._unread = self._unread[size:], b""
            self.passed = True
            return answer + _frame(_OK), rest
        return answer, b""


def _mechanisms() -> bytes:
    symbols = b"".join(bytes([len(name)]) + name for name in _MECHANISMS)
    array = bytes((0xE0, len(symbols) + 2, len(_MECHANISMS), 0xA3)) + symbols
    return b"\x00\x53\x40\xc0" + bytes((len(array) + 1, 1)) + array


def _frame(body: bytes) -> bytes:
    return (len(body) + 8).to_bytes(4, "big") + b"\x02\x01\x00\x00" + body
