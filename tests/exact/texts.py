# ruff: noqa: RUF001  (characters that look like others are what these texts are made of)
"""Texts on which counts are compared, by kind: seeded, so that every run compares the same."""

from __future__ import annotations

import base64
import json
import random
import string
from itertools import chain
from pathlib import Path
from pydoc_data.topics import topics
from typing import TYPE_CHECKING

from logcount.tokenizers.trial import trial_texts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

LETTERS = {
    "latin": "abcdefghijklmnopqrstuvwxyz" * 3 + "ABCDEFGHIJKLMNOPQRSTUVWXYZéüßłøşıñ",
    "greek": "αβγδεζηθικλμνξοπρστυφχψωάέήίόύώΐΰςΑΣΩ",
    "cyrillic": "абвгдежзийклмнопрстуфхцчшщъыьэюяієїґђћ",
    "hebrew": "אבגדהוזחטיכלמנסעפצקרשת\u05b8\u05bc\u05c1",
    "arabic": "ابتثجحخدذرزسشصضطظعغفقكلمنهوي\u064b\u0651\u0640پچگ",
    "devanagari": "कखगघचजटडतदनपबभमयरलवशसह\u093e\u093f\u0940\u094d\u093c\u0902",
    "tamil": "கஙசஞடணதநபமயரலவழளறன\u0bbe\u0bbf\u0bcd\u0bcb",
    "thai": "กขคงจชซญดตถทนบปผพมยรลวสหอ\u0e31\u0e34\u0e38\u0e48\u0e49\u0e33",
    "han": "的一是不了人我在有他这中大来上国个到说们为子和你地出道也时年得就那要下以生会自着去之过家学对可她里后",
    "kana": "あいうえおかがきぎくぐけげこごアイウエオカガキギハバパ\u3099ー",
    "hangul": "가각간나다라마바사아자차카타파하한글\u1100\u1161\u11a8",
    "emoji": "😀😂🔥👍🏽👩\u200d👧🏳\ufe0f\u200d🌈🇦🇹🇯🇵❤\ufe0f1\ufe0f\u20e3🫠",
    "symbols": "∀∃∈ℝ⌈⌋≤≠→←½²³™©€£¥§¶†‡•…“”‘’«»‹›–—",
}
_SPACES = (" ", " ", " ", " ", "  ", "\n", "\n\n", "\t", "\r\n", "\u3000", "\xa0", "", ", ", ". ", "'s ", "-", "_", "/")
_CONTEXTS: tuple[Callable[[str], str], ...] = (
    lambda c: c,
    lambda c: f"a{c}b",
    lambda c: f" {c}\n{c}{c} x",
    lambda c: f"e{c}\u0323\u0301",
    lambda c: f"1{c}2\u1100{c}\u11a8",
    lambda c: f"'{c}'S{c}\u0345 .{c}\r\n",
    lambda c: f"中{c}\u3099か{c}",
    lambda c: f"\u0301{c}\u200d{c}\ufe0f",
)


def scripts(size: str, chance: random.Random) -> Iterator[str]:
    """Give texts of words of one script, of several, and of prose."""
    for _ in range({"tiny": 100, "small": 1_500, "full": 30_000}[size]):
        names = chance.sample(sorted(LETTERS), chance.choice((1, 1, 2, 4)))
        words = (_word(LETTERS[chance.choice(names)], chance) for _ in range(chance.randint(1, 60)))
        yield "".join(word + chance.choice(_SPACES) for word in words)
    yield from list(topics.values())[:: {"tiny": 40, "small": 6, "full": 1}[size]]


def _word(letters: str, chance: random.Random) -> str:
    word = "".join(chance.choices(letters, k=chance.randint(1, 12)))
    return chance.choice((word, word, word.upper(), word.title(), word + str(chance.randrange(10_000))))


def code(size: str, chance: random.Random) -> Iterator[str]:
    """Give the standard library's modules, in pieces cut anywhere."""
    modules = sorted(Path(json.__file__).parent.parent.glob("*.py"))
    for path in modules[:: {"tiny": 90, "small": 12, "full": 1}[size]]:
        text = path.read_text(encoding="utf-8")
        while text:
            length = chance.choice((7, 60, 500, 3_000, 20_000))
            yield text[:length]
            text = text[length:]


