"""Tool calls go through the template; images, audio and files are never taken for text."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import pytest
from made_up.templates import CALLS_ENDED_OTHERWISE, PARTS, THINKING_BEFORE_CALLS, TRIMMING
from wire import sse

from logcount import count_exchange

if TYPE_CHECKING:
    from collections.abc import Callable

    from logcount.model.counts import Outcome, TokenCount
    from logcount.tokenizers import TransformersTokenizer

    Speaking = Callable[[str | None], TransformersTokenizer]

HI = {"role": "user", "content": "Weather in Wien?"}
OPEN = "<|im_start|>user\nWeather in Wien?<|im_end|>\n<|im_start|>assistant\n"
TOOL = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}
ARGUMENTS = {"city": "Wien", "days": 3}
WRITTEN = '\n<tool_call>\n{"name": "weather", "arguments": {"city": "Wien", "days": 3}}\n</tool_call>'


def _call(arguments: Any = None, **more: Any) -> dict[str, Any]:
    arguments = json.dumps(ARGUMENTS) if arguments is None else arguments
    return {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": arguments}, **more}


def _said(content: Any, *calls: Any, finish: str = "tool_calls") -> dict[str, Any]:
    message = {"role": "assistant", "content": content, "tool_calls": list(calls)}
    return {"choices": [{"message": message, "finish_reason": finish}]}


def _count(outcome: Outcome) -> TokenCount:
    assert outcome.count is not None, outcome.reason
    return outcome.count


@pytest.mark.parametrize(
    ("sent", "served"),
    [
        (
            {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}},
            {
                "type": "function",
                "function": {"name": "weather", "description": None, "parameters": {"type": "object"}},
            },
        ),
        (
            {"function": {"strict": True, "parameters": {}, "name": "now", "description": "The time"}},
            {
                "type": "function",
                "function": {"name": "now", "description": "The time", "parameters": {}, "strict": True},
            },
        ),
    ],
    ids=["no description", "another order"],
)
def test_tools_are_part_of_the_prompt_as_vllm_writes_them_out(
    tiny: TransformersTokenizer, sent: Any, served: Any
) -> None:
    counted = _count(count_exchange({"messages": [HI], "tools": [sent]}, _said("Mild."), tokenizer=tiny))
    shown = f"<|im_start|>system\n# Tools\n\n<tools>\n{json.dumps(served)}\n</tools><|im_end|>\n{OPEN}"
    assert counted.prompt == tiny.count(shown)


def test_a_template_that_leaves_out_the_tools_counts_less_than_was_sent(speaking: Speaking) -> None:
    outcome = count_exchange({"messages": [HI], "tools": [TOOL]}, _said("Mild."), tokenizer=speaking(TRIMMING))
    assert _count(outcome).counted_by == "partial"
    assert outcome.reason == "the chat template leaves out the tools"


@pytest.mark.parametrize("content", [None, ""])
@pytest.mark.parametrize("arguments", [json.dumps(ARGUMENTS), ARGUMENTS, json.dumps(ARGUMENTS, indent=1)])
def test_a_tool_call_counts_as_the_template_writes_it(
    tiny: TransformersTokenizer, content: Any, arguments: Any
) -> None:
    counted = _count(count_exchange({"messages": [HI]}, _said(content, _call(arguments)), tokenizer=tiny))
    assert (counted.completion, counted.counted_by) == (tiny.count(WRITTEN) + 1, "tokenizer")


@pytest.mark.parametrize(
    "choice", [{"tool_choice": "required"}, {"tool_choice": {"type": "function", "function": {"name": "weather"}}}]
)
def test_a_call_that_the_model_was_made_to_write_is_a_lower_bound(
    tiny: TransformersTokenizer, choice: dict[str, Any]
) -> None:
    """As vLLM has it write the bare arguments of a tool that is named, and a list of calls where some are required."""
    asked = {"messages": [HI], "tools": [TOOL], **choice}
    outcome = count_exchange(asked, _said(None, _call()), tokenizer=tiny)
    assert _count(outcome).completion == tiny.count(json.dumps(ARGUMENTS)) + 1
    assert outcome.reason == "the model was made to call a tool in the server's own form"


@pytest.mark.parametrize("choice", ["auto", "none", None])
def test_a_call_of_its_own_accord_counts_whole(tiny: TransformersTokenizer, choice: Any) -> None:
    asked = {"messages": [HI], "tools": [TOOL], "tool_choice": choice}
    assert count_exchange(asked, _said(None, _call()), tokenizer=tiny).reason is None


def test_words_before_a_tool_call_count_too(tiny: TransformersTokenizer) -> None:
    counted = _count(count_exchange({"messages": [HI]}, _said("Let me see.", _call()), tokenizer=tiny))
    assert counted.completion == tiny.count("Let me see." + WRITTEN) + 1


def test_hidden_reasoning_before_a_call_makes_a_lower_bound(speaking: Speaking) -> None:
    tokenizer = speaking(THINKING_BEFORE_CALLS)
    outcome = count_exchange({"messages": [HI]}, _said("Let me see.", _call()), tokenizer=tokenizer)
    written = 'Let me see.weather{"city": "Wien", "days": 3}'
    assert _count(outcome).completion == tokenizer.count(written) + 1
    assert outcome.reason == "hidden reasoning in the reply is not counted"


def test_a_call_that_ends_otherwise_than_a_reply_makes_a_lower_bound(speaking: Speaking) -> None:
    tokenizer = speaking(CALLS_ENDED_OTHERWISE)
    outcome = count_exchange({"messages": [HI]}, _said("Let me see.", _call()), tokenizer=tokenizer)
    written = 'Let me see.weather{"city": "Wien", "days": 3}[call]'
    assert (_count(outcome).completion, _count(outcome).counted_by) == (tokenizer.count(written), "partial")
    assert outcome.reason == "the chat template ends such a reply in its own way"


def test_a_call_that_the_template_leaves_out_makes_a_lower_bound(speaking: Speaking) -> None:
    tokenizer = speaking(TRIMMING)
    outcome = count_exchange({"messages": [HI]}, _said("Let me see.", _call()), tokenizer=tokenizer)
    visible = tokenizer.count("Let me see.") + tokenizer.count(json.dumps(ARGUMENTS))
    assert (_count(outcome).completion, _count(outcome).counted_by) == (visible + 1, "partial")
    assert outcome.reason == "the chat template leaves out a part of the reply"


def test_empty_arguments_are_an_empty_object(tiny: TransformersTokenizer) -> None:
    earlier = [{"role": "assistant", "content": None, "tool_calls": [_call(arguments)]} for arguments in ("", "{}")]
    counts = [_count(count_exchange({"messages": [HI, one]}, _said("Mild."), tokenizer=tiny)) for one in earlier]
    assert counts[0] == counts[1]


STREAMS: list[Any] = [
    pytest.param(
        [_call("", index=0), {"index": 0, "function": {"arguments": '{"city": "Wien",'}},
         {"index": 0, "function": {"arguments": ' "days": 3}'}}],
        1,
        id="openai",
    ),
    pytest.param([_call(index=0), _call(index=1, id="call_2")], 2, id="two calls"),
    pytest.param([_call(index=0), _call(index=0, id="call_2")], 2, id="two calls with one number"),
    pytest.param(
        [_call('{"city": "Wien", ', index=0),
         {"index": 0, "id": "another", "function": {"name": None, "arguments": '"days": 3}'}}],
        1,
        id="an id for every piece",
    ),
    pytest.param([_call()], 1, id="no number"),
]  # fmt: skip


@pytest.mark.parametrize(("deltas", "calls"), STREAMS)
def test_the_pieces_of_a_tool_call_are_put_together(tiny: TransformersTokenizer, deltas: list[Any], calls: int) -> None:
    chunks = [{"choices": [{"index": 0, "delta": {"tool_calls": [delta]}}]} for delta in deltas]
    closing = {"choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]}
    counted = _count(count_exchange({"messages": [HI]}, sse(*chunks, closing), tokenizer=tiny))
    assert (counted.completion, counted.counted_by) == (tiny.count(WRITTEN * calls) + 1, "tokenizer")


def test_earlier_tool_calls_are_part_of_the_prompt(tiny: TransformersTokenizer) -> None:
    earlier = {"role": "assistant", "content": None, "tool_calls": [_call()]}
    answer = {"role": "tool", "tool_call_id": "call_1", "content": "mild"}
    counted = _count(count_exchange({"messages": [HI, earlier, answer]}, _said("Mild."), tokenizer=tiny))
    shown = OPEN + WRITTEN + "<|im_end|>\n<|im_start|>user\n<tool_response>\nmild\n</tool_response><|im_end|>\n"
    assert counted.prompt == tiny.count(shown + "<|im_start|>assistant\n")


IMAGE = base64.b64encode(bytes(range(256)) * 40).decode()
MEDIA: list[Any] = [
    pytest.param(
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{IMAGE}"}}, "image", id="image_url"
    ),
    pytest.param({"type": "input_image", "image_url": f"data:image/png;base64,{IMAGE}"}, "image", id="input_image"),
    pytest.param({"type": "image", "source": {"type": "base64", "data": IMAGE}}, "image", id="anthropic"),
    pytest.param({"type": "input_audio", "input_audio": {"data": IMAGE, "format": "wav"}}, "audio", id="audio"),
    pytest.param({"type": "file", "file": {"file_data": IMAGE}}, "file", id="file"),
    pytest.param({"type": "video_url", "video_url": {"url": IMAGE}}, "video", id="video"),
    pytest.param({"type": "holograph", "data": IMAGE}, "other input", id="something new"),
]


@pytest.mark.parametrize("template", [None, PARTS])
@pytest.mark.parametrize(("part", "kind"), MEDIA)
def test_media_are_a_doubt_and_never_text(
    speaking: Speaking, tiny: TransformersTokenizer, part: dict[str, Any], kind: str, template: str | None
) -> None:
    tokenizer = tiny if template is None else speaking(template)
    text = {"type": "text", "text": "Weather in Wien?"}
    seen = count_exchange(
        {"messages": [{"role": "user", "content": [part, text]}]}, _said("Mild."), tokenizer=tokenizer
    )
    bare = count_exchange({"messages": [{"role": "user", "content": [text]}]}, _said("Mild."), tokenizer=tokenizer)
    assert _count(seen).prompt == _count(bare).prompt
    assert (_count(seen).counted_by, seen.reason) == ("partial", f"{kind} in the prompt is not counted")


def test_spoken_output_is_a_doubt() -> None:
    body = {"choices": [{"message": {"content": None, "audio": {"data": IMAGE}}, "finish_reason": "stop"}]}
    assert count_exchange({"messages": [HI]}, body).count is None


def test_spoken_output_beside_a_text_is_a_doubt(tiny: TransformersTokenizer) -> None:
    message = {"content": "Mild.", "audio": {"data": IMAGE}}
    outcome = count_exchange(
        {"messages": [HI]}, {"choices": [{"message": message, "finish_reason": "stop"}]}, tokenizer=tiny
    )
    assert _count(outcome).completion == tiny.count("Mild.") + 1
    assert outcome.reason == "audio in the reply is not counted"


@pytest.mark.parametrize(
    ("body", "key"),
    [
        pytest.param({"messages": [HI | {"images": [IMAGE]}], "options": {}}, "prompt", id="ollama chat"),
        pytest.param({"model": "m", "prompt": "Weather in Wien?", "images": [IMAGE]}, "prompt", id="ollama generate"),
    ],
)
def test_images_beside_the_text_are_a_doubt(tiny: TransformersTokenizer, body: dict[str, Any], key: str) -> None:
    reply = {"model": "m", "message": {"content": "Mild."}, "done": True, "done_reason": "stop"}
    counted = _count(count_exchange(body, reply, tokenizer=tiny))
    assert (counted.prompt, counted.counted_by) == (tiny.count(OPEN), "partial")
