"""Finds the tokenizer of a model by the patterns of the settings, and loads each one once, when first needed."""

from __future__ import annotations

from contextlib import nullcontext
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from logcount.bounded import BoundedCache
from logcount.errors import Misconfigured
from logcount.tokenizers.fetch.files import holds_tokenizer
from logcount.tokenizers.fetch.origins import FolderOrigin
from logcount.tokenizers.loading import load_tokenizer
from logcount.tokenizers.store import TokenizerStore

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from logcount.tokenizers.fetch.origins import TokenizerSpec
    from logcount.tokenizers.tokenizer import TransformersTokenizer

_ANY = "*"

_ROOM = 2**20
"""Bytes that the names of models that were met may take: callers can invent them."""

_NAME_BYTES = 80


class TokenizerRegistry:
    """Gives each model the first tokenizer whose pattern matches its name, without regard to case."""

    def __init__(
        self,
        specs: Sequence[TokenizerSpec],
        *,
        store: Path,
        loading: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        """Enter `loading` for as long as a tokenizer is loaded."""
        self._loading = loading
        self._specs = tuple(specs)
        self._store = TokenizerStore(store)
        self._loaded: dict[Path, TransformersTokenizer] = {}
        self._by_model: BoundedCache[str | None, TransformersTokenizer] = BoundedCache(
            _ROOM, lambda model, _tokenizer: 4 * len(model or "") + _NAME_BYTES
        )

    def __call__(self, model: str | None) -> TransformersTokenizer | None:
        """Return the tokenizer of a model, or None where no pattern matches; an unknown model matches only `*`.

        Raises:
            Misconfigured: the tokenizer is not in the store, or is not what was fetched.

        """
        tokenizer = self._by_model.get(model)
        if tokenizer is None:
            tokenizer = self._find(model)
            if tokenizer is not None:
                self._by_model.put(model, tokenizer)
        return tokenizer

    def _find(self, model: str | None) -> TransformersTokenizer | None:
        for spec in self._specs:
            if spec.pattern == _ANY or (model is not None and fnmatchcase(model.lower(), spec.pattern.lower())):
                return self._take(spec)
        return None

    def check(self) -> None:
        """See that every tokenizer is in the store, by its manifest, or in a folder of its own; nothing is loaded.

        Raises:
            Misconfigured: one is not; the text names all of them.

        """
        for spec in self._specs:
            if isinstance(spec.origin, FolderOrigin) and not self._is_here(spec) and spec.chat_template is None:
                raise Misconfigured(f'the tokenizer for "{spec.pattern}": {spec.origin.text} is no folder with one')
        missing = [f'"{spec.pattern}"' for spec in self._specs if not self._is_here(spec)]
        if missing:
            raise _not_here(missing)

    def _is_here(self, spec: TokenizerSpec) -> bool:
        return self._store.manifest(spec) is not None or own_folder(spec) is not None

    def _take(self, spec: TokenizerSpec) -> TransformersTokenizer:
        folder = own_folder(spec) or self._store.folder(spec)
        if folder not in self._loaded:
            with self._loading():
                self._loaded[folder] = load_tokenizer(folder, name=self._checked_name(spec))
        return self._loaded[folder]

    def _checked_name(self, spec: TokenizerSpec) -> str:
        """Return the label of a tokenizer that is as it was fetched."""
        if own_folder(spec) is not None:
            return spec.origin.text
        manifest = self._store.manifest(spec)
        if manifest is None:
            raise _not_here([f'"{spec.pattern}"'])
        changed = self._store.changed_files(spec, manifest)
        if changed:
            what = f'the tokenizer for "{spec.pattern}" has changed since it was fetched ({", ".join(changed)})'
            raise Misconfigured(f"{what}: run `logcount tokenizers fetch`")
        return manifest.name


def own_folder(spec: TokenizerSpec) -> Path | None:
    """Return the folder that the settings name, if it is here and is used as it is: it need not be fetched."""
    if not isinstance(spec.origin, FolderOrigin) or spec.chat_template is not None:
        return None
    return spec.origin.path if holds_tokenizer(spec.origin.path) else None


def _not_here(patterns: list[str]) -> Misconfigured:
    noun, verb = ("tokenizer", "is") if len(patterns) == 1 else ("tokenizers", "are")
    which = ", ".join(patterns)
    return Misconfigured(f"the {noun} for {which} {verb} not here: run `logcount tokenizers fetch`")
