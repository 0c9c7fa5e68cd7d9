"""A place: one file, stream or blob that can be opened and read, whatever holds it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence


class Stopped(Exception):
    """Nobody waits for the rest any more."""


class OpenInput(Protocol):
    """A place that is open."""

    def read(self, size: int, /) -> bytes:
        """Return the next bytes, at most `size`; `b""` only at the end.

        Raises:
            Unreadable: naming the place.
        """
        ...

    def close(self) -> None:
        """Let go of it."""
        ...


class Input(Protocol):
    """One file, stream or blob."""

    @property
    def source(self) -> str:
        """As `LogEvent.source`; given as a path, it leads here again."""
        ...

    @property
    def parts(self) -> Sequence[str]:
        """The folders on the way to it, and its name."""
        ...

    @property
    def size(self) -> int | None:
        """Bytes, as far as known before it is read."""
        ...

    @property
    def identity(self) -> Hashable:
        """Equal for two places that hold the same thing, by whatever name it was reached; None where it is unknown."""
        ...

    def open(self, check: Callable[[], None]) -> OpenInput:
        """Begin to read; `check` is called now and then where reading must wait, and may raise `Stopped`."""
        ...
