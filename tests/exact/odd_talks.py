"""Random conversations as nobody should send them: odd lengths, odd values, missing keys, null content, odd tools."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random

Message = dict[str, Any]
TEXTS = (
    *(
        "",
        "a",
        "Hi",
        "aa",
        "x" * 70,
        "Hi Hi Hi",
        "Hi",
        "H",
        "\n",
        " ",
        "  Hi \n",
        "\tHi",
        "\u3000Hi\u2028",
        "Hi\r\n\r\n",
    ),
    *(
        "Grüß Gott",
        "漢字 😀👩\u200d👧",
        "e\u0301\u0323",
        "مرحبا",
        "\x00\x7f",
        "5",
        "-1.5",
        "None",
        "true",
        "{{ x }}",
        "%s {0}",
    ),
    *("<think>\nhm\n</think>\n\nyes", "<think>hm", "</think>", "<|im_end|>", "<|im_start|>user", "<b>&'\"</b>"),
    *("<tool_response>\n1\n</tool_response>", '{"a": [1, null]}', "[TOOL_CALLS]", "</s>", "<end_of_turn>\n", "user"),
)
ROLES = ("user", "assistant", "system", "developer", "tool", "function", "ipython", "narrator", "", "model")
ARGUMENTS: tuple[Any, ...] = (
    *({}, {"city": "Wien"}, {"n": 1, "x": None, "f": 1.5, "b": True}, {"items": ["a", {"get": 1}], "keys": {}}),
    *("{}", '{"city": "Wien"}', '{"a": {"b": [1, 2.0]}}', "", "no JSON", "[1]", None, 3),
)
EXTRA: tuple[Message, ...] = (
    *({"name": "bob"}, {"name": ""}, {"name": None}, {"n": 3}, {"n": -2.5}, {"flag": True}, {"x": None, "flag": False}),
    *({"items": [1]}, {"keys": "k", "values": {}, "get": 0}, {"update": "u", "pop": None, "copy": [None]}),
    *(
        {"reasoning_content": "hm"},
        {"thinking": "hm\n"},
        {"reasoning": ""},
        {"reasoning_content": None, "thinking": "x"},
    ),
    *({"tool_calls": []}, {"tool_calls": None}, {"_private": "p"}, {"weight": 0}, {"tool_call_id": "call_1"}),
)
PARTS: tuple[Any, ...] = (
    {"type": "text", "text": "a"},
    {"type": "text", "text": " b\n"},
    {"type": "image_url", "image_url": {"url": "u"}},
    {"type": "image"},
    {"text": "no type"},
    "text",
)
_SHAPE = {
    "type": "object",
    "properties": {
        "city": {"type": "string", "enum": ["Wien", "é"], "description": 'a "city" <b>'},
        "items": {"type": ["array", "null"], "items": {"type": "string"}, "default": []},
        "deep": {"type": "object", "properties": {"keys": {"type": "boolean"}}, "required": []},
    },
    "required": ["city"],
}
TOOLS: tuple[list[Any] | None, ...] = (
    None,
    None,
    None,
    [],
    [{"type": "function", "function": {"name": "weather", "description": "Of a city.", "parameters": _SHAPE}}],
    [
        {"type": "function", "function": {"name": "a", "parameters": {"type": "object", "properties": {}}}},
        {"type": "function", "function": {"name": "b", "description": None, "parameters": None, "strict": True}},
    ],
    [{"name": "bare", "description": "d", "parameters": _SHAPE}],
    [{"type": "function", "function": {"name": "items", "description": "", "parameters": _SHAPE}, "items": 1}],
)
OPTIONS: tuple[Message, ...] = (
    *({}, {}, {}, {"enable_thinking": False}, {"enable_thinking": True}, {"thinking": True}, {"xs": [1, {"a": None}]}),
    *({"reasoning_effort": "low"}, {"date_string": "1 Jan 2020"}, {"bos_token": "<s>"}, {"items": "x", "system": "s"}),
    *({"tools_in_user_message": False}, {"documents": [{"title": "t", "text": "d"}]}, {"continue_final_message": True}),
    *({"builtin_tools": ["code"]}, {"add_vision_id": True}, {"range": 1, "loop": None}),
)


class Asked(NamedTuple):
    """What a template is asked to write."""

    messages: list[Message]
    tools: list[Any] | None
    open_reply: bool
    options: Message


def asked(number: int, chance: Random) -> Iterator[Asked]:
    """Give conversations of which about half are as templates expect them."""
    for _ in range(number):
        messages = list(usual(chance) if chance.random() < 0.5 else odd(chance))
        yield Asked(messages, chance.choice(TOOLS), chance.random() < 0.8, chance.choice(OPTIONS))


def usual(chance: Random) -> Iterator[Message]:
    """Give the messages of a conversation in which all take their turns, with text and with calls of tools."""
    if chance.random() < 0.4:
        yield {"role": "system", "content": chance.choice(TEXTS)}
    for turn in range(chance.choice((1, 1, 2, 4, 8))):
        yield {"role": "user", "content": chance.choice(TEXTS)}
        if chance.random() < 0.3:
            yield from called(chance, ARGUMENTS[:7])
        if turn or chance.random() < 0.6:
            answer = {"role": "assistant", "content": chance.choice(TEXTS)}
            yield answer | chance.choice(({}, {}, {"reasoning_content": chance.choice(TEXTS)}))
    if chance.random() < 0.6:
        yield {"role": "user", "content": chance.choice(TEXTS)}


def called(chance: Random, arguments: tuple[Any, ...]) -> Iterator[Message]:
    """Give tool calls, perhaps with no content beside them, and their results."""
    calls = [
        {
            "id": chance.choice((f"call_{number}", "abcdefgh9")),
            "type": "function",
            "function": {"name": chance.choice(("weather", "items")), "arguments": chance.choice(arguments)},
        }
        for number in range(chance.choice((1, 1, 2)))
    ]
    yield {"role": "assistant", **chance.choice(({"content": ""}, {"content": None}, {})), "tool_calls": calls}
    for call in calls:
        result = chance.choice((*TEXTS, json.dumps({"degrees": 3})))
        yield {"role": "tool", "tool_call_id": call["id"], "name": "weather", "content": result}


def odd(chance: Random) -> Iterator[Message]:
    """Give messages of any role with any content, keys that are missing, and keys that nobody knows."""
    for _ in range(chance.choice((0, 1, 2, 3, 6, 9))):
        if chance.random() < 0.2:
            yield from called(chance, ARGUMENTS)
            continue
        message: Message = {"role": chance.choice(ROLES[: chance.choice((2, 5, 10))]), "content": _content(chance)}
        if chance.random() < 0.05:
            del message[chance.choice(("role", "content"))]
        if chance.random() < 0.3:
            message |= chance.choice(EXTRA)
        yield message


def _content(chance: Random) -> Any:
    kind = chance.random()
    if kind < 0.8:
        return chance.choice(TEXTS)
    if kind < 0.9:
        return [chance.choice(PARTS) for _ in range(chance.randint(0, 3))]
    return chance.choice((None, 0, 7, 1.5, True, {}, {"text": "a"}, [], ["a", None]))
