"""Random conversations, as requests hold them, with contents that templates and tokenizers trip over."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

from exact.texts import code, scripts

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

TOOL = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "The weather of a city, now.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}


def conversations(number: int, added: Sequence[str], *, seed: int = 4) -> Iterator[tuple[list[dict[str, Any]], Any]]:
    """Give messages and tools, if any; one who speaks after the other, as all templates allow."""
    chance = random.Random(f"{seed} conversations")
    pool = [*scripts("tiny", chance), *code("tiny", chance)]
    for _ in range(number):
        messages = []
        for turn in range(chance.choice((1, 3, 5, 9))):
            content = chance.choice(pool)[: chance.choice((20, 400, 3_000))]
            if added and chance.random() < 0.1:
                content += chance.choice(added) + content[:9]
            messages.append({"role": ("user", "assistant")[turn % 2], "content": content})
        yield messages, chance.choice((None, None, [TOOL]))
