r"""Where a text can be cut so that the tokens of its pieces add up to the tokens of the whole.

Law: a cut is made only where it is proven, from how `tokenizers` works:

1. Added tokens come first. Those that are not `normalized` are found in the text itself, leftmost and then longest;
   each stretch between two of them is normalized, split and merged without a look beyond its ends. Those that are
   `normalized` are then looked for in each stretch. So a text can be cut at all of the first kind, if none of them has
   a flag by which it looks at what stands beside it; with them at those of the second kind, if no normalizer changes
   the stretch and they share no characters with the first; and at some of them, if these share none with the others.
2. Within a stretch, between a line feed and an ASCII letter, if the pattern that splits words is one of those below.
   Each of them has letters only at the start of a match or after other letters, marks, an apostrophe, a punctuation
   mark or one character that is no line feed: no match spans the cut. What ends in a line feed is matched alike
   without what follows, for the only look ahead is tried after `\s*[\r\n]+` has failed; nothing looks behind; and
   composing characters (NFC) joins no ASCII letter to what precedes it.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

LONGEST_STRETCH = 2**16
"""Characters above which a stretch is counted in pieces: the reference needs up to 400 bytes for each."""

_NEAR = 2**12
"""Characters before the longest piece's end in which most texts begin a line."""

_LONGEST_TOKEN = 200
"""Characters of an added token: a longer one would nest the pattern of all tokens deeper than Python compiles."""

_BLANK = " \t\r\n\u2581"  # the last is how SentencePiece writes a space

_INDEPENDENT = frozenset({"BPE", "Unigram", "WordPiece", "WordLevel"})
_SPLITTERS = frozenset(
    {
        *("Sequence", "Split", "ByteLevel", "Digits", "Punctuation", "Whitespace", "WhitespaceSplit"),
        *("BertPreTokenizer", "CharDelimiterSplit", "UnicodeScripts", "Metaspace"),
    }
)
"""What splits each stretch by itself; Metaspace does, unless it treats the first one as none other (`first`)."""

_ADDERS = frozenset({"ByteLevel", "TemplateProcessing", "BertProcessing", "RobertaProcessing", "Sequence"})
"""Post-processors that add the same tokens to every text, or none; a template might repeat the text."""

_CONTRACTIONS = "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
_REST = r" ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
_UPPER, _LOWER = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"
_HEAD = r"[^\r\n\p{L}\p{N}]?"
_DEEPSEEK_WORDS = (
    r"""[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^RN\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+|"""
    r""" ?[\p{P}\p{S}]+[RN]*|\s*[RN]+|\s+(?!\S)|\s+"""
).replace("RN", "\r\n")  # that pattern has them as they are, and not escaped
_WORDS = frozenset(
    {
        (rf"{_CONTRACTIONS}|{_HEAD}\p{{L}}+|\p{{N}}|{_REST}",),  # Qwen 2, 2.5, 3
        (rf"{_CONTRACTIONS}|{_HEAD}\p{{L}}+|\p{{N}}{{1,3}}|{_REST}",),  # cl100k: Llama 3
        (
            rf"{_HEAD}{_UPPER}*{_LOWER}+{_CONTRACTIONS}?|{_HEAD}{_UPPER}+{_LOWER}*{_CONTRACTIONS}?|\p{{N}}{{1,3}}|"
            + _REST.replace(r"[\r\n]*|", r"[\r\n/]*|", 1),
        ),  # o200k: GPT-4o, gpt-oss
        (r"\p{N}{1,3}", "[\u4e00-\u9fa5\u3040-\u309f\u30a0-\u30ff]+", _DEEPSEEK_WORDS),  # DeepSeek V3
    }
)
"""The patterns, in their order, of which the second proof speaks."""

_LINE_START = re.compile(r"\n(?=[A-Za-z])")


class Cutter:
    """Cuts texts for one tokenizer: at added tokens, and long stretches between them wherever it is proven.

    `complete` says that no stretch holds an added token. With `whole`, nothing is cut.
    """

    def __init__(self, backend: Any, *, whole: bool = False) -> None:
        added = [token for token in backend.get_added_tokens_decoder().values() if token.content]
        at, inner = (set(), set()) if whole else _separators(backend, added)
        self.complete = len(at) == len(added)
        self._pattern = re.compile(trie_pattern(at)) if at else None
        self._inner = re.compile(trie_pattern(inner)) if inner else None
        if not whole and _splits_known_words(backend):
            self._inner = _LINE_START

    def stretches(self, text: str) -> list[str]:
        """Return what stands between the added tokens, one more than there are tokens; some may be empty."""
        return self._pattern.split(text) if self._pattern is not None else [text]

    def pieces(self, stretch: str) -> Iterator[str]:
        """Give a stretch in pieces of at most `LONGEST_STRETCH` characters, where it can be cut in time."""
        start = last = 0
        while len(stretch) - start > LONGEST_STRETCH:
            for found in self._inner.finditer(stretch, self._from(start)) if self._inner is not None else ():
                if found.end() - start > LONGEST_STRETCH and last > start:
                    break
                last = found.end()
            if last <= start:
                break
            yield stretch[start:last]
            start = last
        yield stretch[start:]

    def _from(self, start: int) -> int:
        """Return where to look for the next cut: near the end of a piece where lines are cut, as any may begin one."""
        return start + LONGEST_STRETCH - _NEAR if self._inner is _LINE_START else start


