"""The counting engine: cut, remembered, tried and audited, and never other than the reference."""

from __future__ import annotations

import json
import logging
import re
from typing import TYPE_CHECKING, Any

import pytest
from exact.comparison import Comparison
from exact.seams import seams
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from tiny_tokenizer import build
from tokenizers import AddedToken, Regex, Tokenizer, models, normalizers, pre_tokenizers, processors

from logcount.errors import Uncountable
from logcount.tokenizers import cutting, load_tokenizer, stretches
from logcount.tokenizers.audit import LONGEST_SAMPLE, AuditedEngine
from logcount.tokenizers.cutting import Cutter, trie_pattern
from logcount.tokenizers.engine import FastEngine, ReferenceEngine, with_short_merges
from logcount.tokenizers.stretches import StretchCounter
from logcount.tokenizers.trial import trial_texts

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from logcount.tokenizers import TransformersTokenizer
    from logcount.tokenizers.engine import Engine

LIE = "the sky is green"
QWEN = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
LLAMA = QWEN.replace(r"\p{N}| ?", r"\p{N}{1,3}| ?")
O200K = (
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
    r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
    r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
DEEPSEEK = (
    r"\p{N}{1,3}",
    "[\u4e00-\u9fa5\u3040-\u309f\u30a0-\u30ff]+",
    r"""[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^"""
    "\r\n"
    r"""\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+["""
    "\r\n"
    r"""]*|\s*[\r\n]+|\s+(?!\S)|\s+""".replace(r"[\r\n]", "[\r\n]"),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="module")
def backend(folder: Path) -> Any:
    return Tokenizer.from_file(str(folder / "tokenizer.json"))


def _splitting(backend: Any, *patterns: str, normalizer: Any = None) -> Any:
    """Return the tiny tokenizer with words split as another model's are."""
    changed = Tokenizer.from_str(backend.to_str())
    splits = [pre_tokenizers.Split(Regex(pattern), behavior="isolated") for pattern in patterns]
    byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    changed.pre_tokenizer = pre_tokenizers.Sequence([*splits, byte_level])
    if normalizer is not None:
        changed.normalizer = normalizer
    return changed


def _engine(lies: Callable[[str], bool], fails: Callable[[str], bool] = lambda _: False) -> Any:
    """Return what makes a fast engine that miscounts some texts by one, and fails on some."""

    class Flawed(FastEngine):
        def count(self, text: str) -> int:
            if fails(text):
                raise RuntimeError
            return super().count(text) + lies(text)

    return Flawed


# The same as `make exact`, with a tokenizer that is trained here.


@pytest.mark.parametrize(
    "split",
    ["as it is", QWEN, LLAMA, O200K, DEEPSEEK],
    ids=["GPT-2", "Qwen", "Llama", "o200k", "DeepSeek"],
)
def test_every_count_is_that_of_plain_tokenizers(folder: Path, backend: Any, tmp_path: Path, split: Any) -> None:
    if split != "as it is":
        patterns = (split,) if isinstance(split, str) else split
        normalizer = normalizers.NFC() if split == QWEN else None
        changed = json.loads(_splitting(backend, *patterns, normalizer=normalizer).to_str())
        for file in folder.iterdir():
            (tmp_path / file.name).write_bytes(file.read_bytes())
        (tmp_path / "tokenizer.json").write_text(json.dumps(changed), encoding="utf-8")
        folder = tmp_path
    reference = Tokenizer.from_file(str(folder / "tokenizer.json"))
    result = Comparison(load_tokenizer(folder, name="tiny"), reference).run("tiny")
    assert result.engine == "fast"
    assert {name: kind.examples for name, kind in result.kinds.items() if kind.differences} == {}
    assert {"at seams", "conversations", "code points, special", "long"} <= result.kinds.keys()


# Cutting at added tokens.

CONTENTS = st.text("ab<|>\n", min_size=1, max_size=4)
TOKENS = st.lists(st.tuples(CONTENTS, st.booleans(), st.booleans()), max_size=6)
NORMALIZERS = [None, normalizers.NFC(), normalizers.Replace("b", "a"), normalizers.Sequence([])]


def _bytes_with(tokens: list[tuple[str, bool, bool]], normalizer: Any, **flags: bool) -> Any:
    """Return a tokenizer of bytes, and of words that are merged, with such added tokens."""
    vocabulary = {
        token: at
        for at, token in enumerate([*sorted(pre_tokenizers.ByteLevel.alphabet()), "ab", "aa", "ba", "<a", "<ab"])
    }
    merges = [("a", "b"), ("a", "a"), ("b", "a"), ("<", "a"), ("<", "ab")]
    made = Tokenizer(models.BPE(vocab=vocabulary, merges=merges))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    if normalizer is not None:
        made.normalizer = normalizer
    for content, normalized, special in tokens:
        added = AddedToken(content, normalized=normalized, special=special, **flags)
        (made.add_special_tokens if special else made.add_tokens)([added])
    return made


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(tokens=TOKENS, normalizer=st.sampled_from(NORMALIZERS), text=st.text("ab<|>\n \u0301", max_size=40))
@example(tokens=[("b<", False, True), ("ab", True, True)], normalizer=None, text="ab<ab")
@example(tokens=[("a", False, True), ("ab", False, True), ("abb", False, True)], normalizer=None, text="abbabaabb")
@example(tokens=[("<a>", False, True), ("\n", False, False), (">\n", False, False)], normalizer=None, text="<a>\na<a>")
@example(  # each of the following is cut wrong by a rule that lacks one of its parts
    tokens=[("<<a<", False, True), ("abab", True, False), ("ab", True, True), ("bb", False, False)],
    normalizer=None,
    text="<<a<ababbbab",
)
@example(
    tokens=[("b<", True, True), ("aa", False, False), ("ab", False, False), ("ba", True, True)],
    normalizer=None,
    text="bbab<aa",
)
@example(tokens=[("bab", True, False), ("a", False, True)], normalizer=None, text="bab")
@example(
    tokens=[("bb", True, True), ("baa<", False, True), ("a", False, False), ("<ab", True, True)],
    normalizer=None,
    text="a<abbaa<bb",
)
@example(
    tokens=[("a", False, True), ("<<", True, False), ("b", True, False), ("<a", False, True)],
    normalizer=None,
    text="<<a<a",
)
@example(tokens=[("<b", True, True), ("bb<b", True, True)], normalizer=normalizers.Replace("b", "a"), text="<bba<b")
def test_whatever_the_added_tokens_the_pieces_add_up(
    tokens: list[tuple[str, bool, bool]], normalizer: Any, text: str
) -> None:
    made = _bytes_with(tokens, normalizer)
    reference, cutter = ReferenceEngine(made), Cutter(made)
    right = reference.count(text)
    pieces = cutter.stretches(text)
    assert len(pieces) - 1 + sum(reference.count(piece) for piece in pieces) == right
    at = seams(cutter, text)
    assert at == sorted(set(at))
    assert sum(reference.count(text[a:b]) for a, b in zip([0, *at], [*at, len(text)], strict=True)) == right
    assert StretchCounter(made, name="bytes", make_fast=None).count(text) == right


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(tokens=st.sets(st.text("ab-]^\\", min_size=1, max_size=5), min_size=1), text=st.text("ab-]^\\", max_size=30))
def test_the_pattern_of_all_tokens_finds_the_leftmost_and_then_longest(tokens: set[str], text: str) -> None:
    expected, at = [], 0
    while at < len(text):
        found = max((token for token in tokens if text.startswith(token, at)), key=len, default="")
        expected += [found] if found else []
        at += len(found) or 1
    assert re.findall(trie_pattern(tokens), text) == expected


@pytest.mark.parametrize("flag", ["lstrip", "rstrip", "single_word"])
def test_no_text_is_cut_at_tokens_that_look_at_what_stands_beside_them(flag: str) -> None:
    made = _bytes_with([("<a>", False, True), ("<b>", False, True)], None, **{flag: True})
    counter = StretchCounter(made, name="bytes", make_fast=None)
    assert Cutter(made).stretches("a <a> b") == ["a <a> b"]
    for text in ("a <a> b", "x<a>b<b> ", " <b>"):
        assert counter.count(text) == ReferenceEngine(made).count(text)


def test_no_text_is_cut_where_special_tokens_are_split(backend: Any) -> None:
    split = Tokenizer.from_str(backend.to_str())
    split.encode_special_tokens = True
    counter = StretchCounter(split, name="split", patience=0)
    assert Cutter(split).stretches("a<|im_end|>") == ["a<|im_end|>"]
    assert counter.count("a<|im_end|>") == ReferenceEngine(split).count("a<|im_end|>") > 2


def test_no_text_is_cut_where_the_first_word_is_treated_as_none_other(backend: Any) -> None:
    first = Tokenizer.from_str(backend.to_str())
    first.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first")
    assert Cutter(first).stretches("<|im_end|>") == ["<|im_end|>"]


def test_words_of_ordinary_text_among_the_added_tokens_are_left_to_the_engine() -> None:
    made = _bytes_with([("<a>", False, True), ("\n", False, False), ("\n\n", False, False)], None)
    cutter = Cutter(made)
    assert cutter.stretches("b\n\nb<a>\n") == ["b\n\nb", "\n"]
    assert not cutter.complete


# Cutting long stretches.


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    split=st.sampled_from([(QWEN,), (LLAMA,), (O200K,), DEEPSEEK]),
    text=st.text(st.sampled_from("aB \n\n\r\t\xa0\u2028.'s/1\u0301é中か😀"), min_size=10, max_size=120),
)
def test_pieces_of_a_long_stretch_add_up(
    backend: Any, monkeypatch: pytest.MonkeyPatch, split: tuple[str, ...], text: str
) -> None:
    monkeypatch.setattr(cutting, "LONGEST_STRETCH", 8)
    made = _splitting(backend, *split, normalizer=normalizers.NFC() if split == (QWEN,) else None)
    pieces = list(Cutter(made).pieces(text))
    assert "".join(pieces) == text
    assert sum(ReferenceEngine(made).count(piece) for piece in pieces) == ReferenceEngine(made).count(text)


