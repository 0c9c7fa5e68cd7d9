"""What a model visibly said, in every API's words, streamed or not."""

from __future__ import annotations

import json
from typing import Any

import pytest
from wire import frame, invoke_frame, ndjson, sse

from logcount.bodies import read_response
from logcount.model.content import Finish, Reply
from logcount.model.exchanges import Body


def _chunk(index: int = 0, finish: str | None = None, **delta: Any) -> dict[str, Any]:
    return {"choices": [{"index": index, "delta": delta, "finish_reason": finish}]}


def _call(arguments: Any, name: str = "f") -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, "arguments": arguments}}


ARGUMENTS = '{"a": 1}'
HELLO = Reply("Hello.", finish=Finish.STOP)
EITHER = Reply("Hello.", finish=Finish.STOP_EITHER)

OPENAI: list[Any] = [
    pytest.param({"choices": [{"message": {"content": "Hello."}, "finish_reason": "stop"}]}, EITHER, id="chat"),
    pytest.param(
        sse(_chunk(role="assistant", content=""), _chunk(content="Hel"), _chunk(content="lo."), _chunk(finish="stop")),
        EITHER,
        id="stream",
    ),
    pytest.param(
        {"choices": [{"message": {"content": None, "refusal": "No."}, "finish_reason": "stop"}]},
        Reply("No.", finish=Finish.STOP_EITHER),
        id="refusal",
    ),
    pytest.param(
        {"choices": [{"message": {"content": [{"type": "text", "text": "Hel"}, {"type": "text", "text": "lo."}]}}]},
        Reply("Hello."),
        id="content in parts",
    ),
    pytest.param(
        {"choices": [{"message": {"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]},
                                              {"type": "text", "text": "Hello."}]}}]},
        Reply("Hello.", "Hm."),
        id="mistral's thinking",
    ),
    pytest.param(
        sse(_chunk(reasoning_content="H"), _chunk(reasoning="m."), _chunk(content="Hello.", finish="stop")),
        Reply("Hello.", "Hm.", finish=Finish.STOP_EITHER),
        id="reasoning",
    ),
    pytest.param(
        {"choices": [{"message": {"content": "Hello.", "reasoning_content": "Hm.", "reasoning": "Hm."}}]},
        Reply("Hello.", "Hm."),
        id="reasoning under two names",
    ),
    pytest.param(
        {"choices": [{"message": {"content": None, "function_call": {"name": "f", "arguments": ARGUMENTS}},
                      "finish_reason": "function_call"}]},
        Reply(tool_calls=(_call(ARGUMENTS),), finish=Finish.STOP),
        id="function call",
    ),
    pytest.param(
        sse(_chunk(tool_calls=[{"index": 0, "id": "c1", **_call("")}]),
            _chunk(tool_calls=[{"index": 0, "function": {"arguments": ARGUMENTS}}]),
            _chunk(tool_calls=[{"index": 1, "id": "c2", **_call("{}", "g")}], finish="tool_calls")),
        Reply(tool_calls=(_call(ARGUMENTS), _call("{}", "g")), finish=Finish.STOP),
        id="tool calls",
    ),
    pytest.param(
        {"choices": [{"message": {"audio": {"data": "AAAA"}}}]}, Reply(missing=frozenset({"audio"})), id="audio"
    ),
    pytest.param({"choices": [{"text": "Hello.", "finish_reason": "length"}]}, Reply("Hello.", finish=Finish.LENGTH),
                 id="completion"),
    pytest.param({"choices": [{"text": "Hello.", "stop_reason": "stop"}]}, EITHER, id="deepseek on bedrock"),
    pytest.param({"choices": [{"finish_reason": "content_filter", "message": {}}]}, Reply(), id="filtered"),
    pytest.param(sse(_chunk(content="Hello."), {"choices": [{"delta": [], "index": []}, 5]}), Reply("Hello."),
                 id="odd chunks"),
]  # fmt: skip

