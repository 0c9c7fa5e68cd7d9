"""What no counting can be faster than: reading the JSON of the events, or only touching their bytes."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.util import find_spec

import msgspec

Lines = Sequence[bytes]


class Bare(msgspec.Struct):
    """A native event without its bodies: they are passed over."""

    v: int
    requestId: str
    time: str
    model: str


def decode_all(lines: Lines) -> None:
    """Decode the event and both bodies, chunk by chunk where they were streamed: whoever reads usage begins so."""
    for line in lines:
        event = json.loads(line)
        json.loads(event["requestBody"])
        response = event["responseBody"]
        if not response.startswith("data:"):
            json.loads(response)
            continue
        for chunk in response.split("\n\n"):
            data = chunk.removeprefix("data: ")
            if data and data != "[DONE]":
                json.loads(data)


def decode_events(lines: Lines) -> None:
    """Decode each event with the standard library, and neither of the bodies in it."""
    for line in lines:
        json.loads(line)


def decode_fast(lines: Lines) -> None:
    """Decode each event with orjson, and neither of the bodies in it."""
    loads = import_module("orjson").loads
    for line in lines:
        loads(line)


def skip_bodies(lines: Lines) -> None:
    """Decode the small fields of each event with msgspec, and pass over the bodies."""
    decode = msgspec.json.Decoder(Bare).decode
    for line in lines:
        decode(line)


def parse(lines: Lines) -> None:
    """Parse each event with simdjson, and build nothing."""
    parser = import_module("simdjson").Parser()
    for line in lines:
        parser.parse(line)


def touch(lines: Lines) -> None:
    """Look at every byte once, for one that is not there."""
    for line in lines:
        line.find(b"\0")


CEILINGS: dict[str, tuple[str | None, Callable[[Lines], None]]] = {
    "`json.loads` of the event and both bodies": (None, decode_all),
    "`json.loads` of the event": (None, decode_events),
    "`orjson.loads` of the event": ("orjson", decode_fast),
    "msgspec, the event without its bodies": (None, skip_bodies),
    "simdjson, a bare parse of the event": ("simdjson", parse),
    "`bytes.find` over the event": (None, touch),
}
"""Name → the package that it needs beyond logcount's own, and what it does."""


def available() -> dict[str, Callable[[Lines], None]]:
    """Return the ceilings whose packages are installed."""
    return {name: way for name, (package, way) in CEILINGS.items() if package is None or find_spec(package)}
