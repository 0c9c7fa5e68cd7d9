"""The conversations on which the faster renderer is tried: fixed, odd, and the same in every process."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

Message = dict[str, Any]

_SEED = 20_261_128
_RANDOM = 24
_TEXTS = (
    *(
        "",
        " ",
        "a",
        "Hi",
        "Hi \n",
        "\n\nHi",
        "Grüß Gott",
        "漢字 😀",
        "x" * 300,
        "{{ role }}",
        "{% raw %}",
        "<b>&amp;'\"",
    ),
    *("<think>\nhm\n</think>\n\nyes", "<think>hm", "</think>yes", "<|im_end|>"),
    "<tool_response>\n1\n</tool_response>",
    *(
        "line\r\nline",
        '{"a": [1, 2.5, null, true]}',
        "None",
        "0",
        "tool",
        "\u2028",
        "%s {0}",
        "<|channel|>x<|message|>y",
    ),
)
_TOOLS: list[Message] = [
    {
        "type": "function",
        "function": {
            "name": "look_up",
            "description": 'Looks "it" up — é <b>',
            "parameters": {
                "type": "object",
                "properties": {
                    "items": {"type": "array", "items": {"type": "string", "enum": ["a", "b"]}, "description": "d"},
                    "limit": {"type": ["integer", "null"], "default": 3, "minimum": 0.5},
                    "deep": {"type": "object", "properties": {"keys": {"type": "boolean", "nullable": True}}},
                },
                "required": ["items"],
            },
        },
    },
    {"type": "function", "function": {"name": "now", "description": None, "parameters": None}},
]
_CALLS: tuple[Any, ...] = ({}, {"items": ["a"], "limit": 3}, {"get": None, "x": {"y": [1.5, True]}}, '{"items": []}')
_OPTIONS: tuple[Message, ...] = (
    *({}, {}, {}, {"enable_thinking": False}, {"enable_thinking": True}, {"reasoning_effort": "high"}),
    *({"thinking": True}, {"custom_tools": None}, {"date_string": "1 Jan"}, {"tools_in_user_message": False}),
)


def trial_conversations() -> Iterator[tuple[list[Message], list[Message] | None, bool, Message]]:
    """Give conversations, each with tools or none, whether a reply is opened, and the request's options."""
    chance = random.Random(_SEED)  # noqa: S311  (the same conversations each time)
    user: Message = {"role": "user", "content": "Hi"}
    plain = [
        [user],
        [{"role": "system", "content": " Be brief. "}, user, {"role": "assistant", "content": "Yes"}, user],
    ]
    for messages in (*plain, *_odd(user)):
        yield messages, None, True, {}
    for messages in plain:
        yield messages, _TOOLS, True, {}
        yield messages, None, False, {}
    for options in _OPTIONS:
        yield plain[-1], None, True, options
    for _ in range(_RANDOM):
        messages = list(_turns(chance))
        yield messages, chance.choice((None, _TOOLS)), chance.random() < 0.8, chance.choice(_OPTIONS)


def _odd(user: Message) -> Iterator[list[Message]]:
    parts = [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    yield [user, user]
    yield [{"role": "user", "content": parts}]
    yield [{"role": "user"}]
    yield [{"content": "Hi"}]
    yield [{"role": "user", "content": None, "name": "Ann"}]
    yield [{"role": "developer", "content": "Dv"}, user]
    yield [{"role": "narrator", "content": 5}]
    yield [user, {"role": "assistant", "content": "Yes", "reasoning_content": "hm", "items": 3, "keys": []}]
    yield [user, {"role": "assistant", "thinking": "hm", "reasoning": "other"}, user]
    yield [user, {"role": "assistant", "content": "", "tool_calls": []}, user]


def _turns(chance: random.Random) -> Iterator[Message]:
    if chance.random() < 0.5:
        yield {"role": chance.choice(("system", "developer")), "content": chance.choice(_TEXTS)}
    for _ in range(chance.randint(1, 4)):
        yield {"role": "user", "content": chance.choice(_TEXTS)}
        if chance.random() < 0.4:
            calls = [_call(chance, number) for number in range(chance.randint(1, 2))]
            yield {"role": "assistant", "content": chance.choice(_TEXTS), "tool_calls": calls}
            yield from (
                {"role": "tool", "tool_call_id": call["id"], "content": chance.choice(_TEXTS)} for call in calls
            )
        answer: Message = {"role": "assistant", "content": chance.choice(_TEXTS)}
        if chance.random() < 0.3:
            answer[chance.choice(("reasoning_content", "reasoning", "thinking"))] = chance.choice(_TEXTS)
        if chance.random() < 0.7:
            yield answer


def _call(chance: random.Random, number: int) -> Message:
    function = {"name": chance.choice(("look_up", "now")), "arguments": chance.choice(_CALLS)}
    return {"id": f"call_{number}", "type": "function", "function": function}
