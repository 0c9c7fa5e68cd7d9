"""A chat without usage: the prompt as its template writes it, the reply as the model wrote it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from made_up.templates import BEGUN, CHANNELS, DATED, DATING, DEAF, OPENED, PARTS, STRICT, THINKING, TRIMMING
from tiny_tokenizer import CHATML
from wire import sse

from logcount import count_exchange
from logcount.counting import Counter
from logcount.model.exchanges import Body, Exchange

if TYPE_CHECKING:
    from collections.abc import Callable

    from logcount.model.counts import Outcome, TokenCount
    from logcount.tokenizers import TransformersTokenizer

    Speaking = Callable[[str | None], TransformersTokenizer]

HI = {"role": "user", "content": "Hi there"}
BRIEF = {"role": "system", "content": "Be brief."}
OPEN = "<|im_start|>user\nHi there<|im_end|>\n<|im_start|>assistant\n"


def _asked(*messages: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"model": "m", "messages": list(messages or (HI,)), **more}


def _said(content: Any = "Hello, you.", finish: Any = "stop", **message: Any) -> dict[str, Any]:
    return {"choices": [{"message": {"role": "assistant", "content": content, **message}, "finish_reason": finish}]}


def _count(outcome: Outcome) -> TokenCount:
    assert outcome.count is not None, outcome.reason
    return outcome.count


@pytest.mark.parametrize(
    ("template", "shown"),
    [
        pytest.param(CHATML, "<|im_start|>system\nBe brief.<|im_end|>\n" + OPEN, id="chatml"),
        pytest.param(THINKING, "<|im_start|>system\nBe brief.<|im_end|>\n" + OPEN, id="thinking"),
        pytest.param(
            CHANNELS, "<|start|>system<|message|>Be brief.<|end|><|start|>user<|message|>Hi there<|return|>"
            "<|start|>assistant", id="channels",
        ),
        pytest.param(
            TRIMMING, "<|endoftext|>[system]\n\nBe brief.<|im_end|>[user]\n\nHi there<|im_end|>[assistant]\n\n",
            id="trimming",
        ),
        pytest.param(PARTS, "[system]Be brief.[end][user]Hi there[end][assistant]", id="parts"),
        pytest.param(
            DATED, "Today is 29 Feb 2024.[system]Be brief.[end][user]Hi there[end][assistant]", id="dated"
        ),
    ],
)  # fmt: skip
def test_the_prompt_is_what_the_template_writes(speaking: Speaking, template: str, shown: str) -> None:
    tokenizer, date = speaking(template), datetime(2024, 2, 29, tzinfo=UTC)
    counted = _count(count_exchange(_asked(BRIEF, HI), _said(), time=date, tokenizer=tokenizer))
    assert counted.prompt == tokenizer.count(shown)
    assert counted.completion == tokenizer.count("Hello, you.") + 1
    assert counted.total == counted.prompt + counted.completion
    assert counted.tokenizer == f"tiny {tokenizer.fingerprint}"


@pytest.mark.parametrize("template", [CHATML, TRIMMING, PARTS, DATED, STRICT, DEAF])
def test_a_chat_whose_text_is_all_there_is_counted_whole(speaking: Speaking, template: str) -> None:
    outcome = count_exchange(_asked(), _said(), tokenizer=speaking(template))
    assert _count(outcome).counted_by == "tokenizer"
    assert outcome.reason is None


@pytest.mark.parametrize(
    ("finish", "more", "stop", "by"),
    [
        pytest.param("stop", {}, 1, "tokenizer", id="stop"),
        pytest.param("eos_token", {}, 1, "tokenizer", id="end of text"),
        pytest.param("length", {}, 0, "tokenizer", id="length"),
        pytest.param("tool_calls", {}, 1, "tokenizer", id="tool calls"),
        pytest.param("content_filter", {}, 0, "partial", id="filtered"),
        pytest.param(None, {}, 0, "partial", id="nobody said"),
        pytest.param("gremlins", {}, 0, "partial", id="another reason"),
        pytest.param({"type": "stop"}, {}, 0, "partial", id="no reason"),
        pytest.param("stop", {"stop": ["END"]}, 1, "partial", id="perhaps a stop string"),
        pytest.param("stop", {"stop": []}, 1, "tokenizer", id="no stop strings"),
        pytest.param("length", {"stop": ["END"]}, 0, "tokenizer", id="no stop string at a limit"),
    ],
)
def test_the_stop_token_counts_where_the_model_stopped_by_itself(
    tiny: TransformersTokenizer, finish: Any, more: dict[str, Any], stop: int, by: str
) -> None:
    counted = _count(count_exchange(_asked(**more), _said(finish=finish), tokenizer=tiny))
    assert (counted.completion, counted.counted_by) == (tiny.count("Hello, you.") + stop, by)


@pytest.mark.parametrize(("met", "by"), [(None, "tokenizer"), (151645, "tokenizer"), ("END", "partial")])
def test_vllm_says_at_what_it_stopped(tiny: TransformersTokenizer, met: Any, by: str) -> None:
    body = _said()
    body["choices"][0]["stop_reason"] = met
    counted = _count(count_exchange(_asked(stop=["END"]), body, tokenizer=tiny))
    assert (counted.completion, counted.counted_by) == (tiny.count("Hello, you.") + 1, by)


def test_every_choice_counts(tiny: TransformersTokenizer) -> None:
    choices = [
        {"index": 1, "message": {"content": "Hello."}, "finish_reason": "stop"},
        {"index": 0, "message": {"content": "Good morning to you"}, "finish_reason": "length"},
    ]
    counted = _count(count_exchange(_asked(n=2), {"choices": choices}, tokenizer=tiny))
    assert counted.prompt == tiny.count(OPEN)
    assert counted.completion == tiny.count("Hello.") + 1 + tiny.count("Good morning to you")


def test_a_stream_counts_what_its_pieces_make_together(tiny: TransformersTokenizer) -> None:
    pieces = [{"choices": [{"index": 0, "delta": {"content": piece}}]} for piece in ("Hel", "lo, ", "you.")]
    closing = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
    opening = {"choices": [{"index": 0, "delta": {"role": "assistant", "content": None}}], "usage": None}
    counted = _count(count_exchange(_asked(), sse(opening, *pieces, closing), tokenizer=tiny))
    assert (counted.completion, counted.counted_by) == (tiny.count("Hello, you.") + 1, "tokenizer")


def test_a_stream_that_broke_off_counts_as_far_as_it_went(tiny: TransformersTokenizer) -> None:
    pieces = [{"choices": [{"index": 0, "delta": {"content": piece}}]} for piece in ("Hel", "lo, ")]
    outcome = count_exchange(_asked(), sse(*pieces, done=False), tokenizer=tiny)
    assert (_count(outcome).completion, _count(outcome).counted_by) == (tiny.count("Hello, "), "partial")
    assert outcome.reason == "the reply did not come to its end"


def test_a_template_that_refuses_leaves_the_prompt_unknown(speaking: Speaking) -> None:
    outcome = count_exchange(_asked(BRIEF, HI), _said(), tokenizer=speaking(STRICT))
    counted = _count(outcome)
    assert (counted.prompt, counted.counted_by) == (None, "partial")
    assert outcome.reason == "the chat template refuses this conversation"


def test_a_tokenizer_without_a_template_counts_no_chat_whole(speaking: Speaking) -> None:
    outcome = count_exchange(_asked(), _said(), tokenizer=speaking(None))
    assert (_count(outcome).prompt, _count(outcome).counted_by) == (None, "partial")


def test_a_template_that_leaves_out_a_message_counts_less_than_was_said(speaking: Speaking) -> None:
    outcome = count_exchange(_asked(BRIEF, HI), _said(), tokenizer=speaking(DEAF))
    assert _count(outcome).counted_by == "partial"
    assert outcome.reason == "the chat template leaves out a message"


@pytest.mark.parametrize(
    ("template", "more", "text", "by"),
    [
        pytest.param(THINKING, {}, "Hello.", "partial", id="its thinking is not shown"),
        pytest.param(THINKING, {}, "<think>\nHm.\n</think>\n\nHello.", "tokenizer", id="its thinking is in the text"),
        pytest.param(THINKING, {"chat_template_kwargs": {"enable_thinking": False}}, "Hello.", "tokenizer", id="off"),
        pytest.param(THINKING, {"chat_template_kwargs": {"enable_thinking": True}}, "Hello.", "partial", id="on"),
        pytest.param(CHANNELS, {}, "Hello.", "partial", id="its channel is not shown"),
        pytest.param(OPENED, {}, "Hello.", "partial", id="its thinking is forgotten"),
    ],
)
def test_hidden_reasoning_makes_a_count_a_lower_bound(
    speaking: Speaking, template: str, more: dict[str, Any], text: str, by: str
) -> None:
    tokenizer = speaking(template)
    counted = _count(count_exchange(_asked(**more), _said(text), tokenizer=tokenizer))
    assert counted.counted_by == by
    assert counted.completion == tokenizer.count(text) + 1


def test_the_options_of_one_call_say_nothing_of_the_next(speaking: Speaking) -> None:
    tokenizer = speaking(THINKING)
    counter = Counter(lambda _: tokenizer)
    for thinking, by in ((False, "tokenizer"), (True, "partial"), (False, "tokenizer")):
        asked = _asked(chat_template_kwargs={"enable_thinking": thinking})
        outcome = counter.count(Exchange("call", request=Body(asked), response=Body(_said())))
        assert _count(outcome).counted_by == by


@pytest.mark.parametrize("key", ["reasoning_content", "reasoning"])
def test_visible_reasoning_counts_as_the_template_writes_it(speaking: Speaking, key: str) -> None:
    tokenizer = speaking(THINKING)
    counted = _count(count_exchange(_asked(), _said("Hello.", **{key: "Hm, well."}), tokenizer=tokenizer))
    written = "<think>\nHm, well.\n</think>\n\nHello."
    assert (counted.completion, counted.counted_by) == (tokenizer.count(written) + 1, "tokenizer")


def test_a_thought_that_the_prompt_opens_counts_from_where_it_was_opened(speaking: Speaking) -> None:
    tokenizer = speaking(BEGUN)
    counted = _count(count_exchange(_asked(), _said("Hello.", reasoning_content="Hm, well."), tokenizer=tokenizer))
    assert counted.prompt == tokenizer.count(OPEN + "<think>\n")
    written = "Hm, well.\n</think>\n\nHello."
    assert (counted.completion, counted.counted_by) == (tokenizer.count(written) + 1, "tokenizer")


def test_reasoning_that_the_template_leaves_out_makes_a_lower_bound(speaking: Speaking) -> None:
    tokenizer = speaking(TRIMMING)
    counted = _count(count_exchange(_asked(), _said("Hello.", reasoning="Hm, well."), tokenizer=tokenizer))
    assert counted.counted_by == "partial"
    assert counted.completion == tokenizer.count("Hm, well.") + tokenizer.count("Hello.") + 1


def test_a_developers_message_is_the_systems_to_a_template_that_knows_none(tiny: TransformersTokenizer) -> None:
    developer = count_exchange(_asked(BRIEF | {"role": "developer"}, HI), _said(), tokenizer=tiny)
    assert developer.count == count_exchange(_asked(BRIEF, HI), _said(), tokenizer=tiny).count


@pytest.mark.parametrize(
    ("template", "shown"),
    [
        pytest.param(CHATML, "<|im_start|>user\nHi\nthere<|im_end|>\n<|im_start|>assistant\n", id="joined"),
        pytest.param(PARTS, "[user](Hi)(there)[end][assistant]", id="read"),
    ],
)
def test_content_in_parts_is_read_as_the_template_reads_it(speaking: Speaking, template: str, shown: str) -> None:
    tokenizer = speaking(template)
    message = {"role": "user", "content": [{"type": "text", "text": "Hi"}, {"type": "text", "text": "there"}]}
    counted = _count(count_exchange(_asked(message), _said(), tokenizer=tokenizer))
    assert (counted.prompt, counted.counted_by) == (tokenizer.count(shown), "tokenizer")


def test_parts_of_text_are_of_the_type_text_to_a_template_whatever_the_api_calls_them(speaking: Speaking) -> None:
    tokenizer = speaking(PARTS.replace("'(' + part.text + ')'", "'(' + part.text + ')' if part.type == 'text'"))
    message = {"role": "user", "content": [{"type": "input_text", "text": "Hi"}, {"type": "text", "text": "there"}]}
    counted = _count(count_exchange(_asked(message), _said(), tokenizer=tokenizer))
    assert counted.prompt == tokenizer.count("[user](Hi)(there)[end][assistant]")


def test_the_date_of_the_exchange_is_the_templates_today(speaking: Speaking) -> None:
    tokenizer = speaking(DATED)
    counts = [
        _count(count_exchange(_asked(), _said(), time=time, tokenizer=tokenizer)).prompt
        for time in (datetime(2024, 2, 29, tzinfo=UTC), datetime(2025, 12, 1, tzinfo=UTC), None)
    ]
    shown = "Today is {}.[user]Hi there[end][assistant]"
    assert counts == [tokenizer.count(shown.format(day)) for day in ("29 Feb 2024", "01 Dec 2025", "01 Jan 2026")]


def test_a_turn_that_depends_on_the_date_depends_on_that_of_the_exchange(speaking: Speaking) -> None:
    tokenizer = speaking(DATING)
    date = datetime(2024, 2, 29, tzinfo=UTC)
    counted = _count(count_exchange(_asked(), _said("Hello.", reasoning="Hm."), time=date, tokenizer=tokenizer))
    assert counted.completion == tokenizer.count("in a leap year: <think>Hm.</think>Hello.") + 1
