"""The faster renderer: it is used where it is equal, given up where it is not, and never says anything else."""

from __future__ import annotations

import logging
import tracemalloc
from datetime import UTC, datetime
from itertools import permutations
from typing import TYPE_CHECKING, Any

import pytest
from tiny_tokenizer import CHATML, build

from logcount.errors import Uncountable
from logcount.templates import renderer, sandbox
from logcount.tokenizers import load_tokenizer

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from logcount.tokenizers import TransformersTokenizer

DATE = datetime(2026, 11, 28, tzinfo=UTC)
HI = {"role": "user", "content": "Hi"}
DEEP: dict[str, Any] = {}
for _ in range(100):
    DEEP = {"a": DEEP}


@pytest.fixture
def tokenizer(tmp_path: Path) -> TransformersTokenizer:
    return load_tokenizer(build(tmp_path, template=CHATML), name="tiny")


def _template(tokenizer: TransformersTokenizer) -> Any:
    tokenizer.render([HI], date=DATE)
    return tokenizer._renderer._templates[False]


def _loaded(folder: Path, template: str) -> Any:
    tokenizer = load_tokenizer(build(folder, template=template), name="tiny")
    return _template(tokenizer)


def test_an_ordinary_template_is_rendered_the_faster_way(tokenizer: TransformersTokenizer) -> None:
    assert _template(tokenizer)._fast is not None


def test_a_difference_on_the_trial_gives_the_faster_way_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(renderer, "_normalized", dict)  # keeps nulls, which apply_chat_template drops
    with caplog.at_level(logging.INFO):
        assert _loaded(tmp_path, CHATML + "{{ messages|map(attribute='name')|list }}")._fast is None
    assert "apply_chat_template renders: tiny" in caplog.text


FLAWS: dict[str, Callable[..., tuple[Any, ...]]] = {
    "loses the tools": lambda messages, _tools, opens, options: (messages, None, opens, options),
    "loses the options": lambda messages, tools, opens, _options: (messages, tools, opens, {}),
    "opens every reply": lambda messages, tools, _opens, options: (messages, tools, True, options),
    "loses the reasoning": lambda messages, *more: (
        [{key: value for key, value in message.items() if key not in renderer._REASONING} for message in messages],
        *more,
    ),
}


@pytest.mark.parametrize("changed", FLAWS.values(), ids=FLAWS)
def test_a_renderer_is_found_out_by_its_trial_that(
    tokenizer: TransformersTokenizer, monkeypatch: pytest.MonkeyPatch, changed: Callable[..., tuple[Any, ...]]
) -> None:
    render = renderer._FastTemplate.render
    monkeypatch.setattr(renderer._FastTemplate, "render", lambda self, *given: render(self, *changed(*given)))
    assert _template(tokenizer)._fast is None


@pytest.mark.parametrize("audited", [1, 2, 999])
def test_a_difference_that_the_trial_does_not_show_is_found_by_the_audit(
    tokenizer: TransformersTokenizer, caplog: pytest.LogCaptureFixture, audited: int
) -> None:
    template = _template(tokenizer)
    template._fast.render = lambda *_: "another text"
    template._rendered = audited - 1
    template._chance.random = lambda: 0.9 / audited
    right = template._reference([HI], None, True, {})
    assert tokenizer.render([HI], date=DATE) == right
    assert template._fast is None
    assert "otherwise than apply_chat_template" in caplog.text
    assert f"{audited} conversations" in caplog.text
    assert "another text" not in caplog.text


def test_the_first_conversation_is_always_audited_and_later_ones_rarely(tokenizer: TransformersTokenizer) -> None:
    template = _template(tokenizer)
    audits: list[int] = []
    reference = template._reference

    def audit(*given: Any) -> Any:
        audits.append(template._rendered)
        return reference(*given)

    template._reference = audit
    template._rendered = 0
    for _ in range(3_000):
        tokenizer.render([HI], date=DATE)
    assert audits[0] == 1
    assert 3 <= len(audits) < 60


def test_however_many_were_rendered_one_conversation_in_a_thousand_is_audited(
    tokenizer: TransformersTokenizer, caplog: pytest.LogCaptureFixture
) -> None:
    template = _template(tokenizer)
    template._fast.render = lambda *_: "another text"
    template._rendered = 10**6
    template._chance.random = lambda: 0.000_9
    assert tokenizer.render([HI], date=DATE) == template._reference([HI], None, True, {})
    assert "1000001 conversations" in caplog.text


@pytest.mark.parametrize(
    "messages",
    [
        pytest.param([{"role": "user", "content": "Hi", "x": ("a", "b")}], id="a tuple"),
        pytest.param([{"role": "user", "content": "Hi", "x": {1: "a"}}], id="a key that is no text"),
        pytest.param([{"role": "user", "content": "Hi", "x": object()}], id="an object"),
        pytest.param([{"role": "user", "content": "Hi", "x": DEEP}], id="nested deeply"),
    ],
)
def test_what_is_not_plain_json_is_for_the_reference(
    tokenizer: TransformersTokenizer, messages: list[dict[str, Any]]
) -> None:
    template = _template(tokenizer)
    assert not template._fast.takes(messages, None, {})
    assert not template._fast.takes([HI], [{"x": messages[0]["x"]}], {})
    assert not template._fast.takes([HI], None, {"x": messages[0]["x"]})
    assert tokenizer.render(messages, date=DATE) == tokenizer.render([HI], date=DATE)


