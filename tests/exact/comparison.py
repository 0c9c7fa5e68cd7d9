"""Compares what logcount counts with what plain `tokenizers` counts, for one tokenizer."""

from __future__ import annotations

import random
import time
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from talks import TOOLS, random_talk

from exact.conversations import conversations
from exact.seams import seams
from exact.texts import texts
from logcount.counting.prompts import Prompts
from logcount.errors import Uncountable
from logcount.model.content import Chat

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from logcount.tokenizers import TransformersTokenizer

DATE = datetime(2026, 11, 22, 12, tzinfo=UTC)
CONVERSATIONS = {"tiny": 20, "small": 150, "full": 5_000}
_BATCH = 1_000_000  # characters that the reference is given at once
_SPECIAL = 20  # one text in so many is also counted with what the post-processor adds
_SHOWN = 5  # differences that are shown of each kind


@dataclass
class Kind:
    """What came of the texts of one kind."""

    texts: int = 0
    characters: int = 0
    differences: int = 0
    examples: list[str] = field(default_factory=list)


@dataclass
class Result:
    """What came of the texts of all kinds, for one tokenizer."""

    name: str
    engine: str
    kinds: dict[str, Kind]
    seconds: float


class Comparison:
    """Counts texts by logcount's tokenizer and by a backend that was loaded apart from it."""

    def __init__(self, tokenizer: TransformersTokenizer, backend: Any) -> None:
        self._tokenizer = tokenizer
        self._backend = backend
        self._added = sorted(token.content for token in backend.get_added_tokens_decoder().values())
        self._kinds: dict[str, Kind] = defaultdict(Kind)

    def run(self, size: str) -> Result:
        """Compare all texts of a size, and tell what differed."""
        began = time.monotonic()
        self._tokenizer.prepare()
        self.compare(texts(size, self._added))
        self.compare(self._conversations(CONVERSATIONS[size]))
        self._grow(CONVERSATIONS[size] // 2)
        return Result(self._tokenizer.name, self._tokenizer.engine, dict(self._kinds), time.monotonic() - began)

    def compare(self, given: Iterable[tuple[str, str]]) -> None:
        """Compare texts, each given with its kind."""
        batch: list[tuple[str, str]] = []
        waiting = 0
        for kind, text in given:
            batch.append((kind, text))
            waiting += len(text)
            if waiting > _BATCH or len(batch) == 2_000:
                self._compare(batch)
                batch, waiting = [], 0
        self._compare(batch)

    def _compare(self, batch: list[tuple[str, str]]) -> None:
        whole = self._reference([text for _, text in batch], special=False)
        some = self._reference([text for _, text in batch[::_SPECIAL]], special=True)
        for (kind, text), right in zip(batch, whole, strict=True):
            first = self._tokenizer.count(text)
            again = self._tokenizer.count(text)  # what was remembered
            self._note(kind, text, right, {first, again})
        for (kind, text), right in zip(batch[::_SPECIAL], some, strict=True):
            self._note(f"{kind}, special", text, right, {self._tokenizer.count(text, special=True)})

    def _reference(self, given: list[str], *, special: bool) -> list[int]:
        return [len(one) for one in self._backend.encode_batch_fast(given, add_special_tokens=special)]

    def _conversations(self, number: int) -> Iterator[tuple[str, str]]:
        """Give rendered conversations and random cuts of them; those at seams are compared here."""
        chance = random.Random(4)
        for messages, tools in conversations(number, self._added):
            try:
                text = self._tokenizer.render(messages, tools=tools, date=DATE)
            except Uncountable:
                continue  # a template that takes no tools, or has no place for one of the roles
            yield "conversations", text
            start, end = sorted(chance.choices(range(len(text) + 1), k=2))
            yield "cuts of conversations", text[start:end]
            self._at_seams(text, chance)

    def _grow(self, number: int) -> None:
        """Compare what growing conversations count, message by message, with what is rendered of them."""
        chance, prompts = random.Random(5), Prompts(self._tokenizer)
        for _ in range(number):
            talk, tools = random_talk(chance, 10), chance.choice(TOOLS)
            for size in range(1, len(talk) + 1, 2):
                chat = Chat(talk[:size], tools=tools)
                try:
                    text = self._tokenizer.render(chat.messages, tools=tools, date=DATE)
                except Uncountable:
                    continue
                right = self._reference([text], special=False)[0]
                self._note("growing", text, right, {prompts.count(chat, DATE, "</think>").tokens})

    def _at_seams(self, text: str, chance: random.Random) -> None:
        found = seams(self._tokenizer._counter._cutter, text)
        if not found:
            return
        chosen = sorted(chance.sample(found, chance.randint(0, len(found))))
        pieces = [text[start:end] for start, end in zip([0, *chosen], [*chosen, len(text)], strict=True)]
        total = sum(self._reference([piece for piece in pieces if piece], special=False))
        self._note("at seams", text, self._reference([text], special=False)[0], {total})

    def _note(self, kind: str, text: str, right: int, counts: set[int]) -> None:
        its = self._kinds[kind]
        its.texts += 1
        its.characters += len(text)
        if counts != {right}:
            its.differences += 1
            if len(its.examples) < _SHOWN:
                its.examples.append(f"{right} tokens, counted as {sorted(counts)}: {ascii(text)[:200]}")
