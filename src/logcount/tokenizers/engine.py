"""The engines that count the tokens of a text: the reference, which is right by definition, and a fast one.

Both are built from the same backend, the one that `AutoTokenizer` runs: transformers rebuilds some tokenizers, so
that a tokenizer.json is not always what counts.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Protocol

from logcount.tokenizers.freeing import give_back

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_ID_BYTES = 4  # fastokens gives the ids of a batch as 32-bit integers


_MERGES = '"merges":[['
_PAIR = re.compile(r'\["((?:[^"\\]|\\.)*+)","((?:[^"\\]|\\.)*+)"\]')


class Engine(Protocol):
    """Counts the tokens of a text, its added tokens recognised, none added."""

    def count(self, text: str) -> int:
        """Return the number of tokens.

        Raises:
            TypeError, UnicodeError: the text holds half a surrogate pair.

        """
        ...


class ReferenceEngine:
    """Hugging Face `tokenizers`: its count is the count."""

    def __init__(self, backend: Any) -> None:
        self._encode = backend.encode_batch_fast

    def count(self, text: str, *, special: bool = False) -> int:
        """Return the number of tokens; with `special`, the post-processor adds its own."""
        # The batch of one is counted alike and keeps no offsets, which are a third of the time and memory.
        return len(self._encode([text], add_special_tokens=special)[0])


class FastEngine:
    """`fastokens`: tens of times faster; it counts only where it was tried and found equal.

    `plain` says that no text holds an added token, so that they need not be looked for.

    Raises:
        ImportError, ValueError: there is no fastokens for this platform, or it does not know this kind of tokenizer.

    """

    def __init__(self, backend: Any, *, plain: bool) -> None:
        from fastokens import Tokenizer  # noqa: PLC0415  (not on every platform)

        # From the backend's own text: a name would be looked for on the hub.
        native = _unpanicked(Tokenizer.from_json_str, with_short_merges(backend.to_str()))
        give_back()
        self._encode = native.encode_ordinary if plain else None
        self._encode_flat = native.encode_batch_flat

    def count(self, text: str) -> int:
        """Return the number of tokens.

        Raises:
            RuntimeError: the engine failed within; the reference may well count this text.

        """
        if self._encode is not None:
            return len(_unpanicked(self._encode, text))
        return len(_unpanicked(self._encode_flat, [text])[0]) // _ID_BYTES


def with_short_merges(definition: str) -> str:
    """Return a tokenizer's definition with its merges as older versions write them: `"a b"` in place of `["a","b"]`.

    Read as lists, the 450,000 merges of gpt-oss take 130 MB more for a while. They stand last in a definition. Where a
    space could be a part of a merge, and in definitions of another form, nothing is changed.
    """
    start = definition.rfind(_MERGES)
    if start < 0 or " " in definition[start:]:
        return definition
    return definition[:start] + _PAIR.sub(r'"\1 \2"', definition[start:])


def _unpanicked(call: Callable[[Any], Any], argument: object) -> Any:
    """Call into Rust, whose panics are no `Exception`, and may quote what they were given."""
    try:
        return call(argument)
    except (Exception, KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:
        raise RuntimeError(type(error).__name__) from None


def agrees(engine: Engine, reference: Engine, text: str) -> bool:
    """Whether an engine counts a text as the reference does; one that raises does not."""
    try:
        return engine.count(text) == reference.count(text)
    except Exception:  # whatever a foreigner may raise
        return False


def differences(engine: Engine, reference: Engine, texts: Iterable[str]) -> int:
    """Return the number of texts that an engine does not count as the reference does."""
    return sum(not agrees(engine, reference, text) for text in texts)