@pytest.mark.parametrize("split", [(QWEN,), (LLAMA,), (O200K,), DEEPSEEK], ids=["Qwen", "Llama", "o200k", "DeepSeek"])
def test_a_long_text_of_lines_is_cut_where_its_words_are_split_in_a_known_way(
    backend: Any, split: tuple[str, ...]
) -> None:
    text = "The quick brown fox.\n" * 10_000
    pieces = list(Cutter(_splitting(backend, *split)).pieces(text))
    assert len(pieces) == 4
    assert max(map(len, pieces)) <= cutting.LONGEST_STRETCH


def test_a_long_text_of_lines_is_left_whole_where_words_are_split_or_changed_in_another_way(backend: Any) -> None:
    text = "The quick brown fox.\n" * 10_000
    others = [
        _splitting(backend, LLAMA + "|x"),
        _splitting(backend, LLAMA, QWEN),
        _splitting(backend, LLAMA, normalizer=normalizers.Lowercase()),
    ]
    for other in others:
        assert list(Cutter(other).pieces(text)) == [text]


def test_a_stretch_that_is_too_long_and_cannot_be_cut_is_not_counted(
    backend: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stretches, "LONGEST_PIECE", 100_000)
    counter = StretchCounter(backend, name="tiny")
    with pytest.raises(Uncountable):
        counter.count("a" * 100_001)
    longest = "b" * 100_000
    assert counter.count(f"{longest}<|im_end|>{longest}") == 2 * counter.count(longest) + 1
    with pytest.raises(Uncountable):
        counter.count_with_added(longest + "b")
    assert counter.count_with_added(longest) == counter.count(longest)


