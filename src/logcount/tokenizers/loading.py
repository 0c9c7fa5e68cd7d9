"""Loads a tokenizer from a folder with transformers, silently and without the network."""

from __future__ import annotations

import json
import logging
import os
import threading
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from logcount.errors import Misconfigured
from logcount.tokenizers.freeing import give_back

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from logcount.tokenizers.tokenizer import TransformersTokenizer

_OFFLINE = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1"}
_QUIET = {"TRANSFORMERS_VERBOSITY": "error", "TRANSFORMERS_NO_ADVISORY_WARNINGS": "1"}
_one_at_a_time = threading.Lock()  # what is set aside while loading belongs to the whole process
_SPENT = ("_vocab", "_merges")
"""What some classes of transformers built their backend from, and keep: 40 MB of Qwen's that nothing reads again."""
_REASON_LENGTH = 200  # characters of a foreign message that is shown; some of them fill a screen


def load_tokenizer(folder: Path, *, name: str) -> TransformersTokenizer:
    """Load the tokenizer that lies in a folder, as `AutoTokenizer` would, and never from anywhere else.

    `name` is the label that is written beside its counts. Code that comes with a tokenizer is not run.

    Raises:
        Misconfigured: the folder holds no tokenizer that can be loaded.

    """
    if not folder.is_dir():
        raise Misconfigured(f"{folder} is not a folder: a tokenizer's folder is expected")
    with _one_at_a_time, _offline(), _quiet():
        from logcount.tokenizers.tokenizer import TransformersTokenizer  # noqa: PLC0415  (half a second and 70 MB)

        loaded = _auto_tokenizer(folder)
        if loaded.chat_template is None:
            loaded.chat_template = _processor_template(folder)
        for spent in _SPENT:
            vars(loaded).pop(spent, None)
        give_back()
        return TransformersTokenizer(loaded, name=name)


def transformers_version() -> str:
    """Return the version of the installed transformers, without importing it."""
    from importlib.metadata import version  # noqa: PLC0415  (needed by fetch only)

    return version("transformers")


def _auto_tokenizer(folder: Path) -> Any:
    from tokenizers import Tokenizer  # noqa: PLC0415  (comes with transformers)
    from transformers import AutoTokenizer  # noqa: PLC0415

    try:
        loaded: Any = AutoTokenizer.from_pretrained(str(folder), local_files_only=True, trust_remote_code=False)
    except Exception as error:  # transformers and tokenizers raise everything from KeyError to bare Exception
        reason = " ".join(f"{type(error).__name__}: {error}".split())[:_REASON_LENGTH]
        raise Misconfigured(f"{folder} holds no tokenizer that can be loaded ({reason})") from error
    backend = getattr(loaded, "backend_tokenizer", None)
    if not isinstance(backend, Tokenizer):
        raise Misconfigured(f"{folder} holds a tokenizer without a tokenizer.json, which is not supported")
    # Without its vocabulary file transformers 5 builds an empty tokenizer, by which every text has 0 tokens.
    if not backend.encode("tokens", add_special_tokens=False).ids:
        raise Misconfigured(f"{folder} holds a tokenizer without a vocabulary: is tokenizer.json missing?")
    return loaded


def _processor_template(folder: Path) -> str | None:
    """Return the template of `chat_template.json`, which processors read and `AutoTokenizer` does not."""
    try:
        document = json.loads((folder / "chat_template.json").read_bytes())
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise Misconfigured(f"{folder / 'chat_template.json'} is not JSON") from error
    template = document.get("chat_template") if isinstance(document, dict) else None
    return template if isinstance(template, str) else None


@contextmanager
def _offline() -> Iterator[None]:
    """Make the hub's client refuse every request, whatever transformers asks of it."""
    from huggingface_hub import constants  # noqa: PLC0415  (comes with transformers)

    before = constants.HF_HUB_OFFLINE
    constants.HF_HUB_OFFLINE = True  # read at each request; the variables are read at import
    try:
        with _environment(_OFFLINE):
            yield
    finally:
        constants.HF_HUB_OFFLINE = before


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep advice on PyTorch and on old configurations off stderr: nobody who counts can act on it."""
    with _environment(_QUIET), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from transformers.utils import logging as advice  # noqa: PLC0415

        before = advice.get_verbosity()
        advice.set_verbosity(logging.ERROR)
        try:
            yield
        finally:
            advice.set_verbosity(before)


@contextmanager
def _environment(variables: dict[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