OTHERS: list[Any] = [
    pytest.param(
        {"object": "response", "status": "completed", "output": [
            {"type": "reasoning", "content": [{"type": "reasoning_text", "text": "Hm."}]},
            {"type": "message", "content": [{"type": "output_text", "text": "Hello."}]},
            {"type": "function_call", "name": "f", "arguments": ARGUMENTS}]},
        Reply("Hello.", "Hm.", (_call(ARGUMENTS),), Finish.STOP),
        id="responses",
    ),
    pytest.param(
        {"object": "response", "status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"},
         "output": [{"type": "reasoning", "summary": []}, {"type": "web_search_call"}]},
        Reply(finish=Finish.LENGTH, missing=frozenset({"hidden reasoning", "other output"})),
        id="responses, hidden",
    ),
    pytest.param(
        sse({"type": "response.created", "response": {"object": "response", "output": []}},
            {"type": "response.reasoning_text.delta", "delta": "Hm."},
            {"type": "response.output_text.delta", "delta": "Hel"},
            {"type": "response.output_text.delta", "delta": "lo."}),
        Reply("Hello.", "Hm."),
        id="responses, broken off",
    ),
    pytest.param(
        {"type": "message", "stop_reason": "tool_use", "content": [
            {"type": "text", "text": "Hello."}, {"type": "tool_use", "name": "f", "input": {"a": 1}}]},
        Reply("Hello.", tool_calls=(_call({"a": 1}),), finish=Finish.STOP),
        id="anthropic",
    ),
    pytest.param(
        sse({"type": "message_start", "message": {"content": []}},
            {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
            {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hello."}},
            {"type": "content_block_start", "index": 1, "content_block": {"type": "tool_use", "name": "f"}},
            {"type": "content_block_delta", "index": 1, "delta": {"type": "input_json_delta", "partial_json": '{"a"'}},
            {"type": "content_block_delta", "index": 1, "delta": {"type": "input_json_delta", "partial_json": ": 1}"}},
            {"type": "message_delta", "delta": {"stop_reason": "max_tokens"}}),
        Reply("Hello.", tool_calls=(_call(ARGUMENTS),), finish=Finish.LENGTH),
        id="anthropic stream",
    ),
    pytest.param(
        {"type": "message", "content": [{"type": "thinking", "thinking": "Hm."}, {"type": "server_tool_use"}]},
        Reply(reasoning="Hm.", missing=frozenset({"hidden reasoning", "other output"})),
        id="anthropic, hidden",
    ),
    pytest.param({"completion": "Hello.", "stop_reason": "stop_sequence"}, Reply("Hello.", finish=Finish.STOP_STRING),
                 id="claude 2"),
    pytest.param(
        [{"candidates": [{"content": {"parts": [{"text": "Hm.", "thought": True}, {"text": "Hel"}]}}]},
         {"candidates": [{"content": {"parts": [{"text": "lo."}, {"functionCall": {"name": "f", "args": {"a": 1}}}]},
                          "finishReason": "STOP"}]}],
        Reply("Hello.", "Hm.", (_call({"a": 1}),), Finish.STOP_EITHER),
        id="gemini",
    ),
    pytest.param(
        {"candidates": [{"content": {"parts": [{"inlineData": {"data": "AAAA"}}]}, "finishReason": "MAX_TOKENS"}]},
        Reply(finish=Finish.LENGTH, missing=frozenset({"other output"})),
        id="gemini image",
    ),
    pytest.param(
        {"output": {"message": {"content": [{"text": "Hello."}, {"toolUse": {"name": "f", "input": {"a": 1}}},
         {"reasoningContent": {"reasoningText": {"text": "Hm."}}}]}}, "stopReason": "end_turn"},
        Reply("Hello.", "Hm.", (_call({"a": 1}),), Finish.STOP),
        id="converse",
    ),
    pytest.param(
        b"".join(map(frame, [
            {"contentBlockIndex": 0, "delta": {"reasoningContent": {"text": "Hm."}}},
            {"contentBlockIndex": 1, "delta": {"text": "Hello."}},
            {"contentBlockIndex": 2, "start": {"toolUse": {"name": "f", "toolUseId": "c1"}}},
            {"contentBlockIndex": 2, "delta": {"toolUse": {"input": ARGUMENTS}}},
            {"stopReason": "tool_use"}])),
        Reply("Hello.", "Hm.", (_call(ARGUMENTS),), Finish.STOP),
        id="converse stream",
    ),
    pytest.param({"generation": "Hello.", "stop_reason": "stop"}, EITHER, id="llama"),
    pytest.param(b"".join(map(invoke_frame, [{"generation": "Hel"}, {"generation": "lo.", "stop_reason": "length"}])),
                 Reply("Hello.", finish=Finish.LENGTH), id="llama stream"),
    pytest.param({"outputs": [{"text": "Hello.", "stop_reason": "stop"}]}, EITHER, id="mistral on bedrock"),
    pytest.param({"completions": [{"data": {"text": "Hello."}, "finishReason": {"reason": "endoftext"}}]}, HELLO,
                 id="jurassic"),
    pytest.param({"results": [{"outputText": "Hello.", "completionReason": "FINISH"}], "inputTextTokenCount": None},
                 HELLO, id="titan"),
    pytest.param(
        {"message": {"content": [{"type": "thinking", "thinking": "Hm."}, {"type": "text", "text": "Hello."}],
                     "tool_calls": [_call(ARGUMENTS)]}, "finish_reason": "COMPLETE", "usage": {"tokens": {}}},
        Reply("Hello.", "Hm.", (_call(ARGUMENTS),), Finish.STOP),
        id="cohere v2",
    ),
    pytest.param({"text": "Hello.", "generation_id": "g", "finish_reason": "COMPLETE"}, HELLO, id="cohere v1"),
    pytest.param(
        ndjson({"event_type": "text-generation", "text": "Hel"}, {"event_type": "text-generation", "text": "lo."},
               {"event_type": "stream-end", "finish_reason": "COMPLETE", "response": {"text": "Hello."}}),
        HELLO,
        id="cohere v1 stream",
    ),
    pytest.param(
        ndjson({"message": {"content": "Hel", "thinking": "Hm."}, "done": False},
               {"message": {"content": "lo."}, "done": True, "done_reason": "stop"}),
        Reply("Hello.", "Hm.", finish=Finish.STOP_EITHER),
        id="ollama stream",
    ),
    pytest.param({"response": "Hello.", "done": True}, EITHER, id="ollama of before 2024"),
    pytest.param(ndjson({"response": "Hello.", "done": False}, {"response": "", "done": False}), Reply("Hello."),
                 id="ollama, broken off"),
    pytest.param({"generated_text": "Hello.", "details": {"finish_reason": "eos_token"}}, HELLO, id="tgi"),
    pytest.param(
        sse({"token": {"text": "Hello.", "special": False}}, {"token": {"text": "</s>", "special": True}}, done=False),
        Reply("Hello."),
        id="tgi, broken off",
    ),
    pytest.param({"content": "Hello.", "stop": True, "stopped_eos": True}, HELLO, id="llama.cpp of before 2025"),
    pytest.param(sse({"content": "Hel", "stop": False}, {"content": "lo.", "stop": True, "stop_type": "limit"}),
                 Reply("Hello.", finish=Finish.LENGTH), id="llama.cpp stream"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "reply"), [*OPENAI, *OTHERS])
def test_the_visible_reply_is_put_together(body: Any, reply: Reply) -> None:
    response, _ = read_response(Body(body), keep_replies=True)
    assert response.replies == (reply,)


@pytest.mark.parametrize(
    ("body", "texts"),
    [
        pytest.param(
            {"choices": [{"message": {"content": "a"}}, {"message": {"content": "b"}}]}, ["a", "b"], id="chat"
        ),
        pytest.param(
            sse(_chunk(0, content="a"), _chunk(1, content="b"), _chunk(0, content="A"), _chunk(1, content="B")),
            ["aA", "bB"],
            id="stream",
        ),
        pytest.param({"choices": [{"text": "a", "index": 0}, {"text": "b", "index": 1}]}, ["a", "b"], id="completions"),
        pytest.param(
            {"candidates": [{"content": {"parts": [{"text": "a"}]}}, {"content": {"parts": [{"text": "b"}]}}]},
            ["a", "b"],
            id="gemini",
        ),
        pytest.param({"results": [{"outputText": "a"}, {"outputText": "b"}], "inputTextTokenCount": 1}, ["a", "b"],
                     id="titan"),
        pytest.param([{"generated_text": "a"}, {"generated_text": "b"}], ["a", "b"], id="tgi"),
    ],
)  # fmt: skip
def test_every_choice_is_a_reply(body: Any, texts: list[str]) -> None:
    response, _ = read_response(Body(body), keep_replies=True)
    assert [reply.text for reply in response.replies] == texts


def test_replies_are_not_put_together_where_usage_is_whole() -> None:
    body = {"choices": [{"message": {"content": "a"}}], "usage": {"prompt_tokens": 1, "completion_tokens": 1}}
    assert read_response(Body(body))[0].replies == ()


@pytest.mark.parametrize("key", ["content", "reasoning_content", "refusal"])
def test_a_cut_text_is_kept_as_far_as_it_goes(key: str) -> None:
    text = json.dumps({"choices": [{"message": {key: "Hello, you."}}]})
    response, _ = read_response(Body(text[: text.index("ou.")]))
    (reply,) = response.replies
    assert reply.text + reply.reasoning == "Hello, y"
    assert response.cut
