"""What a chat template asks of the texts of a conversation, besides writing them out."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Traits:
    """What a template's program looks for; a text without any of it is treated like every other such text."""

    template: str = ""
    """Whose traits these are."""
    held: frozenset[str] = frozenset()
    """Texts that are searched for within others."""
    joined: frozenset[str] = frozenset()
    """Those of them that are searched for in what is put together of several texts, too."""
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
    tools_apart: bool = False
    """Whether nothing that it writes for messages depends on the tools, but for whether there are any."""
    takes_arguments_apart: bool = False
    """Whether it writes the arguments of a tool call otherwise than as JSON."""
    opaque: str | None = None
    """What in the program is not understood, if anything: then nothing can be said of it."""
    _parts: tuple[str, ...] = field(init=False, compare=False)
    _edges: tuple[tuple[str, ...], tuple[str, ...]] = field(init=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_parts", _shared_parts(self.held))
        ends = tuple({held[at:] for held in self.joined for at in range(1, len(held))})
        beginnings = tuple({held[:at] for held in self.joined for at in range(1, len(held))})
        object.__setattr__(self, "_edges", (ends, beginnings))

    def is_plain(self, text: str) -> bool:
        """Say whether the template treats a text like every other."""
        bare = text.strip()
        if not bare or bare in self.equal:
            return False
        for part in self._parts:
            if part in text and any(held in text for held in self.held):
                return False
        return not self.joined or not (self._may_belong(text) or self._may_belong(bare))

    def _may_belong(self, text: str) -> bool:
        """Say whether what is searched for may begin or end in a text, or be around it, once others are beside it."""
        ends, beginnings = self._edges
        return text.startswith(ends) or text.endswith(beginnings) or any(text in held for held in self.joined)


def _shared_parts(held: frozenset[str]) -> tuple[str, ...]:
    """Return texts of which every held one has one in it: `think>` is in both tags, and is looked for once."""
    parts: list[str] = []
    for text in sorted(held, key=lambda text: (len(text), text)):
        endings = [(len(_common_end(text, part)), place) for place, part in enumerate(parts)]
        length, place = max(endings, default=(0, -1))
        if length >= _WORTH_SHARING:
            parts[place] = text[-length:]
        else:
            parts.append(text)
    return tuple(parts)


_WORTH_SHARING = 5
"""Characters that must be alike: a shorter text would be found too often."""


def _common_end(one: str, other: str) -> str:
    length = 0
    while length < min(len(one), len(other)) and one[-1 - length] == other[-1 - length]:
        length += 1
    return one[len(one) - length :]
