"""What a chat template asks of the texts of a conversation, besides writing them out."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Traits:
    """What a template's program looks for; a text without any of it is treated like every other such text."""

    template: str = ""
    """Whose traits these are."""
    held: frozenset[str] = frozenset()
    """Texts that are searched for within others."""
    equal: frozenset[str] = frozenset()
    """Texts that others are compared with as a whole."""
    dates: tuple[str, ...] = ()
    """The forms (of `strftime`) in which it writes the date."""
    options: frozenset[str] = frozenset()
    """Options of the request in which texts are searched for."""
    pictures: bool = False
    """Whether it may number pictures, as those do that some write for models that see."""
    linked: bool = False
    """Whether it reads the ids by which tool results refer to calls."""
    parity: bool = False
    """Whether it tells messages at even places from those at odd ones."""
    takes_arguments_apart: bool = False
    """Whether it writes the arguments of a tool call otherwise than as JSON."""
    opaque: str | None = None
    """What in the program is not understood, if anything: then nothing can be said of it."""

    def is_plain(self, text: str) -> bool:
        """Say whether the template treats a text like every other."""
        bare = text.strip()
        if not bare or bare in self.equal:
            return False
        for held in self.held:  # noqa: SIM110 - `all` takes thrice the time, and this is asked of every text
            if held in text:
                return False
        return True
