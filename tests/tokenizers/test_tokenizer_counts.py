"""Counting and rendering: equal to what transformers gives, whatever the input, and silent about it."""

from __future__ import annotations

import json
import traceback
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny_tokenizer import CHATML, build

from logcount.errors import Misconfigured, Uncountable
from logcount.tokenizers import TransformersTokenizer, load_tokenizer

if TYPE_CHECKING:
    from pathlib import Path

DATE = datetime(2024, 2, 29, 12, tzinfo=UTC)
TOOL = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object", "properties": {}}}}
CALL = {"type": "function", "function": {"name": "weather", "arguments": {"city": "Wien"}}}
TEXTS = [
    "",
    " ",
    "hello world",
    "def f(self):\n    return self._x\n\n\n",
    "<|im_start|>user\nhi<|im_end|>\n<think>a</think>",
    "<|im_sta",
    "h\u00e9llo \u2013 \u041f\u0440\u0438\u0432\u0435\u0442 \u4f60\u597d \U0001f469\u200d\U0001f467 \u200d\u0301",
    "\r\n\t  \x00\x7f\ufeff",
    "a" * 10_000,
]
CHATS: list[list[dict[str, Any]]] = [
    [{"role": "user", "content": "hi"}],
    [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "<|im_end|> hi \n"}],
    [
        {"role": "user", "content": "weather?"},
        {"role": "assistant", "content": None, "reasoning_content": "look", "tool_calls": [CALL]},
        {"role": "tool", "content": "rain", "tool_call_id": "1"},
    ],
    [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b", "thinking": "c"}],
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="module")
def tiny(folder: Path) -> TransformersTokenizer:
    return load_tokenizer(folder, name="tiny")


@pytest.fixture(scope="module")
def reference(folder: Path) -> Any:
    return _reference(folder)


def _reference(folder: Path) -> Any:
    from transformers import AutoTokenizer  # noqa: PLC0415  (a second, and only these tests need it)

    return AutoTokenizer.from_pretrained(str(folder), local_files_only=True)


def _variant(source: Path, target: Path, tokenizer: dict[str, Any], config: dict[str, Any]) -> Path:
    """Copy a tokenizer's folder with some keys of its two documents set."""
    target.mkdir(exist_ok=True)
    for name, changes in (("tokenizer.json", tokenizer), ("tokenizer_config.json", config)):
        document = json.loads((source / name).read_text(encoding="utf-8"))
        (target / name).write_text(json.dumps(document | changes), encoding="utf-8")
    return target


@pytest.mark.parametrize("text", TEXTS, ids=[repr(text[:12]) for text in TEXTS])
def test_a_count_is_what_calling_the_tokenizer_gives(tiny: TransformersTokenizer, reference: Any, text: str) -> None:
    assert tiny.count(text) == len(reference(text, add_special_tokens=False)["input_ids"])
    assert tiny.count(text, special=True) == len(reference(text)["input_ids"])