def _separators(backend: Any, added: list[Any]) -> tuple[set[str], set[str]]:
    """Return the added tokens at which texts are cut, and those at which they can be where there is need."""
    if backend.encode_special_tokens or not _stretches_are_independent(backend):
        return set(), set()
    if any(token.lstrip or token.rstrip or token.single_word or len(token.content) > _LONGEST_TOKEN for token in added):
        return set(), set()
    every = {token.content for token in added}
    plain = {token.content for token in added if not token.normalized}
    can = plain
    if _changes_nothing(state(backend.normalizer)):
        can = plain | (every - plain - _sharing(every - plain, plain))
    # Where white space is among them, they are words of ordinary text, and not of a template: cutting there would
    # leave stretches too short to be worth remembering.
    special = {token.content for token in added if token.special}
    wanted = can & special if any(not token.strip(_BLANK) for token in every) else can
    return _apart(wanted, every), _apart(can, every)


def _apart(tokens: set[str], every: set[str]) -> set[str]:
    """Return those of some tokens that share no characters with what is left out."""
    while torn := _sharing(tokens, every - tokens):
        tokens = tokens - torn
    return tokens


def _sharing(tokens: set[str], others: set[str]) -> set[str]:
    """Return the tokens of which an occurrence in a text can share a character with one of the others."""
    if not tokens or not others:
        return set()
    heads = {other[:size] for other in others for size in range(1, len(other) + 1)}
    tails = {other[size:] for other in others for size in range(len(other))}

    def shares(token: str) -> bool:
        size = len(token)
        if any(token[:end] in tails or token[-end:] in heads for end in range(1, size + 1)):
            return True
        inner = (token[start:end] for start in range(size) for end in range(start + 1, size + 1))
        return any(part in others for part in inner) or any(token in other for other in others)

    return {token for token in tokens if shares(token)}


def only_adds(backend: Any) -> bool:
    """Whether the post-processor leaves a text's tokens as they are, and at most puts others around them."""
    kinds = list(parts(state(backend.post_processor), "processors"))
    singles = [part["single"] for part in kinds if part["type"] == "TemplateProcessing"]
    once = all(sum("Sequence" in piece for piece in single) == 1 for single in singles)
    return once and all(part["type"] in _ADDERS for part in kinds)


def _stretches_are_independent(backend: Any) -> bool:
    kinds = list(parts(state(backend.pre_tokenizer), "pretokenizers"))
    return (
        type(backend.model).__name__ in _INDEPENDENT
        and not getattr(backend.model, "dropout", None)
        and only_adds(backend)
        and all(part["type"] in _SPLITTERS and part.get("prepend_scheme") != "first" for part in kinds)
    )


def _splits_known_words(backend: Any) -> bool:
    """Whether the words are split, and the text is changed before, as the second proof has it."""
    normalizers = {part["type"] for part in parts(state(backend.normalizer), "normalizers")}
    splitters = [part for part in parts(state(backend.pre_tokenizer), "pretokenizers") if part["type"] != "Sequence"]
    if not splitters or not normalizers <= {"NFC", "Sequence"}:
        return False
    *splits, last = splitters
    if last["type"] != "ByteLevel" or last["use_regex"] or last["add_prefix_space"]:
        return False
    return all(_isolates(part) for part in splits) and tuple(part["pattern"].get("Regex") for part in splits) in _WORDS


def _isolates(part: dict[str, Any]) -> bool:
    return part["type"] == "Split" and part["behavior"] == "Isolated" and not part["invert"]


def state(component: Any) -> dict[str, Any] | None:
    """Return a part of a backend as its tokenizer.json has it."""
    return None if component is None else json.loads(component.__getstate__())


def parts(state: dict[str, Any] | None, inner: str) -> Iterator[dict[str, Any]]:
    """Give a part of a backend, and all that it is made of under the name of `inner`."""
    if state is not None:
        yield state
        for part in state.get(inner, ()):
            yield from parts(part, inner)


def _changes_nothing(normalizer: dict[str, Any] | None) -> bool:
    return all(part["type"] == "Sequence" for part in parts(normalizer, "normalizers"))


def trie_pattern(tokens: Iterable[str]) -> str:
    """Return a regular expression that finds the leftmost and then longest of some tokens.

    Alternatives are factored by their first characters, so that the time of a search does not depend on how
    many tokens there are.
    """
    trie: dict[str, Any] = {}
    for token in tokens:
        node = trie
        for character in token:
            node = node.setdefault(character, {})
        node[""] = {}
    return _alternatives(trie)


def _alternatives(node: dict[str, Any]) -> str:
    tails: dict[str, list[str]] = {}
    for character, child in sorted(node.items()):
        if character:
            tails.setdefault(_alternatives(child), []).append(re.escape(character))
    choices = [f"{_one_of(characters)}{tail}" for tail, characters in tails.items()]
    if not choices:
        return ""
    if len(choices) == 1 and "" not in node:
        return choices[0]
    return f"(?:{'|'.join(choices)}){'?' if '' in node else ''}"


def _one_of(characters: list[str]) -> str:
    return characters[0] if len(characters) == 1 else f"[{''.join(characters)}]"