def test_a_template_that_asks_for_identity_is_rendered_by_the_reference(tmp_path: Path) -> None:
    same = "{{ messages[0].content is sameas messages[1].content }}"
    tokenizer = load_tokenizer(build(tmp_path, template=same), name="tiny")
    assert tokenizer.render([HI, {"role": "user", "content": "Hi" * int("1")}], date=DATE) in {"True", "False"}
    assert tokenizer.render([HI, HI], date=DATE) == "True"


def test_a_template_that_asks_for_identity_now_and_then_is_still_right(tmp_path: Path) -> None:
    now_and_then = (
        "{% if messages|length > 60 %}{{ messages[0] is sameas messages[1] }}{% endif %}{{ messages[0].content }}"
    )
    tokenizer = load_tokenizer(build(tmp_path, template=now_and_then), name="tiny")
    assert tokenizer.render([HI], date=DATE) == "Hi"
    template = _template(tokenizer)
    assert template._fast is not None  # the trial is of shorter conversations
    template._chance.random = lambda: 1.0  # no audit
    assert tokenizer.render([HI] * 61, date=DATE) == "FalseHi"  # transformers copies each message


def test_what_a_template_raises_says_nothing_of_the_conversation(tmp_path: Path) -> None:
    refusing = "{{ raise_exception('no: ' + messages[0].content) }}"
    tokenizer = load_tokenizer(build(tmp_path, template=refusing), name="tiny")
    with pytest.raises(Uncountable) as refused:
        tokenizer.render([{"role": "user", "content": "secret"}], date=DATE)
    assert str(refused.value) == "the chat template refuses this conversation"
    assert refused.value.__cause__ is None


def test_the_json_of_a_tool_that_comes_again_is_the_same_for_each_way_to_write_it(tmp_path: Path) -> None:
    writing = (
        "{{ tools[0]|tojson }}{{ tools[0]|tojson(indent=2) }}{{ tools[0]|tojson(ensure_ascii=true) }}"
        "{{ tools[0]|tojson(sort_keys=true) }}{{ tools[0]|tojson(separators=(',', ':')) }}"
        "{{ tools[0]|tojson(indent=0) }}"
    )
    tokenizer = load_tokenizer(build(tmp_path, template=writing), name="tiny")
    tool = {"type": "function", "function": {"name": "é", "a": [1, {"b": None}]}}
    first, second = (tokenizer.render([HI], tools=[tool], date=DATE) for _ in range(2))
    template = tokenizer._renderer._templates[True]
    assert first == second == template._reference([HI], [tool], True, {})
    assert template._fast is not None


def test_the_json_of_a_value_that_is_gone_is_not_that_of_another(tmp_path: Path) -> None:
    template = _loaded(tmp_path, "{{ (messages[0].x or {})|tojson }}")
    for number in range(50):
        text = template._fast.render([{"role": "user", "x": {"number": number}}], None, True, {})
        assert text == f'{{"number": {number}}}'


def test_tools_that_never_come_again_stay_within_the_room(
    tokenizer: TransformersTokenizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(renderer, "_KNOWN_ROOM", 200_000)
    fast = _template(tokenizer)._fast
    for number in range(2_000):
        assert fast.takes([HI], [{"name": f"{number}" * 20}], {})
    assert 10 < len(fast._known.young) < 300


def test_long_tools_that_never_come_again_do_not_add_up(
    tokenizer: TransformersTokenizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = 2**20
    monkeypatch.setattr(renderer, "_KNOWN_ROOM", room)
    monkeypatch.setattr(sandbox, "JSON_ROOM", room)
    tokenizer.render([HI], tools=[{"name": "f"}], date=DATE)
    assert tokenizer._renderer._templates[True]._fast is not None
    tracemalloc.start()
    try:
        began = tracemalloc.get_traced_memory()[0]
        for number in range(300):
            tokenizer.render([HI], tools=[{"name": "f", "description": f"{number} word" * 1_000}], date=DATE)
        now = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert now - began < 2 * room


@pytest.mark.parametrize("names", list(permutations(renderer._REASONING, 2)))
def test_of_two_thoughts_that_one_is_written_which_apply_chat_template_writes(
    tmp_path: Path, names: tuple[str, str]
) -> None:
    template = _loaded(tmp_path, "{{ messages|tojson }}")
    messages = [{"role": "assistant", "content": "a", **{name: f"a thought in {name}" for name in names}}]
    assert template._fast.takes(messages, None, {})
    assert template._fast.render(messages, None, True, {}) == template._reference(messages, None, True, {})


def test_a_dated_template_keeps_the_date_of_its_exchange_when_transformers_forgot_it(tmp_path: Path) -> None:
    tokenizer = load_tokenizer(build(tmp_path, template="{{ strftime_now('%Y-%m-%d') }}"), name="tiny")
    assert tokenizer.render([HI], date=datetime(2001, 2, 2, tzinfo=UTC)) == "2001-02-02"
    template = tokenizer._renderer._templates[False]
    assert template._fast is not None  # after an audit
    template._compiled.cache_clear()
    template._fast = None
    assert tokenizer.render([HI], date=datetime(2001, 2, 3, tzinfo=UTC)) == "2001-02-03"
