"""What of a prompt does not reach the template is named, so that a count of the rest is a lower bound."""

from __future__ import annotations

from typing import Any

import pytest

from logcount.bodies import read_request
from logcount.model.exchanges import Body

HI: dict[str, Any] = {"role": "user", "content": "Hi"}
RESULT: dict[str, Any] = {"role": "tool", "content": "42", "tool_call_id": "c1"}


def _chat(*parts: Any, **more: Any) -> dict[str, Any]:
    return {"messages": [HI, {"role": "user", "content": list(parts)}], **more}


def _asked(**more: Any) -> dict[str, Any]:
    return {"messages": [HI], **more}


def _converse(*parts: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": list(parts)}]}


def _result(*parts: Any) -> dict[str, Any]:
    return _converse({"toolResult": {"toolUseId": "c1", "content": list(parts)}})


DROPPED: list[Any] = [
    pytest.param("chat", {"messages": ["Hi", HI]}, "other input", id="messages that are none"),
    pytest.param("chat", _asked(tools=["f"]), "other input", id="tools that are none"),
    pytest.param("chat", _asked(tools={"f": {}}), "other input", id="tools that are no list"),
    pytest.param("chat", _asked(functions=["f"]), "other input", id="functions that are none"),
    pytest.param("chat", _chat({"type": "refusal", "refusal": "No."}), "other input", id="refusal"),
    pytest.param("chat", _chat({"type": "thinking", "thinking": "Hm."}), "reasoning", id="thinking"),
    pytest.param("chat", _chat({"type": "reasoning", "text": "Hm."}), "reasoning", id="reasoning"),
    pytest.param("chat", _chat({"type": "text", "text": ["a", "b"]}), "other input", id="a list for a text"),
    pytest.param("chat", _chat({"image_url": {"url": "x"}}), "other input", id="a part without a type"),
    pytest.param("chat", {"messages": [{"role": "user", "content": {"a": 1}}]}, "other input", id="an object"),
    pytest.param("chat", {"messages": [HI, RESULT | {"content": {"a": 1}}]}, "other input", id="an object of a tool"),
    pytest.param("chat", {"messages": [HI | {"content": None, "refusal": "No."}]}, "other input", id="refused"),
    pytest.param("chat", _asked(truncate_prompt_tokens=9), "truncation", id="vllm truncation"),
    pytest.param("chat", _asked(chat_template="{{ 1 }}"), "own template", id="vllm template"),
    pytest.param("chat", _asked(add_special_tokens=True), "special tokens", id="vllm special tokens"),
    pytest.param("completions", {"prompt": "Hi", "truncate_prompt_tokens": 9}, "truncation", id="completion truncated"),
    pytest.param("completions", {"prompt": "Hi", "suffix": "Ho"}, "suffix", id="suffix"),
    pytest.param("embeddings", {"input": "Hi", "truncate_prompt_tokens": -1}, "truncation", id="embedding truncated"),
    pytest.param("tgi", {"inputs": "Hi", "parameters": {"truncate": 9}}, "truncation", id="tgi truncation"),
    pytest.param("ollama", {"prompt": "Hi", "suffix": "Ho", "options": {}}, "suffix", id="ollama suffix"),
    pytest.param("anthropic", _chat({"type": "thinking", "thinking": "Hm."}), "reasoning", id="anthropic thinking"),
    pytest.param("anthropic", _chat({"type": "redacted_thinking", "data": "x"}), "reasoning", id="anthropic redacted"),
    pytest.param("anthropic", _chat({"type": "search_result", "content": []}), "other input", id="search result"),
    pytest.param("anthropic", _chat({"type": "text", "text": 5}), "other input", id="anthropic number for a text"),
    pytest.param("ollama", {"prompt": "Hi", "raw": True, "images": ["x"]}, "image", id="ollama raw image"),
    pytest.param("anthropic", _asked(tools=[{"type": "web_search"}]), "server tools", id="anthropic web search"),
    pytest.param(
        "converse",
        _converse({"text": "Hi"}, {"cachePoint": {}}) | {"toolConfig": {"tools": [{"cachePoint": {}}, {"x": {}}]}},
        "server tools",
        id="converse tools",
    ),
    pytest.param("anthropic", _asked(tools=["f"]), "other input", id="anthropic tools that are none"),
    pytest.param(
        "anthropic", _chat({"type": "tool_result", "content": {"a": 1}}), "other input", id="anthropic object of a tool"
    ),
    pytest.param("converse", _result({"json": {"a": 1}}), "other input", id="converse json"),
    pytest.param("converse", _result({"text": "a"}, {"image": {}}), "image", id="converse image of a tool"),
    pytest.param("converse", _converse({"reasoningContent": {}}), "reasoning", id="converse reasoning"),
    pytest.param("converse", _converse({"video": {}}), "video", id="converse video"),
    pytest.param("converse", {"messages": [{"role": "user", "content": "Hi"}]}, "other input", id="converse text"),
    pytest.param(
        "responses",
        {"input": [HI, {"type": "function_call_output", "call_id": "c1", "output": [{"type": "input_text"}]}]},
        "other input",
        id="responses list of a tool",
    ),
    pytest.param("responses", {"input": ["Hi", HI]}, "other input", id="responses text among items"),
    pytest.param("responses", {"input": "Hi", "prompt": {"id": "p"}}, "stored prompt", id="responses stored prompt"),
    pytest.param("responses", {"input": [HI | {"content": 5}]}, "other input", id="responses number for a content"),
    pytest.param("gemini", {"contents": [{"parts": [{"text": 5}]}]}, "other input", id="gemini number for a text"),
    pytest.param("gemini", {"contents": ["Hi", {"parts": [{"text": "a"}]}]}, "other input", id="gemini text"),
    pytest.param("cohere", {"message": "Hi", "chat_history": [{"role": "TOOL"}]}, "other input", id="cohere tool"),
]
"""Shapes of which nothing, or not all, reaches the template: a count of the rest is a lower bound."""


@pytest.mark.parametrize(
    ("api", "body", "missing"),
    [
        pytest.param(
            "responses", {"input": "Hi", "previous_response_id": "r"}, "earlier turns", id="previous response"
        ),
        pytest.param("responses", {"input": "Hi", "tools": [{"type": "web_search"}]}, "server tools", id="web search"),
        pytest.param(
            "responses",
            {"input": [{"role": "user", "content": [{"type": "input_image", "image_url": "x"}]}]},
            "image",
            id="responses image",
        ),
        pytest.param(
            "gemini", {"contents": [{"parts": [{"text": "a"}]}], "cachedContent": "c"}, "earlier turns", id="cache"
        ),
        pytest.param(
            "gemini", {"contents": [{"parts": [{"inlineData": {"data": "x"}}]}]}, "other input", id="gemini image"
        ),
        pytest.param("ollama", {"prompt": "Hi", "context": [1]}, "earlier turns", id="ollama context"),
        pytest.param("ollama", {"prompt": "Hi", "template": "x"}, "own template", id="ollama template"),
        pytest.param("ollama", {"prompt": "Hi", "images": ["x"]}, "image", id="ollama image"),
        pytest.param("cohere", {"message": "Hi", "documents": [{"text": "x"}]}, "documents", id="cohere documents"),
        pytest.param(
            "chat", {"messages": [{"role": "user", "content": ["Hi"]}]}, "other input", id="content of strings"
        ),
        *DROPPED,
    ],
)
def test_what_a_prompt_holds_beyond_text_is_named(api: str, body: Any, missing: str) -> None:
    request, _ = read_request(Body(body), api)
    assert request.prompt is not None
    assert request.prompt.missing == {missing}
