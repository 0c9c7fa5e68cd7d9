"""The files that make a tokenizer, as the Hugging Face hub names them, and their digests."""

from __future__ import annotations

import hashlib
import re
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from logcount.errors import Misconfigured

if TYPE_CHECKING:
    from pathlib import Path

TEMPLATE_FILE = "chat_template.jinja"
_NAMES = frozenset(
    {
        "tokenizer.json",
        "tokenizer_config.json",
        "special_tokens_map.json",
        "added_tokens.json",
        "vocab.json",
        "vocab.txt",
        "merges.txt",
        "tokenizer.model",
        "config.json",  # its model_type has a say in which class AutoTokenizer builds
        TEMPLATE_FILE,
        "chat_template.json",
    }
)
_VOCABULARIES = ("tokenizer.json", "vocab.json", "vocab.txt", "tokenizer.model")
_NAMED_TEMPLATE = re.compile(r"additional_chat_templates/[\w.-]+\.jinja")


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file of a tokenizer: its name in the tokenizer's folder, its digest and its size in bytes."""

    name: str
    sha256: str
    size: int


def is_needed(name: str) -> bool:
    """Whether a file of this name, relative to the tokenizer's folder, has a part in counting."""
    return name in _NAMES or _NAMED_TEMPLATE.fullmatch(name) is not None


def is_template(name: str) -> bool:
    """Whether a file of this name can hold a chat template and nothing else."""
    return name in {TEMPLATE_FILE, "chat_template.json"} or _NAMED_TEMPLATE.fullmatch(name) is not None


def is_vocabulary(name: str) -> bool:
    """Whether a file of this name holds the vocabulary, without which there is no tokenizer."""
    return name in _VOCABULARIES


def holds_tokenizer(folder: Path) -> bool:
    """Whether a folder is there and has a vocabulary; nothing is read."""
    return any((folder / name).is_file() for name in _VOCABULARIES)


def needed_files(folder: Path) -> list[str]:
    """List the tokenizer's files in a folder, sorted by name."""
    found = (path.relative_to(folder).as_posix() for path in (*folder.glob("*"), *folder.glob("*/*.jinja")))
    return sorted(name for name in found if is_needed(name) and (folder / name).is_file())


def copy_tokenizer(source: Path, into: Path, *, origin: str) -> None:
    """Copy a tokenizer's files, and only those, from one folder into another.

    Raises:
        Misconfigured: there is no tokenizer in the source; `origin` is how the text names it.

    """
    if not source.is_dir():
        raise Misconfigured(f"{origin} is not there: a folder with a tokenizer is expected")
    names = needed_files(source)
    if not any(is_vocabulary(name) for name in names):
        raise Misconfigured(f"{origin} holds no tokenizer: a tokenizer.json is expected in it")
    for name in names:
        target = into / name
        target.parent.mkdir(exist_ok=True)
        shutil.copyfile(source / name, target)  # follows links, and leaves behind the permissions of the source


def describe(folder: Path, name: str) -> StoredFile:
    """Read a file of a tokenizer and describe it."""
    path = folder / name
    with path.open("rb") as stream:
        return StoredFile(name, hashlib.file_digest(stream, "sha256").hexdigest(), path.stat().st_size)
