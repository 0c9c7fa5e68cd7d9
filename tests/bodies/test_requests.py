"""What every API is asked becomes one conversation, or bare texts."""

from __future__ import annotations

from typing import Any

import pytest

from logcount.bodies import UNKNOWN_API, read_request
from logcount.model.content import Chat, Texts
from logcount.model.exchanges import Body

HI = {"role": "user", "content": "Hi"}
BRIEF = {"role": "system", "content": "Be brief."}
TOOL = {"type": "function", "function": {"name": "f", "description": "d", "parameters": {"type": "object"}}}
CALL = {"type": "function", "function": {"name": "f", "arguments": {"a": 1}}}
RESULT = {"role": "tool", "content": "42", "tool_call_id": "c1"}

CHATS: list[Any] = [
    pytest.param("chat", {"messages": [BRIEF, HI], "tools": [TOOL]}, Chat([BRIEF, HI], [TOOL]), id="openai"),
    pytest.param("chat", {"messages": [HI], "tools": []}, Chat([HI]), id="no tools"),
    pytest.param("chat", {"messages": [HI], "functions": [TOOL["function"]]}, Chat([HI], [TOOL | {}]), id="functions"),
    pytest.param(
        "chat",
        {"messages": [HI], "reasoning_effort": "low", "chat_template_kwargs": {"enable_thinking": False}},
        Chat([HI], options={"enable_thinking": False, "reasoning_effort": "low"}),
        id="options",
    ),
    pytest.param(
        "chat",
        {"messages": [HI], "add_generation_prompt": False, "continue_final_message": True},
        Chat([HI], options={"continue_final_message": True}, open_reply=False),
        id="a reply to be continued",
    ),
    pytest.param(
        "chat",
        {"messages": [HI, {"role": "assistant", "content": None, "function_call": CALL["function"]}]},
        Chat([HI, {"role": "assistant", "content": None, "tool_calls": [CALL]}]),
        id="a call in the words of 2023",
    ),
    pytest.param(
        "anthropic",
        {
            "anthropic_version": "bedrock-2023-05-31",
            "max_tokens": 9,
            "system": [{"type": "text", "text": "Be brief."}],
            "messages": [
                {"role": "user", "content": [{"type": "text", "text": "Hi"}]},
                {"role": "assistant", "content": [{"type": "tool_use", "id": "c1", "name": "f", "input": {"a": 1}}]},
                {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c1", "content": "42"}]},
            ],
            "tools": [{"name": "f", "description": "d", "input_schema": {"type": "object"}}],
        },
        Chat([BRIEF, HI, {"role": "assistant", "content": "", "tool_calls": [CALL]}, RESULT], [TOOL]),
        id="anthropic",
    ),
    pytest.param("responses", {"input": "Hi", "instructions": "Be brief."}, Chat([BRIEF, HI]), id="responses"),
    pytest.param(
        "responses",
        {
            "input": [
                {"role": "user", "content": [{"type": "input_text", "text": "Hi"}]},
                {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"},
                {"type": "function_call_output", "call_id": "c1", "output": "42"},
            ],
            "tools": [{"type": "function", "name": "f", "description": "d", "parameters": {"type": "object"}}],
        },
        Chat(
            [
                HI,
                {
                    "role": "assistant",
                    "content": "",
                    "tool_calls": [CALL | {"function": {"name": "f", "arguments": "{}"}}],
                },
                RESULT,
            ],
            [TOOL],
        ),
        id="responses with calls",
    ),
    pytest.param(
        "gemini",
        {
            "systemInstruction": {"parts": [{"text": "Be brief."}]},
            "contents": [{"role": "user", "parts": [{"text": "Hi"}]}, {"role": "model", "parts": [{"text": "Ho"}]}],
        },
        Chat([BRIEF, HI, {"role": "assistant", "content": "Ho"}]),
        id="gemini",
    ),
    pytest.param(
        "converse",
        {
            "system": [{"text": "Be brief."}],
            "messages": [
                {"role": "user", "content": [{"text": "Hi"}]},
                {"role": "assistant", "content": [{"toolUse": {"toolUseId": "c1", "name": "f", "input": {"a": 1}}}]},
                {"role": "user", "content": [{"toolResult": {"toolUseId": "c1", "content": [{"text": "42"}]}}]},
            ],
            "toolConfig": {
                "tools": [{"toolSpec": {"name": "f", "description": "d", "inputSchema": {"json": {"type": "object"}}}}]
            },
        },
        Chat([BRIEF, HI, {"role": "assistant", "content": "", "tool_calls": [CALL]}, RESULT], [TOOL]),
        id="converse",
    ),
    pytest.param(
        "cohere",
        {
            "message": "Hi",
            "preamble": "Be brief.",
            "chat_history": [{"role": "USER", "message": "a"}, {"role": "CHATBOT", "message": "b"}],
        },
        Chat([BRIEF, {"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}, HI]),
        id="cohere v1",
    ),
    pytest.param("ollama", {"messages": [HI], "options": {"num_ctx": 9}}, Chat([HI]), id="ollama chat"),
    pytest.param("ollama", {"prompt": "Hi", "system": "Be brief."}, Chat([BRIEF, HI]), id="ollama generate"),
]

TEXTS: list[Any] = [
    pytest.param("completions", {"prompt": "Hi", "max_tokens": 5}, Texts(("Hi",)), id="completions"),
    pytest.param("completions", {"prompt": ["a", "b"]}, Texts(("a", "b")), id="several prompts"),
    pytest.param("completions", {"prompt": [1, 2, 3]}, Texts(token_ids=3), id="ids"),
    pytest.param("completions", {"prompt": [[1, 2], [3]]}, Texts(token_ids=3), id="lists of ids"),
    pytest.param("completions", {"prompt": [["a", "b"], ["c"]]}, None, id="lists of texts are no ids"),
    pytest.param("completions", {"prompt": [[1, "b"]]}, None, id="ids and texts"),
    pytest.param("completions", {"prompt": [[True]]}, None, id="booleans are no ids"),
    pytest.param(
        "completions", {"prompt": "Hi", "add_special_tokens": False}, Texts(("Hi",), special=False), id="no special"
    ),
    pytest.param("embeddings", {"input": "Hi", "model": "m"}, Texts(("Hi",)), id="embeddings"),
    pytest.param("embeddings", {"input": [["a", "b"]]}, None, id="embeddings of lists of texts"),
    pytest.param(
        "embeddings",
        {"input": ["a"], "add_special_tokens": False},
        Texts(("a",), special=False),
        id="embeddings without special tokens",
    ),
    pytest.param("embeddings", {"texts": ["a", "b"], "input_type": "x"}, Texts(("a", "b")), id="cohere embed"),
    pytest.param(
        "embeddings",
        {"inputs": [{"content": [{"type": "text", "text": "a"}]}, {"content": [{"type": "image_url"}]}]},
        Texts(("a",), missing=frozenset({"image"})),
        id="cohere embed v2",
    ),
    pytest.param("invoke", {"inputText": "Hi", "textGenerationConfig": {}}, Texts(("Hi",)), id="titan"),
    pytest.param("invoke", {"prompt": "Hi", "max_gen_len": 5}, Texts(("Hi",)), id="llama on bedrock"),
    pytest.param("anthropic-text", {"prompt": "Hi", "max_tokens_to_sample": 5}, Texts(("Hi",)), id="claude 2"),
    pytest.param("tgi", {"inputs": "Hi", "parameters": {}}, Texts(("Hi",)), id="tgi"),
    pytest.param("llama.cpp", {"prompt": "Hi", "n_predict": 5}, Texts(("Hi",)), id="llama.cpp"),
]


@pytest.mark.parametrize(("api", "body", "prompt"), [*CHATS, *TEXTS])
def test_a_request_becomes_one_prompt(api: str, body: Any, prompt: Any) -> None:
    request, flags = read_request(Body(body | {"model": "m"}), api)
    assert (request.prompt, request.model, flags) == (prompt, "m", frozenset())


@pytest.mark.parametrize("api", ["chat", "completions", "embeddings"])
def test_options_that_are_null_change_nothing(api: str) -> None:
    body = {"truncate_prompt_tokens": None, "chat_template": None, "suffix": None, "add_special_tokens": None}
    request, _ = read_request(Body(body | {"messages": [HI], "tools": None, "prompt": "Hi", "input": "Hi"}), api)
    assert request.prompt is not None
    assert not request.prompt.missing


@pytest.mark.parametrize(("api", "body", "prompt"), CHATS)
def test_a_chat_is_told_by_its_shape_where_nobody_answered(api: str, body: Any, prompt: Any) -> None:
    request, _ = read_request(Body(body))
    assert request.prompt == prompt, request.api


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"stop": "END"}, True),
        ({"stop": ["a", "b"]}, True),
        ({"stop": None}, False),
        ({"stop": []}, False),
        ({"stop_sequences": ["a"]}, True),
        ({"options": {"stop": ["a"]}}, True),
        ({"parameters": {"stop": ["a"]}}, True),
        ({"inferenceConfig": {"stopSequences": ["a"]}}, True),
        ({"generationConfig": {"stopSequences": ["a"]}}, True),
        ({}, False),
    ],
)
def test_stop_strings_are_found_in_every_apis_words(body: dict[str, Any], named: bool) -> None:
    request, _ = read_request(Body({"messages": [HI]} | body))
    assert request.stop_strings is named


@pytest.mark.parametrize("body", ["", "{}", "<html/>", b"\xff", "[]", {"a": 1}, {"messages": 5}, '--x\r\nfile="a"\r\n'])
def test_a_request_of_no_known_api_asks_nothing(body: Any) -> None:
    request, _ = read_request(Body(body))
    assert request.prompt is None


def test_an_unknown_request_says_so() -> None:
    assert read_request(Body({"a": 1}))[0].api == UNKNOWN_API
