"""Conversations made up to try a chat template: of all kinds that templates treat apart, in orders that occur."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from logcount.counting.shapes import Message

T = TypeVar("T")
_LONGEST = 9
"""Questions in the longest of them."""
_TEXTS = (
    "Hello",
    "  two words\n",
    "\n\nA line.\n\tAnother one: 1 < 2 & \"3\" 'x'\n",
    "Größe 東京 ☃",
    "```python\nprint({'a': 1})\n```",
    "0",
    " ",
    "",
)


class _Chance:
    """Chooses alike each time: what is pure has no chances of its own."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._drawn = 0

    def below(self, end: int) -> int:
        """Return a number from 0 on."""
        self._drawn += 1
        digest = blake2b(b"%d %d" % (self._seed, self._drawn), digest_size=8).digest()
        return int.from_bytes(digest, "big") % end

    def choice(self, options: Sequence[T]) -> T:
        """Return one of some options."""
        return options[self.below(len(options))]

    def falls(self, share: float) -> bool:
        """Say yes in this share of all cases."""
        return self.below(1000) < 1000 * share


def conversations(seed: int = 0, number: int = 60) -> Iterator[list[Message]]:
    """Give a number of conversations: first short and plain ones, then longer ones with tools and reasoning."""
    chance = _Chance(seed)
    for order in range(number):
        turns = 1 + chance.below(2 + order * _LONGEST // number)
        rich = order % 3 > 0
        messages: list[Message] = []
        if chance.falls(0.4):
            messages.append({"role": "system", "content": chance.choice(_TEXTS)})
        for _ in range(turns):
            messages.append({"role": "user", "content": chance.choice(_TEXTS)})
            messages.extend(_answer(chance, rich=rich))
        if chance.falls(0.7):
            messages.append({"role": "user", "content": chance.choice(_TEXTS[:6])})
        yield messages


def _answer(chance: _Chance, *, rich: bool) -> Iterator[Message]:
    while rich and chance.falls(0.5):
        calls = [_call(chance, number) for number in range(chance.choice((1, 1, 2)))]
        content = chance.choice(("", "", "I look it up.\n"))
        yield _thoughtful({"role": "assistant", "content": content, "tool_calls": calls}, chance)
        for call in calls:
            yield {"role": "tool", "tool_call_id": call["id"], "content": chance.choice(_TEXTS[:6])}
    yield _thoughtful({"role": "assistant", "content": chance.choice(_TEXTS)}, chance)


def _call(chance: _Chance, number: int) -> dict[str, Any]:
    arguments = chance.choice(({"city": "Paris"}, {"a": [1, 2.5, None], "é": {"b": "x\n"}}, {"n": 1}))
    name = chance.choice(("get_weather", "search"))
    return {"id": f"call_{number}", "type": "function", "function": {"name": name, "arguments": arguments}}


def _thoughtful(message: Message, chance: _Chance) -> Message:
    return message | {"reasoning_content": "Let me think.\nYes."} if chance.falls(0.2) else message
