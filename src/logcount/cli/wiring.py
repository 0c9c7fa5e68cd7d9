"""Makes a command's objects from the settings."""

from __future__ import annotations

import logging
from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING

from logcount.counting import Counter
from logcount.envelopes.mapped import Mapped
from logcount.sources.archive import ArchiveSource, BlobAccess
from logcount.tokenizers import TokenizerRegistry, TokenizerSpec, parse_spec

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from logcount.settings import Settings


@dataclass(frozen=True, slots=True)
class Recipe:
    """The settings that counting needs; picklable, so that a worker process needs no other settings."""

    specs: tuple[TokenizerSpec, ...]
    store: Path
    mappings: tuple[Mapped, ...]
    dimensions: tuple[str, ...]

    def make_counter(self, loading: Callable[[], AbstractContextManager[None]] = nullcontext) -> Counter:
        """Return a counter with the tokenizers that the settings name, each loaded when it is first needed.

        `loading` is entered for as long as one is loaded.

        Raises:
            Misconfigured: one of them is not fetched.
        """
        registry = TokenizerRegistry(self.specs, store=self.store, loading=loading)
        registry.check()
        return Counter(registry)


def make_recipe(settings: Settings) -> Recipe:
    """Return the recipe from the settings."""
    specs, mappings = make_specs(settings), make_mappings(settings)
    return Recipe(tuple(specs), settings.tokenizer_store, tuple(mappings), settings.metrics.dimensions)


def make_counter(settings: Settings) -> Counter:
    """Return a counter with the tokenizers of the settings; raises as `Recipe.make_counter` does."""
    return make_recipe(settings).make_counter()


def make_registry(settings: Settings) -> TokenizerRegistry:
    """Return the tokenizers that the settings name."""
    return TokenizerRegistry(make_specs(settings), store=settings.tokenizer_store)


def make_specs(settings: Settings) -> list[TokenizerSpec]:
    """Return the tokenizers in the settings, in the file's order."""
    named = settings.tokenizers.items()
    return [parse_spec(pattern, one.origin, one.chat_template, base=settings.base) for pattern, one in named]


def make_mappings(settings: Settings) -> list[Mapped]:
    """Return the operator's own envelopes."""
    return [Mapped(own.name, own.match, own.fields, own.constants) for own in settings.envelopes]


def make_archive(
    paths: Sequence[str], settings: Settings, progress: Callable[[int], None] | None = None
) -> ArchiveSource:
    """Return the archive that the paths name; credentials for blobs are made only if one of them is a URL."""
    blobs = _blob_access(settings) if any("://" in path for path in paths) else None
    return ArchiveSource(paths, blobs=blobs, progress=progress)


def _blob_access(settings: Settings) -> BlobAccess:
    secret = settings.storage.connection_string
    if secret is not None:
        return BlobAccess(connection_string=secret.get_secret_value(), credential=None)
    logging.getLogger("azure").addHandler(logging.NullHandler())  # every missing credential logs a long text
    from azure.identity import DefaultAzureCredential

    return BlobAccess(connection_string=None, credential=DefaultAzureCredential())
