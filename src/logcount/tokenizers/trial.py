# ruff: noqa: RUF001  (characters that look like others are what these texts are made of)
"""The texts on which an engine is tried before it counts: fixed, adversarial, and the same in every process."""

from __future__ import annotations

import base64
import random
import string
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_SEED = 20_261_122
_MIXTURES = 2_500
_SEPARATORS = 400  # texts around added tokens, and pieces of them; Gemma has thousands

_SPACES = " \t\n\r\v\f\x1c\x85\xa0\u1680\u2003\u2009\u2028\u2029\u202f\u205f\u3000\u200b\ufeff\u180e\u2581"
_RUNS = (1, 2, 3, 4, 5, 7, 8, 15, 16, 17, 31, 64, 127, 256)
_MARKS = "\u0300\u0301\u0323\u0327\u0345\u093c\u05b0\u0e49\u3099\u20dd\U0001d165\u200d\ufe0f\U0001f3fd"
_SCRIPTS = (
    "The quick brown fox can't, won't and shouldn't've jumped; 'S'LL 'tis I'm WE'RE you'd",
    "Zażółć gęślą jaźń, Straße, ŉaïve ﬁn ǅ İstanbul ıI ſ K Å Ω, l'été où ça",
    "Съешь же ещё этих мягких французских булок, Українська ґанок їжак",
    "Ξεσκεπάζω τὴν ψυχοφθόρα βδελυγμία, ΐ ΰ ᾳ ᾼ",
    "我能吞下玻璃而不伤身体。「漢字」と仮名交じり文、ガギグゲゴ ｶﾞｷﾞ 한국어 각 각 ㄱㅏㄱ",
    "يُساوِي اللّغة שָׁלוֹם ١٢٣ ۴۵",
    "हिन्दी में क्षत्रिय ज़्यादा தமிழ் కొత్త ไทยภาษาน้ำ ລາວ မြန်မာ ភាសាខ្មែរ བོད་ཡིག",
    "👩‍👩‍👧‍👦🏳️‍🌈👍🏽🇦🇹🇨🇭1️⃣©️☎️🫠🪿 ∀x∈ℝ: ⌈x⌉ = −⌊−x⌋ ½ ⅷ ² ৪ 𝔘𝔫𝔦 𝟘𝟙 ﷽ ﬀ",
    'def f(self, *a, **kw):\n\treturn {"x": [1, 2.5e-10, 0xFF]}  #ok\n\n\n    pass\r\n#include <stdio.h>\nint main(){}',
    "SELECT * FROM `t` WHERE a<>'b''c' AND d>=100000000;--x\n<a href=\"/?q=1&amp;r=%20\">~/.ssh/id_rsa</a>\\n\\u0041",
    "1 12 123 1234 12345 1,234,567.89 2026-11-22T10:03:17.123Z +43-1-5 IPv6 ::1 v1.2.3-rc4 １２３ ٣٫١٤",
    "camelCaseHTTPServerÄÖÜßs XMLHttpRequest iPhone's McDONALD'S ǄǅǆAa aA Aª ʰA \u16eeA",
)
_BLOCKS = (
    (0x0, 0x250, 1),
    (0x250, 0x3400, 8),
    (0x3400, 0xD800, 128),
    (0xE000, 0x20000, 32),
    (0x20000, 0x110000, 2_048),
)
"""First and last code point, and out of how many one is taken at random."""

_YOUNG = (
    *(0x1C89, 0x2EBF0, 0xA7CB, 0xA7CE, 0xA7DA, 0x105C0, 0x10940, 0x10D40, 0x10EC2, 0x11380, 0x11BC0, 0x11DB0),
    *(0x13460, 0x16100, 0x16D40, 0x16EA0, 0x088F, 0x0C5C, 0x0CDC, 0x1CC00, 0x1E5D0, 0x1E6C0, 0x1FAE9, 0x323B0),
)
"""Characters that Unicode took in with its versions 15.1, 16 and 17, about which engines disagree."""


