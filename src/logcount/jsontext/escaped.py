"""JSON strings that are decoded only on request: until then they stay escaped, as in their document."""

from __future__ import annotations

from typing import Any

import msgspec

from logcount.jsontext.reading import decode

_QUOTE = ord('"')
_text = msgspec.json.Decoder(str).decode


class Escaped(msgspec.Struct, frozen=True, eq=False):
    """A JSON string of a valid document, still escaped; it equals the text that it encodes.

    It keeps the bytes of the whole document in memory.
    """

    raw: msgspec.Raw
    """With its quotes."""

    @property
    def data(self) -> memoryview:
        """The UTF-8 between the quotes, still escaped, not copied."""
        return memoryview(self.raw)[1:-1]

    def text(self) -> str:
        """Return the decoded text; each call decodes again."""
        return _text(self.raw)

    def __len__(self) -> int:
        return len(self.raw) - 2

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Escaped):
            return self.raw == other.raw or self.text() == other.text()
        return self.text() == other if isinstance(other, str) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.text())

    def __repr__(self) -> str:
        return f"<{len(self)} bytes of a JSON string>"


def unopened(raw: msgspec.Raw) -> Any:
    """Return a value of a valid document: a string still escaped, anything else decoded.

    Raises:
        NotJson: it cannot be decoded though its document is valid: a number of thousands of digits.
    """
    view = memoryview(raw)
    return Escaped(raw) if view[0] == _QUOTE else decode(str(view, "utf-8")).value
