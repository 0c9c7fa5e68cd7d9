"""The header of a hub's ledger: its hub, consumer group and deployment, so that no other `run` appends by mistake."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from logcount.errors import Misconfigured
from logcount.ledger.record import VERSION
from logcount.ledger.steps import Create, Read, Replace

if TYPE_CHECKING:
    from logcount.ledger.steps import Steps


@dataclass(frozen=True, slots=True)
class Header:
    """What a `run` must have in common with the ledger that it appends to."""

    hub: str
    """The name of the hub's logs."""
    consumer_group: str
    deployment: str
    v: int = VERSION


def header_name(hub: str) -> str:
    """Return the name of a hub's header."""
    return f"{hub}/header"


def agree(header: Header, *, take_over: bool = False) -> Steps[None]:
    """Check that the ledger has this header; the first process writes it.

    Raises:
        Misconfigured: it has another header, and `take_over` is false.

    """
    name = header_name(header.hub)
    data = json.dumps(asdict(header), sort_keys=True).encode()
    while (stored := (yield Read(name))) is None or stored.data != data:
        if stored is None:
            yield Create(name, data)
        elif take_over:
            yield Replace(name, data, stored.tag)
        else:
            difference = _difference(header, stored.data)
            raise Misconfigured(f"the ledger {difference}: `logcount run --take-over` goes on with it")


def _difference(header: Header, data: bytes) -> str:
    try:
        there = json.loads(data)
    except ValueError:
        there = {}
    words = [
        f"was begun with {key} {there.get(key)!r}, and this is {own!r}"
        for key, own in asdict(header).items()
        if there.get(key) != own
    ]
    return " and ".join(words) or "has a header in another form"
