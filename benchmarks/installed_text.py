"""Text as people and programs write it, drawn from what is installed on this machine.

Made-up text has few words, and flatters every cache of words. So prose comes from the documentation and licences of
Python and of the installed packages, code from their source, other languages and scripts from the translations of
programs (gettext catalogues), and results of tools are JSON made on the spot, full of new identifiers. Texts begin at
random places, so that hardly one is written twice. The same seed gives the same text on the same machine, not on
another one.
"""

from __future__ import annotations

import gettext
import json
import os
import random
import re
import runpy
import sys
import sysconfig
from functools import cache
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

POOL = 24_000_000
"""Characters of prose and of code at most: reading them takes a second or two."""

CATALOGUES = (Path("/usr/share/locale"), Path(sys.prefix), Path(sys.base_prefix) / "share" / "locale")
"""Where translations of programs lie; the dialogues of the sample archive are added to them."""

LEFT_OUT = {"transformers", "trl", "tokenizers", "huggingface_hub"}
"""Packages that are full of special tokens, as no traffic is."""

SHORTEST = 60
"""Characters of a paragraph or of a translation that is worth keeping."""


class InstalledText:
    """Writes text of about any length; every writer draws from the same pools with chances of its own."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self._prose = "\n\n".join(_limited(_paragraphs(), POOL))
        self._code = "\n".join(_limited(_sources(), POOL))
        self._languages = _by_language()

    def begin_anew(self, seed: int) -> None:
        """Take chances from a seed again, without reading the pools once more."""
        self.random.seed(seed)

    def describe(self) -> str:
        """Say how much there is to draw from."""
        languages = sum(map(len, self._languages)) / 1e6
        pools = f"{len(self._prose) / 1e6:.0f} MB of prose, {len(self._code) / 1e6:.0f} MB of code"
        return f"{pools}, {languages:.1f} MB in {len(self._languages)} other languages"

    def write(self, characters: int) -> str:
        """Return what a person or a model writes: mostly prose, some code, some of it in another language."""
        chance = self.random.random()
        if chance < 0.55:
            return self.prose(characters)
        if chance < 0.75:
            code = self.code(max(characters - 200, characters // 2))
            return f"{self.prose(min(200, characters // 2))}\n\n```python\n{code}\n```"
        if chance < 0.90:
            return self.language(characters)
        return f"{self.prose(characters // 3)}\n{self.result(characters * 2 // 3)}"

    def prose(self, characters: int) -> str:
        """Return English, with a name or a number in it that nobody has used before."""
        text = self._slice(self._prose, characters, " ")
        name, number = self.identifier(), self.random.randrange(10**6)
        return f"{text} ({name}, {number / 100:.2f})" if characters > 200 else f"{text} {name}"

    def language(self, characters: int) -> str:
        """Return text in one of the other languages."""
        return self._slice(self.random.choice(self._languages), characters, "\n")

    def code(self, characters: int) -> str:
        """Return source code, from the beginning of a line."""
        return self._slice(self._code, characters, "\n")

    def result(self, characters: int) -> str:
        """Return JSON as tools answer with it: identifiers, times, numbers and short texts."""
        rows, length = [], 0
        while length < characters:
            row = {
                "id": f"{self.random.getrandbits(128):032x}",
                "created": f"2026-{self.random.randrange(1, 13):02}-{self.random.randrange(1, 29):02}T10:00:00Z",
                "title": self._slice(self._prose, 50, " "),
                "owner": self.identifier(),
                "score": round(self.random.random(), 4),
                "labels": [self.identifier() for _ in range(self.random.randrange(3))],
            }
            rows.append(row)
            length += 190
        return json.dumps({"items": rows, "total": self.random.randrange(5000)}, indent=self.random.choice((None, 2)))

    def identifier(self) -> str:
        """Return a name that is pronounceable and most likely new."""
        syllables = (self.random.choice("bcdfghklmnprstvz") + self.random.choice("aeiou") for _ in range(4))
        return "".join(syllables) + self.random.choice(("", "_id", "-x", "42", "Service"))

    def _slice(self, pool: str, characters: int, border: str) -> str:
        """Return a piece of a pool from a random place on, its ends moved to a border."""
        start = self.random.randrange(max(len(pool) - characters - 200, 1))
        start = pool.find(border, start, start + 200) + 1 or start
        end = start + characters
        return pool[start : pool.rfind(border, max(end - 40, start + 1), end) + 1 or end].strip()


def _limited(texts: Iterator[str], limit: int) -> Iterator[str]:
    """Return texts up to a number of characters."""
    for text in texts:
        if limit <= 0:
            return
        limit -= len(text)
        yield text


@cache
def _installed() -> list[Path]:
    """Return every file of Python and its packages, in an order that mixes packages but is always the same."""
    folders = {sysconfig.get_paths()[name] for name in ("stdlib", "purelib")}
    paths = [
        Path(folder) / name
        for root in sorted(folders)
        for folder, _, names in os.walk(root)
        if not LEFT_OUT.intersection(folder.split(os.sep))
        for name in names
    ]
    paths.sort()
    random.Random(1).shuffle(paths)
    return paths


def _read(names: re.Pattern[str], largest: int = 400_000) -> Iterator[str]:
    """Return the texts of the files of such names."""
    for path in _installed():
        if not names.search(path.name):
            continue
        try:
            if path.is_file() and path.stat().st_size <= largest:
                yield path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            continue


def _paragraphs() -> Iterator[str]:
    """Return paragraphs of documentation, each once, docstrings too: there is more of them than of all else."""
    documents = _read(re.compile(r"^(METADATA|LICEN[CS]E|COPYING|NOTICE|AUTHORS).*|\.(md|rst|txt)$"))
    docstrings = (
        found.replace("\n    ", "\n")
        for source in _read(re.compile(r"\.py$"))
        for found in re.findall(r'"""(.{200,}?)"""', source, re.DOTALL)
    )
    seen: set[int] = set()
    for text in (*islice(documents, 2000), *islice(docstrings, 40_000)):
        for paragraph in text.split("\n\n"):
            key = hash(paragraph)
            if len(paragraph) >= SHORTEST and key not in seen:
                seen.add(key)
                yield paragraph


def _sources() -> Iterator[str]:
    return _read(re.compile(r"\.(py|pyi|json|toml|js|c|h)$"))


def _by_language() -> list[str]:
    """Return the translations of each language, and the dialogues of the samples in theirs."""
    translated: dict[str, list[str]] = {}
    for path in sorted(path for folder in CATALOGUES for path in folder.rglob("LC_MESSAGES/*.mo")):
        try:
            with path.open("rb") as file:
                catalogue = gettext.GNUTranslations(file)
        except (OSError, ValueError, IndexError):  # the last where a header is not as gettext expects it
            continue
        texts = (text for text in catalogue._catalog.values() if isinstance(text, str) and len(text) >= SHORTEST)  # type: ignore[attr-defined]
        translated.setdefault(path.parent.parent.name.partition("_")[0], []).extend(texts)
    pools = ["\n".join(texts) for _, texts in sorted(translated.items())]
    return [*(pool for pool in pools if len(pool) > 20_000), _dialogues()]


def _dialogues() -> str:
    samples = runpy.run_path(str(Path(__file__).parent.parent / "samples" / "dialogues.py"))
    spoken = [text for _, turns in samples["DIALOGUES"] for turn in turns for text in turn]
    return "\n".join(spoken * 10)