@pytest.mark.parametrize("flag", ["use_regex", "add_prefix_space"])
def test_a_long_text_of_lines_is_left_whole_where_bytes_are_more_than_written_out(backend: Any, flag: str) -> None:
    made = _splitting(backend, LLAMA)
    flags = {"use_regex": False, "add_prefix_space": False, flag: True}
    split = pre_tokenizers.Split(Regex(LLAMA), "isolated")
    made.pre_tokenizer = pre_tokenizers.Sequence([split, pre_tokenizers.ByteLevel(**flags)])
    text = "The quick brown fox.\n" * 10_000
    assert list(Cutter(made).pieces(text)) == [text]


def test_no_text_is_cut_for_a_model_that_drops_merges_at_random() -> None:
    made = _bytes_with([("<a>", False, True)], None)
    assert Cutter(made).stretches("x<a>") == ["x", ""]
    made.model.dropout = 0.5
    assert Cutter(made).stretches("x<a>") == ["x<a>"]


def test_where_the_proof_fails_for_this_version_no_text_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cutting, "_sharing", lambda *_: set())
    made = _bytes_with([("b<", False, True), ("ab", True, True)], None)
    assert Cutter(made).stretches("aab<") == ["a", "<"]
    counter = StretchCounter(made, name="bytes", make_fast=None)
    assert counter.count("aab<") == ReferenceEngine(made).count("aab<") == 2


# The trial.


def test_the_trial_is_the_same_each_time_and_some_thousand_texts() -> None:
    added = ["<|im_start|>", "\n\n"]
    assert list(trial_texts(added)) == list(trial_texts(added))
    assert 5_000 < len(set(trial_texts(added))) < 20_000