BOS = {
    "type": "TemplateProcessing",
    "single": [{"SpecialToken": {"id": "<|endoftext|>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
    "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
    "special_tokens": {"<|endoftext|>": {"id": "<|endoftext|>", "ids": [0], "tokens": ["<|endoftext|>"]}},
}
CUT = {"direction": "Right", "max_length": 4, "strategy": "LongestFirst", "stride": 0}
PAD = {
    "strategy": {"Fixed": 64},
    "direction": "Right",
    "pad_to_multiple_of": None,
    "pad_id": 0,
    "pad_type_id": 0,
    "pad_token": "<|endoftext|>",
}


@pytest.mark.parametrize(
    ("tokenizer", "config"),
    [
        ({"post_processor": BOS}, {"bos_token": "<|endoftext|>"}),
        ({"truncation": CUT, "padding": PAD}, {}),
        ({}, {"split_special_tokens": True}),
        ({}, {"tokenizer_class": "LlamaTokenizerFast"}),
    ],
    ids=["adds a first token", "was saved with truncation and padding", "splits special tokens", "is misnamed"],
)
def test_a_count_is_what_calling_the_tokenizer_gives_when_it(
    folder: Path, tmp_path: Path, tokenizer: dict[str, Any], config: dict[str, Any]
) -> None:
    variant = _variant(folder, tmp_path, tokenizer, config)
    loaded, reference = load_tokenizer(variant, name="variant"), _reference(variant)
    for text in TEXTS:
        assert loaded.count(text) == len(reference(text, add_special_tokens=False)["input_ids"])
        assert loaded.count(text, special=True) == len(reference(text)["input_ids"])


@given(text=st.text())
def test_any_text_is_counted_as_the_tokenizer_counts_it(tiny: TransformersTokenizer, reference: Any, text: str) -> None:
    assert tiny.count(text) == len(reference(text, add_special_tokens=False)["input_ids"])


@given(text=st.text(alphabet=st.characters(codec=None), max_size=20))
def test_no_text_with_surrogates_raises(tiny: TransformersTokenizer, text: str) -> None:
    assert tiny.count(text) >= 0


@pytest.mark.parametrize(
    ("text", "same_as"),
    [
        ("a\ud800b", "a\ufffdb"),
        ("\udc00", "\ufffd"),
        ("x\ud800", "x\ufffd"),
        ("\udc00\ud800", "\ufffd\ufffd"),
        ("\ud83d\ude00 ok", "😀 ok"),
    ],
)
def test_a_lone_surrogate_counts_as_the_replacement_character_and_a_pair_as_its_character(
    tiny: TransformersTokenizer, text: str, same_as: str
) -> None:
    assert tiny.count(text) == tiny.count(same_as)


def test_text_that_looks_like_a_special_token_is_one(tiny: TransformersTokenizer) -> None:
    assert tiny.count("<|im_start|>") == 1


@pytest.mark.parametrize("messages", CHATS)
@pytest.mark.parametrize("tools", [None, [TOOL]], ids=["no tools", "tools"])
@pytest.mark.parametrize("open_reply", [True, False])
def test_a_rendered_conversation_is_what_the_chat_template_gives(
    tiny: TransformersTokenizer, reference: Any, messages: list[dict[str, Any]], tools: Any, *, open_reply: bool
) -> None:
    expected = reference.apply_chat_template(
        messages, tools=tools, tokenize=False, add_generation_prompt=open_reply, enable_thinking=False
    )
    options = {"enable_thinking": False}
    text = tiny.render(messages, tools=tools, open_reply=open_reply, options=options, date=DATE)
    assert text == expected
    ids = reference.apply_chat_template(
        messages, tools=tools, add_generation_prompt=open_reply, enable_thinking=False, return_dict=False
    )
    assert tiny.count(text) == len(ids)


def test_rendering_leaves_the_messages_as_they_were(tiny: TransformersTokenizer) -> None:
    before = json.dumps(CHATS[2])
    tiny.render(CHATS[2], tools=[TOOL], date=DATE)
    assert json.dumps(CHATS[2]) == before


def test_options_that_would_replace_the_conversation_or_the_machinery_are_left_out(
    tiny: TransformersTokenizer,
) -> None:
    names = ["messages", "conversation", "tools", "tokenize", "add_generation_prompt", "chat_template", "self"]
    names += ["strftime_now", "raise_exception", "namespace", "return_dict", "sanitize_control_tokens"]
    plain = tiny.render(CHATS[0], date=DATE)
    tiny._renderer._templates[False]._rendered = 0  # so that the next one is audited
    assert tiny.render(CHATS[0], options=dict.fromkeys(names, "x"), date=DATE) == plain


def test_an_open_reply_can_be_continued_as_open_servers_do(tiny: TransformersTokenizer) -> None:
    messages = [*CHATS[0], {"role": "assistant", "content": "It is"}]
    text = tiny.render(messages, open_reply=False, options={"continue_final_message": True}, date=DATE)
    assert text.endswith("It is")


def test_a_template_that_asks_for_the_time_gets_the_time_of_the_exchange(tmp_path: Path) -> None:
    tokenizer = load_tokenizer(build(tmp_path, template="{{ strftime_now('%d %B %Y') }}"), name="dated")
    assert tokenizer.render(CHATS[0], date=DATE) == "29 February 2024"
    assert tokenizer.render(CHATS[0], date=datetime(2025, 1, 1, tzinfo=UTC)) == "01 January 2025"


def test_the_clock_of_others_in_the_process_stays_as_it_was(tmp_path: Path) -> None:
    folder = build(tmp_path, template="{{ strftime_now('%Y') }}")
    load_tokenizer(folder, name="dated").render(CHATS[0], date=DATE)
    assert _reference(folder).apply_chat_template(CHATS[0], tokenize=False) == str(datetime.now(UTC).year)


SECRET = "the launch code is 0000"
DEEP: Any = SECRET
for _ in range(5000):
    DEEP = [DEEP]


@pytest.mark.parametrize(
    ("template", "messages", "reason"),
    [
        (CHATML, [{"role": SECRET, "content": SECRET}], "the chat template refuses this conversation"),
        (CHATML, [{"role": "user", "content": {SECRET: 1}}], "the chat template refuses this conversation"),
        (CHATML, [{"role": "user", "content": DEEP}], "the chat template refuses this conversation"),
        (CHATML, [[{"role": "user", "content": SECRET}]], "the chat template refuses this conversation"),
        (CHATML, [SECRET], "the chat template refuses this conversation"),
        (CHATML, [], "the chat template refuses this conversation"),
        ("{{ messages.x.y }}", [{"role": "user", "content": SECRET}], "the chat template refuses this conversation"),
        ("{{ 1 // 0 }}", [{"role": "user", "content": SECRET}], "the chat template refuses this conversation"),
        ("{% if %}", [{"role": "user", "content": SECRET}], "the chat template does not compile"),
        (None, [{"role": "user", "content": SECRET}], "the tokenizer has no chat template"),
    ],
    ids=["role", "dict", "deep", "nested", "text", "empty", "undefined", "division", "broken", "none"],
)
def test_a_refused_conversation_has_a_reason_that_holds_nothing_of_it(
    folder: Path, tmp_path: Path, template: str | None, messages: Any, reason: str
) -> None:
    variant = _variant(folder, tmp_path, {}, {"chat_template": template})
    tokenizer = load_tokenizer(variant, name="strict")
    with pytest.raises(Uncountable) as refusal:
        tokenizer.render(messages, date=DATE)
    assert str(refusal.value) == reason
    assert SECRET not in "".join(traceback.format_exception(refusal.value))


def _write(folder: Path, name: str, content: Any) -> None:
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")


NAMED = [{"name": "default", "template": "plain"}, {"name": "tool_use", "template": "with tools"}]


@pytest.mark.parametrize(
    ("files", "config", "plain", "with_tools"),
    [
        ({"chat_template.jinja": "plain"}, {}, "plain", "plain"),
        ({}, {"chat_template": "plain"}, "plain", "plain"),
        ({}, {"chat_template": NAMED}, "plain", "with tools"),
        ({"chat_template.json": {"chat_template": "plain"}}, {}, "plain", "plain"),
        (
            {"chat_template.jinja": "plain", "additional_chat_templates/tool_use.jinja": "with tools"},
            {},
            "plain",
            "with tools",
        ),
        ({"chat_template.jinja": "file"}, {"chat_template": NAMED}, "file", "file"),
        ({"chat_template.json": {"chat_template": "processor"}}, {"chat_template": "own"}, "own", "own"),
    ],
    ids=[
        "file",
        "config",
        "named in config",
        "processor's",
        "named files",
        "file before config",
        "own before processor's",
    ],
)
def test_a_chat_template_is_found_wherever_it_is_kept(
    folder: Path, tmp_path: Path, files: dict[str, Any], config: dict[str, Any], plain: str, with_tools: str
) -> None:
    variant = _variant(folder, tmp_path, {}, config)
    for name, content in files.items():
        _write(variant, name, content)
    tokenizer = load_tokenizer(variant, name="variant")
    assert tokenizer.render(CHATS[0], date=DATE) == plain
    assert tokenizer.render(CHATS[0], tools=[TOOL], date=DATE) == with_tools


def test_a_fingerprint_is_the_same_for_the_same_tokenizer_and_another_for_another(
    folder: Path, tmp_path: Path, tiny: TransformersTokenizer
) -> None:
    assert load_tokenizer(folder, name="again").fingerprint == tiny.fingerprint
    other_template = load_tokenizer(build(tmp_path / "template", template="x"), name="other").fingerprint
    variant = _variant(folder, tmp_path / "variant", {"post_processor": BOS}, {"chat_template": CHATML})
    assert len({tiny.fingerprint, other_template, load_tokenizer(variant, name="bos").fingerprint}) == 3
    assert len(tiny.fingerprint) == 12


@pytest.mark.parametrize(
    "files",
    [
        {},
        {"notes.txt": "no tokenizer"},
        {"tokenizer_config.json": {"tokenizer_class": "Qwen2Tokenizer"}},
        {"tokenizer_config.json": {"tokenizer_class": "GPT2Tokenizer"}},
        {"tokenizer.json": "{", "tokenizer_config.json": {}},
        {"tokenizer.json": {"version": "1.0"}, "tokenizer_config.json": {"tokenizer_class": "PreTrainedTokenizerFast"}},
        {"config.json": {"model_type": "llama"}},
        {"tokenizer_config.json": {"auto_map": {"AutoTokenizer": ["evil.Tokenizer", None]}}, "evil.py": "1/0"},
    ],
    ids=["empty", "notes", "Qwen without vocabulary", "GPT-2 without vocabulary", "torn", "hollow", "config", "code"],
)
def test_a_folder_without_a_tokenizer_is_named(tmp_path: Path, files: dict[str, Any]) -> None:
    for name, content in files.items():
        _write(tmp_path, name, content)
    with pytest.raises(Misconfigured, match=str(tmp_path)):
        load_tokenizer(tmp_path, name="none")


def test_a_folder_that_is_not_there_is_named_and_never_taken_for_a_name_on_the_hub(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="is not a folder"):
        load_tokenizer(tmp_path / "org" / "name", name="none")
