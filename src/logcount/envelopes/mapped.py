"""An operator's own envelope, read through a field mapping of the settings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from logcount.envelopes import native

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from logcount.model.exchanges import Decoded

NATIVE_FIELDS = frozenset(
    {
        *("requestId", "time", "model", "url", "status", "contentType", "usage"),
        *("requestBody", "requestEncoding", "responseBody", "responseEncoding", "dimensions"),
        *("apiId", "operationId", "productId", "userId", "subscriptionId", "location"),
        *("gatewayId", "backendId", "clientIp"),
    }
)
"""The fields of the native envelope, which a mapping can fill."""


@dataclass(frozen=True, slots=True)
class Mapped:
    """Converts one operator's records to native ones.

    Paths are keys joined by dots; a segment of digits indexes a list.
    """

    name: str
    match: str
    """The path that identifies such a record: it has a value there."""
    fields: Mapping[str, str]
    """Native field → path."""
    constants: Mapping[str, str]
    """Native field → a fixed value, such as an encoding."""

    def matches(self, document: dict[str, Any]) -> bool:
        """Return whether the record has a value at the path `match`."""
        return follow(document, self.match) is not None

    def read(self, document: dict[str, Any], cut: frozenset[str]) -> Iterator[Decoded]:
        """Read the record after converting it to a native event."""
        made: dict[str, Any] = dict(self.constants)
        made.update((field, follow(document, path)) for field, path in self.fields.items())
        cut_fields = frozenset(field for field, path in self.fields.items() if path.split(".")[-1] in cut)
        return native.read(made, cut_fields, envelope=self.name)

    def keeps(self, key: str) -> bool:
        """Return whether a cut string under this key is to be kept."""
        return any(path.split(".")[-1] == key for field, path in self.fields.items() if field.endswith("Body"))


def follow(document: Any, path: str) -> Any:
    """Return the value at a dotted path, or None."""
    for part in path.split("."):
        if isinstance(document, dict):
            document = document.get(part)
        elif isinstance(document, list) and part.isdecimal() and int(part) < len(document):
            document = document[int(part)]
        else:
            return None
    return document