def trial_texts(added: Sequence[str]) -> Iterator[str]:
    """Give some thousand texts, for the reference half a second of work; `added` are the tokenizer's added tokens."""
    chance = random.Random(_SEED)  # noqa: S311  (the same texts each time)
    yield from ("", *_SCRIPTS)
    yield from _runs()
    yield from _characters(chance)
    yield from _mixtures(chance)
    yield from _long(chance)
    yield from texts_around(added)


def _runs() -> Iterator[str]:
    for space in _SPACES:
        for length in _RUNS:
            yield space * length
            yield f"a{space * length}b{space * length}"
    for unit in (
        "\r\n",
        " \n",
        "\n ",
        "\t ",
        "=-",
        "--",
        "'",
        "''s",
        "/\n",
        ".\n\n",
        "))))",
        "a",
        "A",
        "1",
        "é",
        "中",
        "😀",
    ):
        for length in _RUNS:
            yield unit * length


def _characters(chance: random.Random) -> Iterator[str]:
    blocks = (range(start, min(start + step, end)) for first, end, step in _BLOCKS for start in range(first, end, step))
    for point in (*(chance.choice(block) for block in blocks), *_YOUNG):
        character = chr(point)
        yield f"{character} x{character}y\n{character}"
    for mark in _MARKS:
        for base in "aeA \nK中가ᄀक़o\u0323\u0301":
            yield f"{base}{mark}{base}\u0301{mark}"


def _mixtures(chance: random.Random) -> Iterator[str]:
    """Give texts of a few random pieces of everything."""
    pool = [*_SPACES, *_MARKS, *string.printable, "'s", "'LL", "\r\n", "  ", "   \n", "<|", "|>", "中", "\u1100\u1161"]
    for _ in range(_MIXTURES):
        pieces = []
        for _ in range(chance.randint(2, 12)):
            script = chance.choice(_SCRIPTS)
            start = chance.randrange(len(script))
            some = (chance.choice(pool), script[start : start + chance.randint(1, 6)], chr(_code_point(chance)))
            pieces.append(chance.choice(some))
        yield "".join(pieces)


def _code_point(chance: random.Random) -> int:
    point = chance.randrange(0x110000 - 0x800)
    return point if point < 0xD800 else point + 0x800  # the surrogates are left out


def _long(chance: random.Random) -> Iterator[str]:
    """Give longer texts: random letters, digits, base64, and words in a row without a space."""
    for alphabet in (string.ascii_lowercase, string.ascii_letters, string.digits, string.punctuation, "ab", "aA1 "):
        yield "".join(chance.choices(alphabet, k=2_000))
    yield base64.b64encode(chance.randbytes(3_000)).decode()
    yield chance.randbytes(1_500).hex()
    yield "".join(chr(chance.randrange(0x4E00, 0x9FA0)) for _ in range(1_500))
    yield "".join(chr(chance.randrange(0xAC00, 0xD7A4)) for _ in range(1_000))
    yield "\n".join(_SCRIPTS) * 3
    yield " ".join(_SCRIPTS).replace(" ", "")
    yield ("word " * 9 + "\n") * 60


def texts_around(added: Sequence[str]) -> Iterator[str]:
    """Give texts that hold added tokens, torn ones, and what looks like one."""
    chance = random.Random(_SEED)  # noqa: S311
    for token in added if len(added) <= _SEPARATORS else chance.sample(added, _SEPARATORS):
        other, script = chance.choice(added), chance.choice(_SCRIPTS)
        start, tear = chance.randrange(len(script)), chance.randint(0, len(token))
        rest = script[start : start + 12]
        yield f"{rest}{token}{rest}{other}{token[:tear]}{token[tear:].upper()} {other[:-1]}{token}\n{token * 2}"
        yield f"{token[:tear]}{other}{token[tear:]}{rest} {token} {other[1:]}"
