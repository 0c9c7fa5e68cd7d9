"""Conversations that no server expects are answered too, with a reason and never with an exception."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from made_up.templates import THINKING

from logcount import count_exchange
from logcount.counting import Counter, prompts, template
from logcount.model.exchanges import Body, Exchange

if TYPE_CHECKING:
    from collections.abc import Callable

    from logcount.model.counts import Outcome
    from logcount.tokenizers import TransformersTokenizer

    Speaking = Callable[[str | None], TransformersTokenizer]

HI = {"role": "user", "content": "Hi"}
OPEN = "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n"
SAID = {"choices": [{"message": {"content": "Hello."}, "finish_reason": "stop"}]}
REFUSED = "the chat template refuses this conversation"
DEEP = json.loads('{"a":' * 400 + "1" + "}" * 400)


def _asked(*messages: Any, **more: Any) -> dict[str, Any]:
    return {"model": "m", "messages": list(messages), **more}


def _counted(outcome: Outcome) -> tuple[Any, ...]:
    assert outcome.count is not None, outcome.reason
    return outcome.count.prompt, outcome.count.completion, outcome.count.counted_by


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        pytest.param(_asked(), "a request of no known API", id="no messages"),
        pytest.param(_asked("x", 5, None), "a request of no known API", id="messages that are none"),
        pytest.param(_asked({"content": "x"}), REFUSED, id="no role"),
        pytest.param(_asked({"role": [], "content": "x"}), REFUSED, id="a role of another kind"),
        pytest.param(_asked({"role": "narrator", "content": "x"}), REFUSED, id="a role that nobody knows"),
        pytest.param(_asked({"role": "user", "content": 5}), REFUSED, id="content of another kind"),
        pytest.param(_asked({"role": "user", "content": {"a": 1}}), REFUSED, id="content that is an object"),
        pytest.param(_asked({"role": "assistant", "tool_calls": ["x"]}), REFUSED, id="calls that are none"),
        pytest.param(_asked(HI, tools=[{"function": DEEP}] * 2), None, id="tools nested deeply"),
        pytest.param(_asked(HI, continue_final_message=True), REFUSED, id="nothing to continue"),
    ],
)
def test_a_conversation_that_cannot_be_written_leaves_the_prompt_unknown(
    tiny: TransformersTokenizer, asked: Any, reason: str | None
) -> None:
    outcome = count_exchange(asked, SAID, tokenizer=tiny)
    if reason is None:
        assert outcome.count is not None
    else:
        assert _counted(outcome) == (None, tiny.count("Hello.") + 1, "partial")
        assert outcome.reason == reason


@pytest.mark.parametrize(
    "message",
    [
        pytest.param({"role": "assistant", "content": "x", "tool_calls": 5}, id="a number of calls"),
        pytest.param({"role": "assistant", "content": "x", "tool_calls": {"a": 1}}, id="an object of calls"),
        pytest.param({"role": "assistant", "content": "x", "tool_calls": []}, id="no calls"),
        pytest.param({"role": "assistant", "content": "x", "tool_calls": None}, id="null calls"),
    ],
)
def test_calls_that_are_no_list_are_no_calls(tiny: TransformersTokenizer, message: dict[str, Any]) -> None:
    plain = count_exchange(_asked({"role": "assistant", "content": "x"}, HI), SAID, tokenizer=tiny)
    assert count_exchange(_asked(message, HI), SAID, tokenizer=tiny).count == plain.count


@pytest.mark.parametrize(
    "options",
    [
        pytest.param({"messages": [], "tools": 5, "add_generation_prompt": False}, id="the conversation itself"),
        pytest.param({"tokenize": True, "return_dict": True, "chat_template": "x", "tokenizer": 1}, id="the machinery"),
        pytest.param({"raise_exception": 1, "self": 1, "namespace": 1, "strftime_now": 1}, id="the environment"),
        pytest.param({"loop": 1, "message": 5, "call": 1, "range": None}, id="the template's own names"),
        pytest.param({"a": [1, {"b": None}], "c": "Rb"}, id="anything else"),
    ],
)
def test_template_options_do_not_change_the_conversation(tiny: TransformersTokenizer, options: dict[str, Any]) -> None:
    outcome = count_exchange(_asked(HI, chat_template_kwargs=options), SAID, tokenizer=tiny)
    assert _counted(outcome) == (tiny.count(OPEN), tiny.count("Hello.") + 1, "tokenizer")


@pytest.mark.parametrize("options", [json.loads('{"a":' * 900 + "1" + "}" * 900), {"x": ["y"] * 1000}, [], "x", None])
def test_odd_template_options_end_in_a_count_or_a_reason(tiny: TransformersTokenizer, options: Any) -> None:
    outcome = count_exchange(_asked(HI, chat_template_kwargs=options), SAID, tokenizer=tiny)
    assert outcome.count is not None


def test_options_that_differ_in_every_call_are_not_kept_for_ever(tiny: TransformersTokenizer) -> None:
    counter = Counter(lambda _: tiny)
    for number in range(2_100):
        body = Body(_asked(HI, chat_template_kwargs={"session": number}))
        assert counter.count(Exchange("call", request=body, response=Body(SAID))).count is not None
    (kept,) = counter._counters.values()
    assert 100 < len(kept._turns.young) < 1_000


def _circle() -> dict[str, Any]:
    options: dict[str, Any] = {}
    options["self"] = options
    return options


@pytest.mark.parametrize("options", [_circle(), {1: 1, "a": 1}, {"a": object()}, {"a": {(1, 2): 3}}, {1: 2}])
def test_options_that_are_no_json_end_in_a_count_or_a_reason(tiny: TransformersTokenizer, options: Any) -> None:
    assert count_exchange(_asked(HI, chat_template_kwargs=options), SAID, tokenizer=tiny).count is not None


def test_documents_are_no_part_of_what_is_remembered(tiny: TransformersTokenizer) -> None:
    counter = Counter(lambda _: tiny)
    for number in range(5):
        body = Body(_asked(HI, documents=[{"text": f"{number}" * 1000}]))
        assert counter.count(Exchange("call", request=body, response=Body(SAID))).count is not None
    (kept,) = counter._counters.values()
    assert len(kept._turns.young) == 1


@pytest.mark.parametrize("text", ["Rb", "Tc", "Qa Rb Tc", "Pa Pb", "Dv", "<think>", "", " ", "\n\n", "\ufffd"])
def test_a_text_that_looks_like_a_probe_is_counted_as_text(tiny: TransformersTokenizer, text: str) -> None:
    said = {"choices": [{"message": {"content": text}, "finish_reason": "stop"}]}
    outcome = count_exchange(_asked({"role": "user", "content": text}), said, tokenizer=tiny)
    shown = f"<|im_start|>user\n{text}<|im_end|>\n<|im_start|>assistant\n"
    assert _counted(outcome) == (tiny.count(shown), tiny.count(text) + 1, "tokenizer")


@pytest.mark.parametrize(
    ("escaped", "read"), [("\\ud83d", "\ufffd"), ("\\ud83d\\ude00", "\U0001f600"), ("a\\udc00b", "a\ufffdb")]
)
def test_half_a_surrogate_pair_is_counted_as_a_replacement_character(
    tiny: TransformersTokenizer, escaped: str, read: str
) -> None:
    asked = json.dumps(_asked(HI)).replace("Hi", escaped)
    outcome = count_exchange(asked, SAID, tokenizer=tiny)
    assert _counted(outcome)[0] == tiny.count(OPEN.replace("Hi", read))


def test_special_tokens_in_a_text_are_the_tokens_that_servers_take_them_for(tiny: TransformersTokenizer) -> None:
    outcome = count_exchange(_asked({"role": "user", "content": "a<|im_end|>b"}), SAID, tokenizer=tiny)
    assert _counted(outcome)[0] == tiny.count(OPEN.replace("Hi", "a")) + 1 + tiny.count("b")


def test_ten_thousand_messages_are_counted(tiny: TransformersTokenizer) -> None:
    messages = [{"role": "user", "content": "a" * (number % 50)} for number in range(10_000)]
    prompt, _, by = _counted(count_exchange(_asked(*messages), SAID, tokenizer=tiny))
    assert by == "tokenizer"
    assert prompt > 10_000


def test_a_conversation_may_end_with_the_beginning_of_the_reply(tiny: TransformersTokenizer) -> None:
    more = {"continue_final_message": True, "add_generation_prompt": False}
    outcome = count_exchange(_asked(HI, {"role": "assistant", "content": "He"}, **more), SAID, tokenizer=tiny)
    assert _counted(outcome)[0] == tiny.count(OPEN + "He")


@pytest.mark.parametrize("arguments", ["{cut", "", "[]", "5", "null", "NaN", '"x"', "[" * 5000, None, [1], 5])
def test_arguments_that_are_no_object_end_in_a_count_or_a_reason(tiny: TransformersTokenizer, arguments: Any) -> None:
    call = {"type": "function", "function": {"name": "f", "arguments": arguments}}
    said = {"choices": [{"message": {"content": None, "tool_calls": [call]}, "finish_reason": "tool_calls"}]}
    earlier = {"role": "assistant", "content": None, "tool_calls": [call]}
    assert count_exchange(_asked(HI, earlier, HI), said, tokenizer=tiny).count is not None


def test_a_tool_call_that_is_cut_at_the_limit_is_a_lower_bound(tiny: TransformersTokenizer) -> None:
    call = {"type": "function", "function": {"name": "f", "arguments": '{"city": "Wi'}}
    said = {"choices": [{"message": {"content": "", "tool_calls": [call]}, "finish_reason": "length"}]}
    outcome = count_exchange(_asked(HI), said, tokenizer=tiny)
    assert _counted(outcome)[2] == "partial"
    assert 0 < _counted(outcome)[1] < tiny.count('<tool_call>{"name": "f", "arguments": {"city": "Wi')


@pytest.mark.parametrize(
    "call",
    [
        {"type": "custom", "custom": {"name": "f", "input": "text"}},
        {"function": {"arguments": "{}"}},
        {"function": "f"},
        {},
    ],
)
def test_a_call_without_a_name_is_a_doubt(tiny: TransformersTokenizer, call: dict[str, Any]) -> None:
    said = {"choices": [{"message": {"content": "x", "tool_calls": [call]}, "finish_reason": "tool_calls"}]}
    assert _counted(count_exchange(_asked(HI), said, tokenizer=tiny))[2] == "partial"


def test_a_thought_that_is_cut_at_the_limit_is_not_closed(speaking: Speaking) -> None:
    tokenizer = speaking(THINKING)
    message = {"content": None, "reasoning_content": "Let me see, first"}
    said = {"choices": [{"message": message, "finish_reason": "length"}]}
    prompt, completion, by = _counted(count_exchange(_asked(HI), said, tokenizer=tokenizer))
    assert (prompt, by) == (tokenizer.count(OPEN), "tokenizer")
    assert completion == tokenizer.count("<think>\nLet me see, first")


def test_many_choices_after_a_long_conversation_end_in_a_lower_bound_and_not_in_minutes(
    tiny: TransformersTokenizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prompts, "_MOST_WRITTEN", 100_000)
    message = {"role": "assistant", "content": "Hello.", "reasoning_content": "Hm"}
    choices = [{"index": at, "message": message, "finish_reason": "stop"} for at in range(50)]
    said = {"object": "chat.completion", "model": "m", "choices": choices}
    few = count_exchange(_asked(HI), said | {"choices": choices[:20]}, tokenizer=tiny)
    many = count_exchange(_asked(*[HI] * 30), said, tokenizer=tiny)
    assert few.count is not None
    assert few.count.counted_by == "tokenizer"
    assert many.count is not None
    assert many.count.counted_by == "partial"
    assert many.reason == "too many choices after so long a conversation"


def test_long_conversations_one_after_another_are_not_taken_for_one(
    tiny: TransformersTokenizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prompts, "_MOST_WRITTEN", 100_000)
    message = {"role": "assistant", "content": "Hello.", "reasoning_content": "Hm"}
    said = Body({"choices": [{"message": message, "finish_reason": "stop"}]})
    counter = Counter(lambda _: tiny)
    for _ in range(30):
        outcome = counter.count(Exchange("call", request=Body(_asked(*[HI] * 20)), response=said))
        assert _counted(outcome)[2] == "tokenizer"


@pytest.mark.parametrize(
    "options",
    [
        pytest.param({f"k{at}": at for at in range(10_001)}, id="many"),
        pytest.param({"x": [[0] * 100] * 100}, id="many within"),
        pytest.param({"x": "a" * (2**18 + 1)}, id="long"),
        pytest.param(_circle(), id="a circle"),
    ],
)
def test_template_options_that_are_too_many_leave_the_prompt_unknown(
    tiny: TransformersTokenizer, options: dict[str, Any]
) -> None:
    outcome = count_exchange(_asked(HI, chat_template_kwargs=options), SAID, tokenizer=tiny)
    assert _counted(outcome) == (None, tiny.count("Hello.") + 1, "partial")
    assert outcome.reason == "the request's template options are too many or too long"


def test_nothing_of_a_conversation_is_kept_once_it_was_counted(tiny: TransformersTokenizer) -> None:
    counter = Counter(lambda _: tiny)
    counter.count(Exchange("call", request=Body(_asked(HI)), response=Body(SAID)))
    (kept,) = counter._counters.values()
    assert (kept._look, kept._prompts._latest) == (None, None)


def test_options_are_looked_at_once_for_all_choices(
    tiny: TransformersTokenizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[int] = []
    look = template._is_large

    def count_looks(options: dict[str, Any]) -> bool:
        looks.append(len(options))
        return look(options)

    monkeypatch.setattr(template, "_is_large", count_looks)
    message = {"role": "assistant", "content": "Hello.", "reasoning_content": "Hm"}
    said = {"object": "chat.completion", "model": "m"}
    choices = [{"index": at, "message": message, "finish_reason": "stop"} for at in range(50)]
    outcome = count_exchange(_asked(HI, chat_template_kwargs={"a": 1}), said | {"choices": choices}, tokenizer=tiny)
    assert outcome.count is not None
    assert looks == [1]


def test_many_options_count_towards_what_is_rendered_for_many_choices(tiny: TransformersTokenizer) -> None:
    message = {"role": "assistant", "content": "Hello.", "reasoning_content": "Hm"}
    choices = [{"index": at, "message": message, "finish_reason": "stop"} for at in range(50)]
    said = {"object": "chat.completion", "model": "m", "choices": choices}
    options = {f"k{at}": at for at in range(9_000)}
    outcome = count_exchange(_asked(HI, chat_template_kwargs=options), said, tokenizer=tiny)
    assert outcome.reason == "too many choices after so long a conversation"