def code_points(size: str, chance: random.Random) -> Iterator[str]:
    """Give every Unicode scalar value in several contexts; small runs look at some, others in each context."""
    step = {"tiny": 2_003, "small": 151, "full": 1}[size]
    for number, context in enumerate(_CONTEXTS):
        points: Iterable[int] = range(7 * number % step, 0x110000, step)
        if size == "small" and number == 2:
            points = chain(range(0x3400), points)
        yield from (context(chr(point)) for point in points if not 0xD800 <= point < 0xE000)
    for _ in range({"tiny": 300, "small": 3_000, "full": 200_000}[size]):
        drawn = (chance.randrange(0x110000 - 0x800) for _ in range(chance.randint(2, 9)))
        yield "".join(chr(point if point < 0xD800 else point + 0x800) for point in drawn)


def adversarial(size: str, chance: random.Random) -> Iterator[str]:
    """Give runs, tokens that are torn, base64, random letters, and lines of all lengths."""
    longest = {"tiny": 5_000, "small": 20_000, "full": 1_000_000}[size]
    units = (
        "a",
        "A",
        " ",
        "\n",
        "\r\n",
        "\t",
        "=-",
        "  \n",
        "   x",
        "'s'S",
        "中",
        "\u0301",
        "e\u0301\u0323",
        "😀",
        "👩\u200d",
    )
    for unit in (*units, "\U000e0fff", "1", "/\n", ".\n\n/", "\u2581", "\u1100\u1161\u11a8", "the quick ", "\n the"):
        for length in (5, 99, 1_000, longest):
            yield unit * (length // len(unit))
    for _ in range({"tiny": 100, "small": 400, "full": 10_000}[size]):
        alphabet = chance.choice(
            (string.ascii_letters, string.punctuation, string.printable, "ab", " \n", "a\n ", "0123")
        )
        yield "".join(chance.choices(alphabet, k=chance.choice((3, 40, 700))))
    yield base64.b64encode(chance.randbytes(longest // 2)).decode()


def long(size: str, chance: random.Random) -> Iterator[str]:
    """Give texts that are counted in pieces, and some that cannot be."""
    pool = [*scripts("tiny", chance), *code("tiny", chance)]
    for _ in range({"tiny": 1, "small": 4, "full": 100}[size]):
        length, parts = chance.randint(70_000, 400_000), []
        while length > 0:
            parts.append(chance.choice(pool) + chance.choice(("\n", " ", "", "\n\n")))
            length -= len(parts[-1])
        yield "".join(parts)
        yield " ".join("".join(parts).split()[:12_000])


def around_tokens(size: str, chance: random.Random, added: Sequence[str]) -> Iterator[str]:
    """Give texts among which a tokenizer's added tokens are strewn, whole and torn."""
    pool = [*scripts("tiny", chance)]
    for _ in range({"tiny": 300, "small": 1_500, "full": 40_000}[size]):
        parts = []
        for _ in range(chance.randint(1, 9)):
            token, text = chance.choice(added or ["<s>"]), chance.choice(pool)
            tear = chance.randint(0, len(token))
            start = chance.randrange(len(text) + 1)
            torn = (token[:tear], token[tear:], token.upper(), f" {token} ", token)
            parts += [chance.choice(torn), chance.choice(("", "", " ", "\n", text[start : start + 30]))]
        yield "".join(parts)


KINDS = {"scripts": scripts, "code": code, "code points": code_points, "adversarial": adversarial, "long": long}


def texts(size: str, added: Sequence[str], *, seed: int = 4) -> Iterator[tuple[str, str]]:
    """Give texts with their kinds; `size` is tiny (for the suite), small or full."""
    for kind, give in KINDS.items():
        for text in give(size, random.Random(f"{seed} {kind}")):
            yield kind, text
    for text in around_tokens(size, random.Random(f"{seed} tokens"), added):
        yield "around added tokens", text
    for text in list(trial_texts(added))[:: 10 if size == "tiny" else 1]:
        yield "the trial's own", text
