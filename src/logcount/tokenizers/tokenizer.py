"""A model's tokenizer and chat template: counts the tokens of texts, renders conversations.

Law 4 holds here: a count is what the backend that `AutoTokenizer` built gives, and a rendered conversation
is what `apply_chat_template` gives; nothing is approximated.
"""

from __future__ import annotations

import hashlib
import json
from functools import cached_property
from typing import Any

from logcount.templates import ChatRenderer
from logcount.tokenizers.stretches import StretchCounter

_FINGERPRINT_LENGTH = 12  # 48 bits of sha256: enough to tell tokenizers apart, short enough for a column


class TransformersTokenizer:
    """A tokenizer that `AutoTokenizer` loaded, behind the few methods that counting needs."""

    def __init__(self, loaded: Any, *, name: str) -> None:
        self.name = name
        self._loaded = loaded
        self._backend = loaded.backend_tokenizer
        # Calling the tokenizer sets these on its backend every time; here it is done once.
        self._backend.no_truncation()
        self._backend.no_padding()
        self._backend.encode_special_tokens = loaded.split_special_tokens
        self._counter = StretchCounter(self._backend, name=name)
        self._renderer = ChatRenderer(loaded, name=name)
        self.render = self._renderer.render
        """Write a conversation by the chat template; see `ChatRenderer.render`."""

    @cached_property
    def fingerprint(self) -> str:
        """Short sha256 of all that decides a count: the backend as built, the templates, the special tokens."""
        template = [self._loaded.chat_template, self._loaded.special_tokens_map]
        parts = (self._backend.to_str(), json.dumps(template, sort_keys=True, default=str))
        digest = hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass"))
        return digest.hexdigest()[:_FINGERPRINT_LENGTH]

    def count(self, text: str, *, special: bool = False) -> int:
        """Return the number of tokens of a text.

        With `special`, the tokenizer adds its own special tokens, as servers do for texts outside a chat.
        Text that looks like a special token is one, as it is to servers. A surrogate pair written as two
        halves is its character; a lone surrogate, which no tokenizer takes, is counted as U+FFFD.

        Raises:
            Uncountable: the text is longer than can be tokenized at once, and cannot be cut.

        """
        try:
            return self._count(text, special=special)
        except (TypeError, UnicodeError):
            # What the engines raise on surrogates; any other text goes through.
            return self._count(text.encode("utf-16", "surrogatepass").decode("utf-16", "replace"), special=special)

    def prepare(self) -> None:
        """Load the fast engine and try it, which takes some seconds; else it is done when enough was counted."""
        self._counter.load()

    @property
    def engine(self) -> str:
        """What counts texts now: `fast` or `reference`."""
        return self._counter.engine

    def _count(self, text: str, *, special: bool) -> int:
        if not special:
            return self._counter.count(text)
        added = self._counter.added
        return self._counter.count(text) + added if added is not None else self._counter.count_with_added(text)
