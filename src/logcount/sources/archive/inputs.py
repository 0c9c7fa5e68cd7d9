"""An input: one file, stream or blob that can be opened and read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence


class Stopped(Exception):
    """The reading was cancelled; the rest is not needed."""


class OpenInput(Protocol):
    """An open input."""

    def read(self, size: int, /) -> bytes:
        """Return the next bytes, at most `size`; `b""` only at the end.

        Raises:
            Unreadable: the input cannot be read; the text names it.
        """
        ...

    def close(self) -> None:
        """Close it."""
        ...


class Input(Protocol):
    """One file, stream or blob."""

    @property
    def source(self) -> str:
        """Its name, as in `LogEvent.source`; given as a path, it names the same input."""
        ...

    @property
    def parts(self) -> Sequence[str]:
        """Its folders and its name."""
        ...

    @property
    def size(self) -> int | None:
        """Its size in bytes; None if unknown before it is read."""
        ...

    @property
    def identity(self) -> Hashable:
        """Equal for two inputs that are the same file or blob under different names; None if unknown."""
        ...

    def open(self, check: Callable[[], None]) -> OpenInput:
        """Open it; `check` is called regularly while reading waits, and may raise `Stopped`."""
        ...
