"""Conversations made up for tests of templates: of all kinds of messages, with texts that templates trip over."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

if TYPE_CHECKING:
    from random import Random

Message = dict[str, Any]

TEXTS = (
    *("Hi", "Ho", "HiHo", "a", "5", "  Hi ", "Hello there\nyou", "", " ", "ABC", "\tx\t", "\nHi\n", "\r\nHi\r\n"),
    *("</think>", "a thought</think>b", "</thi", "nk>x", "<think>", "<|im_end|>", "a<|im_start|>b", "<|im", "think"),
    *('{"a": 1}', "東京 ☃", "user", "Wien", "x" * 300, "Qx0x0xZ", "1 < 2 & '3'"),
)
TOOL = {
    "type": "function",
    "function": {"name": "weather", "description": "Of a city.", "parameters": {"type": "object", "properties": {}}},
}
OTHER_TOOL = {"type": "function", "function": {"name": "search", "description": "</think>", "parameters": None}}
TOOLS = (None, [TOOL], [TOOL, OTHER_TOOL])

_texts = st.sampled_from(TEXTS)
_arguments = st.dictionaries(st.sampled_from(["city", "type", "n"]), _texts | st.integers(0, 20), max_size=2)
_calls = st.builds(
    lambda name, arguments, number: {
        "id": f"call_{number}",
        "type": "function",
        "function": {"name": name, "arguments": arguments},
    },
    st.sampled_from(["weather", "search"]),
    _arguments,
    st.integers(0, 9),
)


def _called(calls: list[Message], results: list[str], said: str) -> list[Message]:
    answers = [
        {"role": "tool", "tool_call_id": call["id"], "content": result}
        for call, result in zip(calls, results, strict=False)
    ]
    return [{"role": "assistant", "content": said, "tool_calls": calls}, *answers]


def _spoken(role: str, content: Any, more: Message) -> list[Message]:
    return [{"role": role, "content": content, **more}]


_turns = st.one_of(
    st.builds(_spoken, st.sampled_from(["user", "assistant"]), _texts, st.just({})),
    st.builds(_spoken, st.just("user"), _texts, st.sampled_from([{}, {"name": "bob"}])),
    st.builds(lambda asked, said: _spoken("user", asked, {}) + _spoken("assistant", said, {}), _texts, _texts),
    st.builds(_spoken, st.just("assistant"), _texts, st.builds(lambda text: {"reasoning_content": text}, _texts)),
    st.builds(_called, st.lists(_calls, min_size=1, max_size=2), st.lists(_texts, min_size=2, max_size=2), _texts),
)
_parts = st.lists(_texts.map(lambda text: {"type": "text", "text": text}), max_size=3)
_with_parts = _turns | st.builds(_spoken, st.just("user"), _parts, st.just({}))


def talks(*, parts: bool = False) -> st.SearchStrategy[list[Message]]:
    """Return conversations, of which some begin with what the operator says, and some have content in `parts`."""
    opening = st.lists(st.builds(_spoken, st.just("system"), _texts, st.just({})), max_size=1)
    turns = st.lists(_with_parts if parts else _turns, min_size=1, max_size=8)
    return st.builds(lambda first, more: [one for turn in [*first, *more] for one in turn], opening, turns)


def random_talk(chance: Random, turns: int) -> list[Message]:
    """Return a conversation of so many turns or some more, as clients hold them."""
    talk: list[Message] = [{"role": "system", "content": chance.choice(TEXTS)}] if chance.random() < 0.3 else []
    for _ in range(turns):
        talk.append({"role": "user", "content": chance.choice(TEXTS)})
        if chance.random() < 0.25:
            calls = [_random_call(chance) for _ in range(chance.choice((1, 1, 2)))]
            talk += _called(calls, chance.choices(TEXTS, k=2), "")
        talk.append({"role": "assistant", "content": chance.choice(TEXTS)})
    return talk


def _random_call(chance: Random) -> Message:
    arguments = {"city": chance.choice(("Wien", "Paris"))} | chance.choice(({}, {"type": "Hi"}, {"n": 1}))
    function = {"name": chance.choice(("weather", "search")), "arguments": arguments}
    return {"id": f"call_{chance.randrange(9)}", "type": "function", "function": function}