FLAWS: dict[str, Callable[[str], bool]] = {
    "counts digits otherwise": lambda text: "1234" in text,
    "has older tables of Unicode": lambda text: any("\U0001e5d0" <= character <= "\U0001e5ff" for character in text),
    "composes otherwise": lambda text: "\u3099" in text,
    "loses count in long runs": lambda text: " " * 200 in text,
    "sees a token in half of one": lambda text: "<|im_end|" in text,
    "counts nothing as something": lambda text: not text,
}


@pytest.mark.parametrize("lies", FLAWS.values(), ids=FLAWS)
def test_an_engine_is_found_out_that(
    backend: Any, lies: Callable[[str], bool], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    counter = StretchCounter(backend, name="tiny", make_fast=_engine(lies))
    counter.load()
    assert counter.engine == "reference"
    assert "differs on" in caplog.text


def test_an_engine_that_raises_in_its_trial_does_not_count(backend: Any) -> None:
    counter = StretchCounter(backend, name="tiny", make_fast=_engine(lambda _: False, fails=lambda text: "\t" in text))
    counter.load()
    assert counter.engine == "reference"


def test_where_there_is_no_fast_engine_the_reference_counts(backend: Any, caplog: pytest.LogCaptureFixture) -> None:
    def none_here(backend: Any, *, plain: bool) -> Engine:
        raise ImportError(f"no wheel for {type(backend)}, plain or not: {plain}")

    caplog.set_level(logging.INFO)
    counter = StretchCounter(backend, name="tiny", make_fast=none_here, patience=0)
    assert counter.count("hello world") == ReferenceEngine(backend).count("hello world")
    assert counter.engine == "reference"
    assert "cannot be loaded (ImportError)" in caplog.text


def test_the_fast_engine_is_loaded_once_enough_was_counted(backend: Any) -> None:
    counter = StretchCounter(backend, name="tiny", patience=30)
    for text, engine in (("x" * 20, "reference"), ("y" * 20, "fast"), ("z" * 20, "fast")):
        assert counter.count(text) == ReferenceEngine(backend).count(text)
        assert counter.engine == engine


tokens = st.text(st.characters(exclude_categories=["Cs", "Zs"])) | st.text('",[]\\:a')


@given(merges=st.lists(st.tuples(tokens, tokens), min_size=1))
@example(merges=[(",", '"'), ('"],["', '","'), ("\\", "\\\\"), ('"merges":[[', "]]")])
def test_short_merges_are_the_same_merges(merges: list[tuple[str, str]]) -> None:
    definition = {"model": {"vocab": {'["a","b"]': 0, " ": 1}, "merges": merges}}
    written = json.dumps(definition, ensure_ascii=False, separators=(",", ":"))
    definition["model"]["merges"] = [f"{left} {right}" for left, right in merges]
    assert json.loads(with_short_merges(written)) == definition


@pytest.mark.parametrize("merges", [[["a", "b"], ["a b", "c"]], ["a b"], []])
def test_merges_that_may_hold_a_space_or_are_short_stay_as_they_are(merges: list[Any]) -> None:
    written = json.dumps({"model": {"merges": merges}}, separators=(",", ":"))
    assert with_short_merges(written) == written


def test_a_real_definition_has_short_merges_and_counts_alike(backend: Any) -> None:
    definition = backend.to_str()
    short = with_short_merges(definition)
    assert len(short) < len(definition)
    again = Tokenizer.from_str(short)
    assert again.to_str() == definition


# The audit.


def test_an_audit_that_finds_a_difference_dismisses_the_engine_and_gives_the_right_count(
    backend: Any, caplog: pytest.LogCaptureFixture
) -> None:
    counter = StretchCounter(backend, name="tiny", make_fast=_engine(lambda text: LIE in text), audited=1)
    counter.load()
    assert counter.engine == "fast"
    assert counter.count("the sky is blue") == ReferenceEngine(backend).count("the sky is blue")
    assert counter.count(LIE) == ReferenceEngine(backend).count(LIE)
    assert counter.engine == "reference"
    assert counter.count(LIE + "!") == ReferenceEngine(backend).count(LIE + "!")
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "tokenizer tiny; of the counts so far, 2 texts" in caplog.text
    assert "sky" not in caplog.text


def test_what_was_remembered_before_a_difference_is_forgotten_even_of_the_same_text(backend: Any) -> None:
    counter = StretchCounter(backend, name="tiny", make_fast=_engine(lambda text: text.endswith(LIE)), audited=1)
    counter.load()
    reference = ReferenceEngine(backend)
    long = " blue" * LONGEST_SAMPLE + LIE  # of which an audit sees a part only
    remembered = counter.count(long)
    assert counter.engine == "fast"
    assert remembered == reference.count(long) + 1
    both = f"{long}<|im_end|>{LIE}"
    assert counter.count(both) == reference.count(both)
    assert counter.engine == "reference"
    assert counter.count(long) == reference.count(long)


def test_a_difference_in_one_piece_puts_all_pieces_of_the_stretch_in_doubt(backend: Any) -> None:
    made = _splitting(backend, LLAMA)
    lies = _engine(lambda text: text.endswith(LIE + "\n"))
    counter = StretchCounter(made, name="tiny", make_fast=lies, audited=1)
    counter.load()
    whole = ("blue\n" * 13_103 + LIE + "\n") * 2 + LIE + "\n"
    assert [piece.endswith(LIE + "\n") for piece in Cutter(made).pieces(whole)] == [True] * 3
    assert counter.count(whole) == ReferenceEngine(made).count(whole)
    assert counter.count(whole) == ReferenceEngine(made).count(whole)


def test_the_very_end_of_a_long_text_is_audited_too(backend: Any) -> None:
    found: list[int] = []
    fast = _engine(lambda text: text.endswith(LIE))(backend, plain=True)
    audited = AuditedEngine(fast, ReferenceEngine(backend), dismiss=found.append, one_in=1)
    for _ in range(100):
        audited.count("x" + "y" * (LONGEST_SAMPLE - len(LIE)) + LIE)  # of which each audit leaves out one end
    assert found


def test_texts_that_never_come_again_do_not_add_up(backend: Any) -> None:
    counter = StretchCounter(backend, name="tiny", room=100_000, make_fast=None)
    for number in range(2_000):
        counter.count(f"text {number}")
    assert 50 < len(counter._counts.young) < 500


def _never(counted: int) -> None:
    raise AssertionError(f"a difference after {counted} texts")


def test_about_one_text_in_so_many_is_audited(backend: Any) -> None:
    asked = []

    class Listening(ReferenceEngine):
        def count(self, text: str, *, special: bool = False) -> int:
            asked.append(text)
            return super().count(text, special=special)

    fast = FastEngine(backend, plain=True)
    audited = AuditedEngine(fast, Listening(backend), dismiss=_never, one_in=10)
    for number in range(2_000):
        audited.count(f"text {number}")
    assert 120 < len(asked) < 320


def test_what_the_fast_engine_cannot_count_the_reference_counts(backend: Any) -> None:
    failing = _engine(lambda _: False, fails=lambda text: LIE in text)
    counter = StretchCounter(backend, name="tiny", make_fast=failing)
    counter.load()
    assert counter.count(LIE) == ReferenceEngine(backend).count(LIE)
    assert counter.engine == "fast"


@pytest.fixture(scope="module")
def both(folder: Path) -> tuple[TransformersTokenizer, TransformersTokenizer]:
    slow, fast = (load_tokenizer(folder, name="tiny") for _ in range(2))
    fast.prepare()
    assert (slow.engine, fast.engine) == ("reference", "fast")
    return slow, fast


@settings(deadline=None)
@given(text=st.text(alphabet=st.characters(codec=None), max_size=300))
@example(text="a\ud800b" * 40)
@example(text="\ud83d\ude00" * 90)
@example(text="<|im_end|>\udc00<|im_end|>")
def test_surrogates_are_counted_alike_by_both_engines(both: tuple[TransformersTokenizer, ...], text: str) -> None:
    slow, fast = both
    assert slow.count(text) == fast.count(text)


# What the post-processor adds.


def test_special_tokens_are_added_by_number_where_that_is_proven(backend: Any) -> None:
    made = Tokenizer.from_str(backend.to_str())
    end = ("<|im_end|>", made.token_to_id("<|im_end|>"))
    made.post_processor = processors.TemplateProcessing(single=f"{end[0]} $A {end[0]}", special_tokens=[end])
    assert StretchCounter(made, name="tiny").added == 2
    assert StretchCounter(backend, name="tiny").added == 0
    made.post_processor = processors.TemplateProcessing(single=f"$A {end[0]} $A", special_tokens=[end])
    assert StretchCounter(made, name="tiny").added is None
    assert Cutter(made).stretches("<|im_end|>") == ["<|im_end|>"]
    assert StretchCounter(made, name="tiny").count_with_added("a") == 3
